"""As whom AWS is called: explicit keys, a profile, and what the surroundings give."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sre_aws import BedrockLLM, BedrockSettings, S3Storage, SecretsManagerVault
from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, UnauthenticatedError
from sre_core.messages import Message
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import SECRET, Moto, raised_by, s3, vault  # noqa: TID252 -- the folder of tests is no package
from .bedrock.event_stream import event  # noqa: TID252

pytestmark = pytest.mark.anyio

_NO_KEYS: dict[str, Any] = {"access_key_id": None, "secret_access_key": None}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.integration
async def test_a_server_that_does_not_know_the_key_refuses_it(strict: Moto) -> None:
    raised = await raised_by(strict.s3(retries=0), lambda _: None)
    assert isinstance(raised, UnauthenticatedError)
    assert SECRET not in f"{raised} {raised.hint}"
    raised = await raised_by(strict.vault(retries=0), lambda vault: vault.get("openai"))
    assert isinstance(raised, UnauthenticatedError)


@pytest.mark.usefixtures("no_surroundings")
async def test_without_any_credentials_it_says_so_and_what_to_do() -> None:
    async with ReplayServer.running(always=HttpReply()) as server:
        none = {"access_key_id": None, "secret_access_key": None}
        for connector in (s3(server.url, **none), vault(server.url, **none)):
            raised = await raised_by(connector, lambda connector: connector.ping())
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


# Surroundings


@pytest.fixture
def surroundings(no_surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Sets what is to be found in an environment that has nothing of AWS yet."""
    return monkeypatch


async def _link(storage: S3Storage) -> str:
    """A link, in which those who signed it can be read."""
    await storage.write("agent/a/signed", b"1")
    return await storage.url("agent/a/signed", 60)


@pytest.mark.integration
async def test_credentials_and_region_may_come_from_the_environment(
    surroundings: pytest.MonkeyPatch, moto: Moto
) -> None:
    surroundings.setenv("AWS_ACCESS_KEY_ID", "A2")
    surroundings.setenv("AWS_SECRET_ACCESS_KEY", "s2")
    surroundings.setenv("AWS_SESSION_TOKEN", "t2")
    surroundings.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    storage = moto.s3(**_NO_KEYS)
    await storage.start()
    link = await _link(storage)
    assert "A2%2F" in link
    assert "eu-west-1" in link
    assert "Security-Token=t2" in link
    await storage.stop()


@pytest.mark.integration
async def test_credentials_of_a_container_are_asked_for_and_renew_themselves(
    surroundings: pytest.MonkeyPatch, moto: Moto
) -> None:
    """Those that end within ten minutes are asked for again before they are used."""
    async with ReplayServer.running(always=_of_container("A3", minutes=5)) as container:
        surroundings.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{container.url}/v1/credentials")
        surroundings.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-container")
        storage = moto.s3(**_NO_KEYS)
        await storage.start()
        assert "A3%2F" in await _link(storage)
        container.always = _of_container("A4", minutes=120)
        assert "A4%2F" in await _link(storage)
        asked = len(container.requests)
        assert "A4%2F" in await _link(storage)
        assert len(container.requests) == asked
        assert {request.path for request in container.requests} == {"/v1/credentials"}
        assert {request.headers["Authorization"] for request in container.requests} == {"of-the-container"}
        await storage.stop()


async def test_a_container_that_gives_no_credentials_is_no_identity(surroundings: pytest.MonkeyPatch) -> None:
    """It is said that there are none, and nothing goes out unsigned."""
    async with ReplayServer.running(always=HttpReply.json({"message": "no role"}, status=403)) as container:
        surroundings.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url)
        raised = await raised_by(vault("http://127.0.0.1:1", **_NO_KEYS), lambda vault: vault.get("openai"))
        assert isinstance(raised, UnauthenticatedError)
        assert container.requests


async def test_a_key_of_bedrock_may_come_from_the_environment(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-of-the-tests")
    events = [
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello"}}),
        event("messageStop", {"stopReason": "end_turn"}),
    ]
    said = HttpReply(headers={"Content-Type": "application/vnd.amazon.eventstream"}, pieces=events)
    listed = HttpReply.json({"modelSummaries": [], "inferenceProfileSummaries": []})
    async with ReplayServer.running(said, always=listed) as server:
        connector = BedrockLLM(BedrockSettings(url=server.url, model="amazon.nova-lite-v1:0"))
        await connector.start()
        request = LLMRequest(messages=(Message.user("Hi"),))
        assert fold([chunk async for chunk in connector.stream(request)]).message.text == "Hello"
        assert [model.id for model in await connector.models()] == ["amazon.nova-lite-v1:0"]
        sent = {request.headers["Authorization"] for request in server.requests}
        assert sent == {"Bearer bedrock-api-key-of-the-tests"}
        await connector.stop()


def _of_container(key: str, *, minutes: float) -> HttpReply:
    """As in the developer guide of Amazon ECS, page "Task IAM role"."""
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    found = {
        "AccessKeyId": key,
        "SecretAccessKey": "s",
        "Token": "t",
        "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return HttpReply.json({"RoleArn": "TASK_ROLE_ARN", **found})
