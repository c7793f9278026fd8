"""Tokens of OAuth in the two forms in which SmythOS keeps them."""

import json
import time

import pytest

from sre_core.components.web.oauth_tokens import OAuthClient, OAuthKind, Tokens, kind_of, read_tokens, write_tokens
from sre_core.errors import ComponentError

ABOUT = {
    "scope": "a b",
    "tokenURL": "https://auth.example/token",
    "service": "Google",
    "clientID": "id",
    "clientSecret": "s3cret",
}
NEW = {"auth_data": {"primary": "at", "secondary": "rt", "expires_in": "1900000000000"}, "auth_settings": ABOUT}
OLD = {"primary": "at", "secondary": "rt", "expires_in": 1900000000000, "type": "oauth2", "oauth_info": ABOUT}


@pytest.mark.parametrize("stored", [NEW, OLD])
def test_both_forms_mean_the_same(stored):
    tokens, client, _ = read_tokens(json.dumps(stored), name="T")
    assert tokens == Tokens(access="at", extra="rt", expires=1_900_000_000.0)
    assert client == OAuthClient(id="id", secret="s3cret", token_url="https://auth.example/token", scope="a b")


@pytest.mark.parametrize("stored", [NEW, OLD])
def test_new_tokens_are_written_in_the_form_that_was_there(stored):
    text = write_tokens(json.dumps(stored), Tokens(access="at2", extra="rt2", expires=1_950_000_000.5), name="T")
    tokens, client, kind = read_tokens(text, name="T")
    assert tokens == Tokens(access="at2", extra="rt2", expires=1_950_000_000.5)
    assert (client, kind) == read_tokens(json.dumps(stored), name="T")[1:]
    assert set(json.loads(text)) == set(stored)


@pytest.mark.parametrize("text", ["", "at", "[]", '"x"', "5", '{"auth_data": "x"}', "{" * 10_000])
def test_what_is_no_tokens_is_an_error_that_does_not_repeat_it(text):
    with pytest.raises(ComponentError, match="'T'") as caught:
        read_tokens(text, name="T")
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("expires_in", "expires"),
    [
        (None, None),
        ("", None),
        (0, None),
        ("soon", None),
        (1_900_000_000, 1.9e9),
        ("1900000000123", 1_900_000_000.123),
        (3600, 0.0),
    ],
)
def test_an_end_is_milliseconds_seconds_or_a_time_that_nobody_knows(expires_in, expires):
    tokens, _, _ = read_tokens(json.dumps({"primary": "at", "expires_in": expires_in}), name="T")
    assert tokens.expires == expires


def test_a_token_that_ends_soon_is_not_fresh():
    assert Tokens(access="at").is_fresh()
    assert Tokens(access="at", expires=time.time() + 600).is_fresh()
    assert not Tokens(access="at", expires=time.time() + 5).is_fresh()
    assert not Tokens(access="at", expires=0.0).is_fresh()
    assert not Tokens().is_fresh()


@pytest.mark.parametrize(
    ("service", "stored", "kind"),
    [
        ("", "oauth2", OAuthKind.OAUTH2),
        ("None", "", OAuthKind.NONE),
        ("Custom OAuth2.0", "", OAuthKind.OAUTH2),
        ("Google", "", OAuthKind.OAUTH2),
        ("Custom OAuth1.0", "", OAuthKind.OAUTH1),
        ("oauth", "", OAuthKind.OAUTH1),
        ("OAuth2 Client Credentials", "", OAuthKind.CLIENT_CREDENTIALS),
        ("oauth2_client_credentials", "", OAuthKind.CLIENT_CREDENTIALS),
    ],
)
def test_a_service_says_how_requests_are_signed(service, stored, kind):
    assert kind_of(service, stored) is kind


def test_nothing_shows_a_token():
    tokens, client, _ = read_tokens(json.dumps(NEW), name="T")
    assert not {"at", "rt", "s3cret"} & set(repr(tokens).replace("'", " ").split())
    assert "s3cret" not in repr(client)
