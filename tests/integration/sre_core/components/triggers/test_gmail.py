"""GmailTrigger: the requests as Google documents them, and its tokens.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list and .../get,
https://developers.google.com/identity/protocols/oauth2/web-server#offline
"""

import base64
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from sre_core.components.node import Node
from sre_core.components.triggers.gmail import GmailTrigger
from sre_core.errors import AccessDeniedError, ComponentError, RateLimitedError, UnauthenticatedError
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import Received, local_service

pytestmark = pytest.mark.integration

ACCESS, NEW, REFRESH = "ya29.first-token", "ya29.second-token", "1//refresh-token"


class Gmail:
    """Answers as Gmail does, for one account with some mails."""

    def __init__(self) -> None:
        self.ids = ["m1", "m2"]
        self.accepted = {ACCESS, NEW}
        self.reply: web.Response | None = None

    def __call__(self, asked: Received) -> Any:
        path = urlsplit(asked.target).path
        if path == "/token":
            return {"access_token": NEW, "expires_in": 3599, "token_type": "Bearer", "scope": "gmail"}
        if self.reply is not None:
            return self.reply
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.accepted:
            error = {"code": 401, "message": "Invalid Credentials", "status": "UNAUTHENTICATED"}
            return web.json_response({"error": error}, status=401)
        if path == "/users/me/messages":
            listed = {"messages": [{"id": id_, "threadId": id_} for id_ in self.ids]} if self.ids else {}
            return {**listed, "resultSizeEstimate": len(self.ids)}
        text = base64.urlsafe_b64encode(b"hello").decode()
        payload = {"mimeType": "text/plain", "filename": "", "headers": [], "body": {"size": 5, "data": text}}
        return {"id": path.rpartition("/")[2], "threadId": "t", "labelIds": ["UNREAD"], "payload": payload}


@pytest.fixture
async def gmail(monkeypatch):
    answers = Gmail()
    async with local_service(answers) as service:
        monkeypatch.setattr(GmailTrigger, "base_url", service.url)
        yield answers, service


def tokens(service, *, lives: float = 3600) -> str:
    return json.dumps(
        {
            "auth_data": {"primary": ACCESS, "secondary": REFRESH, "expires_in": round((time.time() + lives) * 1000)},
            "auth_settings": {
                "service": "oauth2",
                "tokenURL": f"{service.url}/token",
                "clientID": "id",
                "clientSecret": "client-secret",
                "scope": "https://www.googleapis.com/auth/gmail.readonly",
            },
        }
    )


async def mails(secret: str, data: Any = None) -> list[Any]:
    async with bench(secrets={"gmail": secret}) as place:
        node = Node(id="T", type="GmailTrigger", data=data or {"oauth_cred_id": "gmail"})
        trigger = GmailTrigger.of(node)
        assert isinstance(trigger, GmailTrigger)
        return await trigger.payloads({}, place.context)


async def test_unread_mails_are_listed_and_read(gmail):
    _, service = gmail
    found = await mails(tokens(service))
    assert [mail["email"]["id"] for mail in found] == ["m1", "m2"]
    assert found[0]["email"]["body"]["text"] == "hello"
    assert [asked.target for asked in service.received] == [
        "/users/me/messages?labelIds=UNREAD&maxResults=5",
        "/users/me/messages/m1?format=full",
        "/users/me/messages/m2?format=full",
    ]
    assert {asked.headers["authorization"] for asked in service.received} == {f"Bearer {ACCESS}"}


async def test_one_mail_needs_no_loop_and_none_fires_nothing(gmail):
    answers, service = gmail
    async with bench(secrets={"gmail": tokens(service)}) as place:
        answers.ids = ["m1"]
        assert (await place.run("GmailTrigger", {"oauth_cred_id": "gmail"}))["Payload"]["email"]["id"] == "m1"
        answers.ids = []
        assert await place.run("GmailTrigger", {"oauth_cred_id": "gmail"}) == {}


async def test_five_mails_at_most_are_read_and_odd_ids_stay_in_their_place(gmail):
    answers, service = gmail
    answers.ids = ["../../settings?a=", *"abcdefg"]
    assert len(await mails(tokens(service))) == 5
    assert service.received[1].target.startswith("/users/me/messages/..%2F..%2Fsettings%3Fa")


async def test_a_token_that_has_ended_is_renewed_once(gmail):
    answers, service = gmail
    answers.accepted = {NEW}
    assert len(await mails(tokens(service, lives=-10))) == 2
    asked = [asked for asked in service.received if asked.target == "/token"]
    assert len(asked) == 1
    assert parse_qs(asked[0].body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": [REFRESH],
        "client_id": ["id"],
        "client_secret": ["client-secret"],
    }


async def test_no_token_is_logged_or_told(gmail, caplog):
    answers, service = gmail
    caplog.set_level(logging.DEBUG)
    await mails(tokens(service, lives=-10))
    answers.accepted = set()
    with pytest.raises(UnauthenticatedError) as caught:
        await mails(tokens(service))
    for secret in (ACCESS, NEW, REFRESH, "client-secret"):
        assert secret not in caplog.text
        assert secret not in f"{caught.value!r}{caught.value.hint}"


async def test_limits_of_gmail_are_told_as_such(gmail):
    answers, service = gmail
    answers.reply = web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "7"})
    with pytest.raises(RateLimitedError) as caught:
        await mails(tokens(service))
    assert caught.value.retry_after == 7


async def test_an_account_has_to_be_named_and_known(gmail):
    with pytest.raises(ComponentError, match="no account"):
        await mails("{}", {"triggerEndpoint": "mail"})
    with pytest.raises(AccessDeniedError):
        await mails("{}", {"oauth_cred_id": "other"})
    with pytest.raises(ComponentError, match="does not hold tokens"):
        await mails("[]")
