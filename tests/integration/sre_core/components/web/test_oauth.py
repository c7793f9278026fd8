"""Calls with OAuth: tokens that are found, renewed and kept, by a service for tokens on loopback.

Requests and replies follow RFC 6749 (https://www.rfc-editor.org/rfc/rfc6749), sections 4.4, 5 and 6.
"""

import asyncio
import json
import time
from urllib.parse import parse_qsl

import anyio
import pytest
from aiohttp import web

from sre_core.errors import AccessDeniedError, ComponentError, NotFoundError, UnauthenticatedError
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service
from tests.unit.sre_core.components.web.oauth_signature import oauth_parameters, oauth_signature

pytestmark = pytest.mark.integration

NAME = "OAUTH_NODE1_TOKENS"
PAST, FUTURE = 1_600_000_000_000, 4_100_000_000_000
MAY_WRITE = {"access": {f"vault/{NAME}": {"agent:a1": "write", "user:bench": "own"}}}


class Service:
    """An API and a service for tokens; each new token has the next number."""

    def __init__(self):
        self.url = ""
        self.forms = []
        self.sent = []
        self.targets = []
        self.reply = {"token_type": "Bearer", "expires_in": 3600}

    def answer(self, received):
        if received.target != "/token":
            self.targets.append(received.target)
            self.sent.append(received.headers.get("authorization"))
            return "ok"
        self.forms.append(dict(parse_qsl(received.body.decode())))
        return (
            self.reply
            if isinstance(self.reply, web.Response)
            else {"access_token": f"at{len(self.forms)}", **self.reply}
        )

    def tokens(self, expires=PAST, **changes):
        about = {"tokenURL": f"{self.url}/token", "clientID": "id", "clientSecret": "s3cret", "service": "Google"}
        return {
            "auth_data": {"primary": "at0", "secondary": "rt0", "expires_in": expires, **changes},
            "auth_settings": about,
        }

    def node(self, **data):
        return {"method": "GET", "url": f"{self.url}/x", "oauthService": "Google", **data}


@pytest.fixture
async def service():
    made = Service()
    async with local_service(made.answer) as found:
        made.url = found.url
        yield made


async def test_a_token_that_lives_is_sent(service):
    for tokens in (service.tokens(FUTURE), {"primary": "at0", "secondary": "rt0", "expires_in": str(FUTURE)}):
        async with bench(secrets={NAME: json.dumps(tokens)}) as place:
            await place.run("APICall", service.node(headers={"Authorization": "mine"}))
    assert service.sent == ["Bearer at0", "Bearer at0"]
    assert service.forms == []


async def test_the_secret_may_have_a_name_of_its_own(service):
    async with bench(secrets={"my-tokens": json.dumps(service.tokens(FUTURE))}) as place:
        await place.run("APICall", service.node(oauth_con_id="my-tokens"))
    assert service.sent == ["Bearer at0"]


@pytest.mark.parametrize("word", ["", "None"])
async def test_the_name_of_a_connection_is_enough(service, word):
    secrets = {"con": json.dumps(service.tokens(FUTURE)), "own": json.dumps(service.tokens(type="oauth", primary="t"))}
    async with bench(secrets=secrets) as place:
        await place.run("APICall", service.node(oauthService=word, oauth_con_id="con"))
        await place.run("APICall", service.node(oauthService=word, oauth_con_id="own"))
    assert service.sent[0] == "Bearer at0"
    assert oauth_parameters(service.sent[1])["oauth_token"] == "t"


@pytest.mark.parametrize("said", [{"oauthService": "None"}, {"oauthService": ""}, {"oauth_con_id": "None"}])
async def test_a_node_without_oauth_reads_no_tokens(service, said):
    async with bench() as place:
        await place.run("APICall", service.node(**said))
    assert service.sent == [None]


async def test_an_ended_token_is_renewed_and_kept_in_the_vault(service):
    service.reply["refresh_token"] = "rt1"
    async with bench(secrets={NAME: json.dumps(service.tokens())}, config=MAY_WRITE) as place:
        await place.run("APICall", service.node())
        await place.run("APICall", service.node())
        kept = json.loads((await place.context.vault.get(NAME)).get_secret_value())
    assert service.sent == ["Bearer at1", "Bearer at1"]
    assert service.forms == [
        {"grant_type": "refresh_token", "refresh_token": "rt0", "client_id": "id", "client_secret": "s3cret"}
    ]
    assert (kept["auth_data"]["primary"], kept["auth_data"]["secondary"]) == ("at1", "rt1")
    assert kept["auth_data"]["expires_in"] / 1000 == pytest.approx(time.time() + 3600, abs=60)
    assert kept["auth_settings"] == service.tokens()["auth_settings"]


async def test_tokens_of_the_team_are_renewed_where_they_were_found(service):
    theirs = f"team/default/{NAME}"
    async with bench(secrets={theirs: json.dumps(service.tokens())}) as place:
        await place.run("APICall", service.node())
        kept = json.loads((await place.context.vault.get(theirs)).get_secret_value())
        with pytest.raises(AccessDeniedError):
            await place.context.vault.get(NAME)
    assert service.sent == ["Bearer at1"]
    assert kept["auth_data"]["primary"] == "at1"


async def test_tokens_that_may_only_be_read_are_not_written_to_the_team(service):
    theirs = f"team/default/{NAME}"
    secrets = {NAME: json.dumps(service.tokens()), theirs: json.dumps(service.tokens(FUTURE, primary="theirs"))}
    async with bench(secrets=secrets) as place:
        await place.run("APICall", service.node())
        assert (await place.context.vault.get(theirs)).get_secret_value() == secrets[theirs]
        assert (await place.context.vault.get(NAME)).get_secret_value() == secrets[NAME]
    assert service.sent == ["Bearer at1"]


@pytest.mark.parametrize("rotates", [False, True])
async def test_where_the_vault_cannot_be_written_new_tokens_are_kept_in_the_cache(service, rotates):
    if rotates:
        service.reply["refresh_token"] = "rt1"
    async with bench(secrets={NAME: json.dumps(service.tokens())}) as place:
        await place.run("APICall", service.node())
        await place.run("APICall", service.node())
        assert service.sent == ["Bearer at1", "Bearer at1"]
        kept = json.loads((await place.context.vault.get(NAME)).get_secret_value())
        assert kept["auth_data"]["primary"] == "at0"


async def test_a_new_refresh_token_outlives_the_access_token(service):
    # Ended as soon as it came, so that the next call must renew again, with the new refresh token.
    service.reply |= {"refresh_token": "rt1", "expires_in": 1}
    async with bench(secrets={NAME: json.dumps(service.tokens())}) as place:
        await place.run("APICall", service.node())
        await place.run("APICall", service.node())
    assert [form["refresh_token"] for form in service.forms] == ["rt0", "rt1"]
    assert service.sent == ["Bearer at1", "Bearer at2"]


@pytest.mark.parametrize("config", [{}, MAY_WRITE])
async def test_calls_at_once_renew_once(service, config):
    async with bench(secrets={NAME: json.dumps(service.tokens())}, config=config) as place:
        with anyio.fail_after(60):
            await asyncio.gather(*(place.run("APICall", service.node()) for _ in range(20)))
    assert service.sent == ["Bearer at1"] * 20
    assert len(service.forms) == 1


async def test_a_refusal_says_why_and_no_secret_and_nothing_is_sent(service):
    service.reply = web.json_response({"error": "invalid_grant", "error_description": "rt0"}, status=400)
    async with bench(secrets={NAME: json.dumps(service.tokens())}) as place:
        with pytest.raises(UnauthenticatedError, match="invalid_grant") as caught:
            await place.run("APICall", service.node())
    assert not any(secret in str(caught.value) for secret in ("rt0", "s3cret", "at0"))
    assert service.sent == []


async def test_a_service_for_tokens_that_redirects_gets_no_secret_elsewhere(service):
    service.reply = web.Response(status=307, headers={"Location": "/elsewhere"})
    async with bench(secrets={NAME: json.dumps(service.tokens())}) as place:
        with pytest.raises(UnauthenticatedError):
            await place.run("APICall", service.node())
    assert (len(service.forms), service.sent) == (1, [])


@pytest.mark.parametrize("changes", [{"secondary": ""}, {"secondary": None}])
async def test_an_ended_token_that_cannot_be_renewed_is_an_error(service, changes):
    async with bench(secrets={NAME: json.dumps(service.tokens(**changes))}) as place:
        with pytest.raises(ComponentError, match="no refresh token"):
            await place.run("APICall", service.node())
    assert service.sent == []


async def test_tokens_that_are_missing_or_no_tokens_are_an_error(service):
    async with bench(config={"access": {f"vault/{NAME}": {"agent:a1": "read"}}}) as place:
        with pytest.raises(NotFoundError):
            await place.run("APICall", service.node())
    async with bench(secrets={NAME: "at0"}) as place:
        with pytest.raises(ComponentError, match="does not hold tokens"):
            await place.run("APICall", service.node())


async def test_the_settings_fill_what_the_tokens_do_not_say(service):
    flat = {"primary": "at0", "secondary": "rt0", "expires_in": PAST}
    async with bench(secrets={NAME: json.dumps(flat), "cs": "from-vault"}, variables={"ID": "me"}) as place:
        data = {"tokenURL": f"{service.url}/token", "clientID": "{{ID}}", "clientSecret": "{{KEY(cs)}}"}
        await place.run("APICall", service.node(**data), inputs={"ID": "input"})
    assert (service.forms[0]["client_id"], service.forms[0]["client_secret"]) == ("me", "from-vault")


async def test_a_client_gets_a_token_in_its_own_name_once(service):
    data = {
        "oauthService": "OAuth2 Client Credentials",
        "clientID": "id",
        "clientSecret": "{{KEY(cs)}}",
        "scope": "a b",
    }
    async with bench(secrets={"cs": "s3cret"}) as place:
        node = service.node(**data, tokenURL=f"{service.url}/token")
        await asyncio.gather(*(place.run("APICall", node) for _ in range(10)))
        await place.run("APICall", node)
    assert service.sent == ["Bearer at1"] * 11
    assert service.forms == [
        {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cret", "scope": "a b"}
    ]


async def test_the_client_may_be_in_the_vault(service):
    async with bench(secrets={"con": json.dumps(service.tokens())}) as place:
        await place.run("APICall", service.node(oauthService="oauth2_client_credentials", oauth_con_id="con"))
    assert service.forms[0]["grant_type"] == "client_credentials"
    assert service.sent == ["Bearer at1"]


async def test_a_client_without_an_id_is_an_error(service):
    async with bench() as place:
        node = service.node(oauthService="OAuth2 Client Credentials", tokenURL=f"{service.url}/token")
        with pytest.raises(ComponentError, match="clientID"):
            await place.run("APICall", node)


async def test_a_request_is_signed_with_version_1(service):
    tokens = {
        "primary": "token",
        "secondary": "hush",
        "type": "oauth",
        "oauth_info": {"consumerKey": "key", "consumerSecret": "cs"},
    }
    data = {"method": "POST", "oauthService": "Custom OAuth1.0", "body": '{"a": 1}'}
    async with bench(secrets={NAME: json.dumps(tokens)}) as place:
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            node = service.node(**data, contentType=kind, url=f"{service.url}/x/{{{{p}}}}?q={{{{q}}}}")
            await place.run("APICall", node, inputs={"p": "a,b/c", "q": "d,e/f g&"})
    first, second = (oauth_parameters(sent) for sent in service.sent)
    assert (first["oauth_consumer_key"], first["oauth_token"]) == ("key", "token")
    assert first["oauth_signature_method"] == "HMAC-SHA1"
    assert "oauth_body_hash" in first
    assert "oauth_body_hash" not in second
    # As the server sees them, whichever signs are encoded on the way.
    urls = [service.url + target for target in service.targets]
    assert first["oauth_signature"] == oauth_signature("cs", "hush", "POST", urls[0], first)
    assert second["oauth_signature"] == oauth_signature("cs", "hush", "POST", urls[1], second, [("a", "1")])


async def test_version_1_needs_a_consumer(service):
    async with bench(secrets={NAME: json.dumps({"primary": "a", "secondary": "b"})}) as place:
        with pytest.raises(ComponentError, match="consumer key"):
            await place.run("APICall", service.node(oauthService="Custom OAuth1.0"))


@pytest.mark.parametrize("url", ["{{u}}", "http://{{h}}/x", "http://api.example.com{{end}}"])
async def test_tokens_do_not_go_to_a_host_that_an_input_names(service, url):
    inputs = {"u": "http://8.8.8.8/", "h": "8.8.8.8", "end": ".evil.example"}
    async with bench(secrets={NAME: json.dumps(service.tokens(FUTURE))}) as place:
        with pytest.raises(ComponentError, match="OAuth"):
            await place.run("APICall", service.node(url=url), inputs=inputs)
    assert service.sent == []
