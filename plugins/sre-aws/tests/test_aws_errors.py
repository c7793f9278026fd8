"""What AWS says went wrong, as errors of ours, and what nobody says."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_aws import S3Storage, SecretsManagerVault
from sre_core import errors
from sre_core.connectors.base import Connector
from sre_core.errors import ConfigError, ConnectorError, RateLimitedError, UnauthenticatedError
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import SECRET, Moto, s3, vault  # noqa: TID252 -- the folder of tests is no package

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


async def _raised(connector: Connector, call: Any) -> ConnectorError:
    async def use() -> None:
        await connector.start()
        await call(connector)

    try:
        with pytest.raises(ConnectorError) as raised:
            await use()
    finally:
        await connector.stop()
    return raised.value


@pytest.mark.parametrize("error", _errors("s3_errors.json"))
async def test_an_error_of_s3_has_its_meaning(error: dict[str, Any]) -> None:
    good = HttpReply()
    async with ReplayServer.running(good, always=_in_xml(error)) as server:
        address = server.url
        raised = await _raised(s3(address, retries=0), lambda storage: storage.read("agent/a/object"))
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
        raised = await _raised(vault(server.url, retries=0), lambda vault: vault.get("openai"))
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
            raised = await _raised(s3(server.url, retries=0), lambda storage: storage.read("a"))
        else:
            server.replies.clear()
            raised = await _raised(vault(server.url, retries=0), lambda vault: vault.get("a"))
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
        raised = await _raised(s3(server.url, retries=0), lambda storage: storage.read("a"))
    assert SECRET not in f"{raised} {raised!r} {raised.hint}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", ["start", "write", "set"])
async def test_a_redirection_is_not_followed(call: str, status: int) -> None:
    """It would carry the session token, and a secret that is set, to whom it names."""
    async with ReplayServer.running(always=HttpReply()) as elsewhere, ReplayServer.running() as server:
        server.always = HttpReply(status=status, headers={"Location": f"{elsewhere.url}/a"})
        if call == "set":
            raised = await _raised(vault(server.url, retries=0), lambda vault: vault.set("a", SecretStr("sk-1")))
        else:
            server.replies.extend([HttpReply()] if call == "write" else [])
            raised = await _raised(s3(server.url, retries=0), lambda storage: storage.write("a", b"1"))
        assert "redirection" in raised.message
        assert server.url in raised.message
        assert elsewhere.requests == []
        assert len(server.requests) < 5


# Credentials


@pytest.mark.integration
async def test_a_server_that_does_not_know_the_key_refuses_it(strict: Moto) -> None:
    raised = await _raised(strict.s3(retries=0), lambda _: None)
    assert isinstance(raised, UnauthenticatedError)
    assert SECRET not in f"{raised} {raised.hint}"
    raised = await _raised(strict.vault(retries=0), lambda vault: vault.get("openai"))
    assert isinstance(raised, UnauthenticatedError)


@pytest.fixture
def no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for the files of AWS, and nothing in the environment that has credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


@pytest.mark.usefixtures("no_surroundings")
async def test_without_any_credentials_it_says_so_and_what_to_do() -> None:
    async with ReplayServer.running(always=HttpReply()) as server:
        none = {"access_key_id": None, "secret_access_key": None}
        for connector in (s3(server.url, **none), vault(server.url, **none)):
            raised = await _raised(connector, lambda connector: connector.ping())
            assert isinstance(raised, UnauthenticatedError)
            assert "profile" in (raised.hint or "")
        assert server.requests == []


@pytest.mark.integration
async def test_credentials_and_region_may_come_from_a_profile(no_surroundings: Path, moto: Moto) -> None:
    (no_surroundings / "config").write_text("[profile team]\nregion = eu-central-1\n")
    (no_surroundings / "credentials").write_text("[team]\naws_access_key_id = A1\naws_secret_access_key = s1\n")
    storage = moto.s3(access_key_id=None, secret_access_key=None, profile="team")
    await storage.start()
    await storage.write("agent/a/by-profile", b"1")
    link = await storage.url("agent/a/by-profile", 60)
    assert "A1%2F" in link
    assert "eu-central-1" in link
    await storage.stop()


@pytest.mark.usefixtures("no_surroundings")
@pytest.mark.parametrize("connector", [s3, vault], ids=["s3", "vault"])
async def test_a_profile_that_is_not_there_is_named(connector: Any) -> None:
    made: S3Storage | SecretsManagerVault = connector(
        "http://127.0.0.1:1", access_key_id=None, secret_access_key=None, profile="no-such-profile"
    )
    with pytest.raises(ConfigError, match="no-such-profile"):
        await made.start()
    await made.stop()


@pytest.mark.usefixtures("no_surroundings")
async def test_without_a_region_aws_itself_cannot_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    made = vault("http://127.0.0.1:1")
    made = SecretsManagerVault(made.settings.model_copy(update={"url": None, "region": None}))
    with pytest.raises(ConfigError, match="region"):
        await made.start()
    await made.stop()
