"""What AWS says went wrong, as errors of ours, and what nobody says."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core import errors
from sre_core.errors import RateLimitedError
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import SECRET, raised_by, s3, vault  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

_FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _errors(name: str) -> list[Any]:
    found = json.loads((_FIXTURES / name).read_text())["errors"]
    return [pytest.param(error, id=f"{error['code']}-{error['raises']}") for error in found]


def _in_xml(error: dict[str, Any], headers: dict[str, str] | None = None) -> HttpReply:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{error["code"]}</Code>'
        f"<Message>{error['message']}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"
    )
    return HttpReply.text(text, status=error["status"], content_type="application/xml", headers=headers)


def _in_json(error: dict[str, Any], headers: dict[str, str] | None = None) -> HttpReply:
    body = {"__type": error["code"], "Message": error["message"]}
    return HttpReply.json(body, status=error["status"], headers=headers)


@pytest.mark.parametrize("error", _errors("s3_errors.json"))
async def test_an_error_of_s3_has_its_meaning(error: dict[str, Any]) -> None:
    good = HttpReply()
    async with ReplayServer.running(good, always=_in_xml(error)) as server:
        address = server.url
        raised = await raised_by(s3(address, retries=0), lambda storage: storage.read("agent/a/object"))
    assert type(raised) is getattr(errors, error["raises"])
    assert error["code"] in raised.message
    assert address in raised.message
    assert raised.hint or error["code"] in {
        "DecryptionFailure",
        "InvalidArgument",
        "InvalidRequestException",
        "OperationAborted",
    }


@pytest.mark.parametrize("error", _errors("secrets_errors.json"))
async def test_an_error_of_secrets_manager_has_its_meaning(error: dict[str, Any]) -> None:
    async with ReplayServer.running(always=_in_json(error)) as server:
        raised = await raised_by(vault(server.url, retries=0), lambda vault: vault.get("openai"))
    assert type(raised) is getattr(errors, error["raises"])
    assert "openai" in raised.message
    assert raised.hint or error["code"] in {
        "DecryptionFailure",
        "InvalidArgument",
        "InvalidRequestException",
        "OperationAborted",
    }


@pytest.mark.parametrize("reply", [_in_xml, _in_json], ids=["s3", "secrets"])
async def test_the_time_to_wait_is_read(reply: Any) -> None:
    """S3 sends SlowDown with status 503, Secrets Manager ThrottlingException with status 400."""
    error = {"code": "SlowDown" if reply is _in_xml else "ThrottlingException", "status": 503, "message": "Slow down."}
    async with ReplayServer.running(HttpReply(), always=reply(error, {"Retry-After": "7"})) as server:
        if reply is _in_xml:
            raised = await raised_by(s3(server.url, retries=0), lambda storage: storage.read("a"))
        else:
            server.replies.clear()
            raised = await raised_by(vault(server.url, retries=0), lambda vault: vault.get("a"))
    assert isinstance(raised, RateLimitedError)
    assert raised.retry_after == 7


async def test_the_driver_tries_again_what_is_worth_it() -> None:
    slow = _in_xml({"code": "SlowDown", "status": 503, "message": "Please reduce your request rate."})
    found = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
    async with ReplayServer.running(HttpReply(), slow, always=HttpReply.text("1", headers=found)) as server:
        storage = s3(server.url, retries=1)
        await storage.start()
        assert await storage.read("agent/a/object") == b"1"
        assert [request.method for request in server.requests] == ["HEAD", "GET", "GET"]
        await storage.stop()


async def test_a_refusal_does_not_repeat_what_the_server_quotes() -> None:
    error = {"code": "AccessDenied", "status": 403, "message": f"your key is {SECRET}"}
    async with ReplayServer.running(HttpReply(), always=_in_xml(error)) as server:
        raised = await raised_by(s3(server.url, retries=0), lambda storage: storage.read("a"))
    assert SECRET not in f"{raised} {raised!r} {raised.hint}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", ["start", "write", "set"])
async def test_a_redirection_is_not_followed(call: str, status: int) -> None:
    """It would carry the session token, and a secret that is set, to whom it names."""
    async with ReplayServer.running(always=HttpReply()) as elsewhere, ReplayServer.running() as server:
        server.always = HttpReply(status=status, headers={"Location": f"{elsewhere.url}/a"})
        if call == "set":
            raised = await raised_by(vault(server.url, retries=0), lambda vault: vault.set("a", SecretStr("sk-1")))
        else:
            server.replies.extend([HttpReply()] if call == "write" else [])
            raised = await raised_by(s3(server.url, retries=0), lambda storage: storage.write("a", b"1"))
        assert "redirection" in raised.message
        assert server.url in raised.message
        assert elsewhere.requests == []
        assert len(server.requests) < 5
