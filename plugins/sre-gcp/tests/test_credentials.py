"""Credentials: where they come from, what is said when they are wrong, and how tokens are renewed."""

import asyncio
import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.auth.compute_engine import Credentials
from pydantic import SecretStr

from sre_core.connectors.base import Connector
from sre_core.errors import (
    ConfigError,
    ConnectorError,
    DeadlineError,
    NotFoundError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.certificates import Authority
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import Gcs, TokenServer, account_key  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

_LIST = HttpReply.json({"kind": "storage#objects"})
_REFUSED = HttpReply.json({"error": {"message": "Invalid Credentials"}}, status=401)


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer.running() as server:
        yield server


def storage(url: str, **other: object) -> GcsStorage:
    return GcsStorage(GcsSettings.model_validate({"bucket": "bucket", "endpoint": url, "retries": 0, **other}))


async def failure(connector: Connector) -> SREError:
    with pytest.raises(SREError) as raised:
        await connector.start()
    await connector.stop()
    return raised.value


def bearers(server: ReplayServer) -> list[str]:
    return [request.headers.get("Authorization", "") for request in server.requests]


async def test_an_account_gets_one_token_for_all_its_calls(tokens: TokenServer) -> None:
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        await asyncio.gather(*(connector.ping() for _ in range(20)))
        await connector.stop()
        assert set(bearers(server)) == {"Bearer token-1"}
    assert tokens.given == 1


async def test_a_key_file_and_the_environment_serve_as_well(
    tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.json"
    file.write_text(account_key(tokens.url))
    async with ReplayServer.running(always=_LIST) as server:
        for settings in ({"key_file": file}, {}):
            connector = storage(server.url, **settings)
            await connector.start()
            await connector.stop()
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        assert bearers(server) == ["Bearer token-1", "Bearer token-2"]


async def test_a_machine_without_credentials_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    error = await failure(storage("http://127.0.0.1:9"))
    assert isinstance(error, UnauthenticatedError)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(error.hint)


async def test_a_token_that_is_refused_is_replaced_once(tokens: TokenServer) -> None:
    async with ReplayServer.running(_REFUSED, always=_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        server.replies.extend([_REFUSED, _REFUSED])
        with pytest.raises(UnauthenticatedError):
            await connector.ping()
        await connector.stop()
        assert bearers(server) == [f"Bearer token-{number}" for number in (1, 2, 2, 3)]


async def test_a_token_that_has_expired_is_renewed(tokens: TokenServer) -> None:
    tokens.lifetime = -1
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        await connector.ping()
        await connector.stop()
        assert bearers(server) == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_that_soon_expires_is_renewed_while_calls_go_on(tokens: TokenServer) -> None:
    tokens.lifetime = 60
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        async with asyncio.timeout(120):
            while bearers(server)[-1] == "Bearer token-1":
                await connector.ping()
        await connector.stop()
        assert bearers(server)[1] == "Bearer token-1", "the first call waited for the new token"


async def test_a_cancelled_call_leaves_the_token_to_the_others(tokens: TokenServer) -> None:
    tokens.lifetime = -1
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        calls = [asyncio.create_task(connector.ping()) for _ in range(3)]
        await asyncio.sleep(0)
        calls[0].cancel()
        await asyncio.wait(calls)
        assert [call.cancelled() for call in calls] == [True, False, False]
        await connector.stop()


@pytest.mark.parametrize(("status", "kind"), [(400, UnauthenticatedError), (503, UnavailableError)])
async def test_a_refused_account_is_named_as_such_and_not_shown(
    tokens: TokenServer, status: int, kind: type[SREError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    tokens.status = status
    error = await failure(storage("http://127.0.0.1:9", key=account_key(tokens.url)))
    assert isinstance(error, kind)
    # The service quotes the assertion that it was sent, which begins like every signed token.
    assert "eyJ" not in "".join(traceback.format_exception(error))
    assert ("invalid_grant" in str(error)) is (status == 400)


async def test_a_service_for_tokens_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    error = await failure(storage("http://127.0.0.1:9", key=account_key("http://127.0.0.1:9/token")))
    assert isinstance(error, UnavailableError)


@pytest.mark.parametrize("after", ["nothing", "headers"])
async def test_a_service_for_tokens_that_falls_silent_is_given_up(after: str) -> None:
    async with asyncio.timeout(120), ReplayServer.running(always=HttpReply(hang=True)) as silent:
        silent.hold_for = 2 if after == "nothing" else 0
        error = await failure(storage("http://127.0.0.1:9", key=account_key(f"{silent.url}/token"), timeout=3))
        assert isinstance(error, DeadlineError)
        assert len(silent.requests) == 1


async def test_a_machine_whose_metadata_fall_silent_is_given_up(
    tokens: TokenServer, machine: Callable[[str], None]
) -> None:
    machine(tokens.host)
    tokens.lifetime = -1
    async with asyncio.timeout(120), ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, timeout=3)
        await connector.start()
        tokens.silent = True
        with pytest.raises(DeadlineError):
            await connector.ping()
        await connector.stop()


@pytest.mark.parametrize(
    "text",
    [
        "no JSON, but s3cret-words",
        '{"private_key": "s3cret-words"}',
        '{"type": "service_account", "private_key": "s3cret-words", "client_email": "a", "token_uri": "b"}',
        '{"type": "authorized_user", "refresh_token": "s3cret-words"}',
        '{"type": "external_account", "secret": "s3cret-words"}',
        '["s3cret-words"]',
    ],
)
async def test_a_key_that_is_none_is_a_wrong_setting_and_not_shown(text: str, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(text)
    for settings in ({"key": SecretStr(text)}, {"key_file": file}):
        error = await failure(storage("http://127.0.0.1:9", **settings))
        assert isinstance(error, ConfigError)
        assert "s3cret" not in f"{error} {error.hint} {error.__cause__!r}"


async def test_a_key_file_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    error = await failure(storage("http://127.0.0.1:9", key_file=tmp_path / "missing.json"))
    assert isinstance(error, ConfigError)
    assert "missing.json" in str(error)


async def test_the_credentials_of_a_user_make_no_links(tokens: TokenServer) -> None:
    user = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, key=json.dumps({**user, "token_uri": tokens.url}))
        assert "url" in connector.capabilities
        # Its tokens come from Google alone, whatever the text says.
        assert isinstance(await failure(connector), UnavailableError)
        assert "url" not in connector.capabilities


@pytest.mark.integration
async def test_a_project_is_named_with_every_request(gcs: Gcs) -> None:
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, anonymous=True, project="billed")
        await connector.start()
        await connector.stop()
        assert server.requests[0].headers["x-goog-user-project"] == "billed"


@pytest.mark.integration
async def test_a_server_is_trusted_by_its_authority_alone(tmp_path: Path, tokens: TokenServer) -> None:
    authority = Authority(tmp_path / "authority")
    issued = authority.issue("gcs")
    options = ["-cert-location", issued.cert_file, "-private-key-location", issued.key_file]
    server = Gcs(tmp_path / "server", options=options)
    with server.process:
        stranger = await failure(storage(server.url, anonymous=True))
        assert isinstance(stranger, ConfigError)
        assert "ca_file" in str(stranger.hint)
        known = await failure(storage(server.url, key=account_key(tokens.url), ca_file=authority.ca_file))
        assert isinstance(known, NotFoundError), "the bucket is missing, but TLS stands"


async def test_a_file_without_certificates_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        error = await failure(storage("https://127.0.0.1:9", anonymous=True, ca_file=tmp_path / name))
        assert isinstance(error, ConfigError)
        assert name in str(error)


async def test_a_refused_call_frees_its_connection_when_there_is_no_other_token(tokens: TokenServer) -> None:
    async with asyncio.timeout(120), ReplayServer.running(_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        server.always, tokens.status = HttpReply(status=401, hang=True), 400
        with pytest.raises(UnauthenticatedError) as raised:
            await connector.ping()
        # The error keeps everything alive that was in use.
        await server.wait_until_busy(0)
        assert raised.value.hint
        await connector.stop()


async def test_a_call_that_waits_for_a_token_is_not_cancelled_by_a_stop(tokens: TokenServer) -> None:
    tokens.lifetime = -1
    async with ReplayServer.running(always=_LIST) as server:
        connector = storage(server.url, key=account_key(tokens.url))
        await connector.start()
        call = asyncio.create_task(connector.ping())
        await asyncio.sleep(0)
        await connector.stop()
        await asyncio.wait({call})
        assert isinstance(call.exception(), ConnectorError)


async def test_a_stop_that_is_cancelled_closes_all_connections(tokens: TokenServer) -> None:
    tokens.lifetime = -1
    async with (
        asyncio.timeout(120),
        ReplayServer.running(always=_LIST) as server,
        FaultProxy.before(server.port) as proxy,
    ):
        connector = storage(f"http://127.0.0.1:{proxy.port}", key=account_key(tokens.url))
        await connector.start()
        await proxy.wait_until_open(1)
        waiting, stop = asyncio.create_task(connector.ping()), asyncio.create_task(connector.stop())
        await asyncio.sleep(0)
        stop.cancel()
        await asyncio.gather(waiting, stop, return_exceptions=True)
        await proxy.wait_until_open(0)


async def test_the_project_of_the_credentials_is_named_with_every_request(
    tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.json"
    file.write_text(account_key(tokens.url))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "theirs")
    async with ReplayServer.running(always=_LIST) as server:
        for other in ({}, {"project": "ours"}):
            connector = storage(server.url, **other)
            await connector.start()
            await connector.stop()
        assert [request.headers["x-goog-user-project"] for request in server.requests] == ["theirs", "ours"]


async def test_a_machine_whose_metadata_cannot_be_reached_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", "127.0.0.1:9")
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    monkeypatch.setattr("sre_gcp.credentials.load", lambda settings: Credentials())
    assert isinstance(await failure(storage("http://127.0.0.1:9")), UnavailableError)
