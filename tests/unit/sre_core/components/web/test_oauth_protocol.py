"""Signatures and requests for tokens, checked against RFC 5849, RFC 6749 and the draft on hashes of bodies."""

import base64
import hashlib
import json
import time
from urllib.parse import parse_qsl

import pytest

from sre_core.components.http_client import HTTPReply
from sre_core.components.web.oauth_protocol import client_credentials_form, read_token_reply, refresh_form, sign
from sre_core.components.web.oauth_tokens import OAuthClient, Tokens
from sre_core.errors import UnauthenticatedError, UnavailableError
from tests.unit.sre_core.components.web.oauth_signature import oauth_parameters, oauth_signature

CLIENT = OAuthClient(id="dpf43f3p2l4k3l03", secret="kd94hf93k423kf44", token_url="https://a.example/t", scope="a b")
TOKENS = Tokens(access="nnch734d00sl2jdk", extra="pfkkdhi9sl3r4s00")


@pytest.mark.parametrize(
    "url",
    [
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        "https://api.example/x%20y/?a=b%26c&a=1&empty=",
        "https://api.example/s?list[]=1&q={x}|y&u=%C3%A9",
    ],
)
def test_a_request_is_signed_as_the_rfc_says(url):
    params = oauth_parameters(sign("GET", url, body=None, content_type="", client=CLIENT, tokens=TOKENS))
    assert params["oauth_consumer_key"] == CLIENT.id
    assert params["oauth_token"] == TOKENS.access
    assert params["oauth_signature_method"] == "HMAC-SHA1"
    assert params["oauth_version"] == "1.0"
    assert abs(int(params["oauth_timestamp"]) - time.time()) < 60
    assert "oauth_body_hash" not in params
    assert params["oauth_signature"] == oauth_signature(CLIENT.secret, TOKENS.extra, "GET", url, params)


def test_a_form_is_part_of_the_signature():
    url = "https://api.example/update"
    form = b"status=Hello+Ladies+%2B+Gentlemen%2C+a+signed+request%21&b="
    header = sign(
        "POST", url, body=form, content_type="application/x-www-form-urlencoded", client=CLIENT, tokens=TOKENS
    )
    params = oauth_parameters(header)
    fields = parse_qsl(form.decode(), keep_blank_values=True)
    assert "oauth_body_hash" not in params
    assert params["oauth_signature"] == oauth_signature(CLIENT.secret, TOKENS.extra, "POST", url, params, fields)


@pytest.mark.parametrize("body", [b'{"a": 1}', b"\xff\x00", b""])
def test_another_body_is_hashed(body):
    url = "https://api.example/update"
    params = oauth_parameters(
        sign("PUT", url, body=body, content_type="application/json", client=CLIENT, tokens=TOKENS)
    )
    assert params["oauth_body_hash"] == base64.b64encode(hashlib.sha1(body).digest()).decode()
    assert params["oauth_signature"] == oauth_signature(CLIENT.secret, TOKENS.extra, "PUT", url, params)


def test_two_signatures_are_never_the_same():
    one, other = (
        oauth_parameters(sign("GET", "https://a.example/", body=None, content_type="", client=CLIENT, tokens=TOKENS))
        for _ in range(2)
    )
    assert one["oauth_nonce"] != other["oauth_nonce"]


def test_requests_for_tokens_are_those_of_rfc_6749():
    assert dict(parse_qsl(refresh_form(CLIENT, "r+t"))) == {
        "grant_type": "refresh_token",
        "refresh_token": "r+t",
        "client_id": CLIENT.id,
        "client_secret": CLIENT.secret,
    }
    assert dict(parse_qsl(client_credentials_form(CLIENT))) == {
        "grant_type": "client_credentials",
        "client_id": CLIENT.id,
        "client_secret": CLIENT.secret,
        "scope": "a b",
    }


def read(status, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_token_reply(HTTPReply(status=status, body=data), service="https://a.example")


def test_a_reply_with_tokens_is_read():
    tokens = read(200, {"access_token": "at", "refresh_token": "rt", "expires_in": 3600, "token_type": "Bearer"})
    assert (tokens.access, tokens.extra) == ("at", "rt")
    assert tokens.expires == pytest.approx(time.time() + 3600, abs=60)
    assert read(200, {"access_token": "at", "token_type": "Bearer"}) == Tokens(access="at")
    assert read(200, b"access_token=at&token_type=bearer") == Tokens(access="at")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": "invalid_grant", "error_description": "s3cret"}, "invalid_grant"),
        (401, b"<html>s3cret</html>", "missing_token"),
        (200, {}, "missing_token"),
        (200, [], "HTTP 200"),
        (200, b"\xff", "HTTP 200"),
        (200, {"access_token": "s3cret", "expires_in": "soon"}, "HTTP 200"),
        (200, "s3cret", "HTTP 200"),
    ],
)
def test_a_refusal_names_the_code_and_nothing_else(status, body, code):
    with pytest.raises(UnauthenticatedError, match=code) as caught:
        read(status, body)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_down_may_be_asked_again(status):
    with pytest.raises(UnavailableError):
        read(status, {})
