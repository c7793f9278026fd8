"""Credentials of the machine and TLS: a managed identity, keys to sign links with, authorities that are trusted."""

import asyncio
import base64
import json
import logging
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen

import pytest
from anyio import to_thread
from azure.storage.blob.aio import BlobServiceClient

from sre_azure import AzureSettings, AzureStorage
from sre_core.errors import (
    ConfigError,
    ConnectorError,
    DeadlineError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.certificates import Authority
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port

from .azurite import ACCOUNT, KEY, Azurite  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Azurite]:
    """A server with TLS, which takes tokens as well as keys."""
    issued = authority.issue("azurite")
    options = ["--oauth", "basic", "--cert", issued.cert_file, "--key", issued.key_file]
    server = Azurite(tmp_path_factory.mktemp("secure"), options=options, scheme="https")
    with server.process:
        yield server


def storage(server: Azurite, container: str, **other: Any) -> AzureStorage:
    given = {"container": container, "account": ACCOUNT, "endpoint": server.url, "retries": 0}
    return AzureStorage(AzureSettings.model_validate({**given, **other}))


async def made(server: Azurite, authority: Authority, name: str) -> str:
    """A new container, made with the key of the account."""
    async with server.service(connection_verify=str(authority.ca_file)) as service:
        await service.create_container(name)
    return name


def token(audience: str = "https://storage.azure.com", *, lifetime: int = 3600) -> HttpReply:
    """What the endpoint of a managed identity gives, as the page "Managed identities for App Service" has it.

    The server of the tests takes it for an hour, whatever its lifetime.
    """
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
        "oid": "11111111-1111-1111-1111-111111111111",
        "tid": "00000000-0000-0000-0000-000000000000",
    }
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims))
    text = b".".join((*parts, b"c2lnbmVk")).decode()
    return HttpReply.json(
        {"access_token": text, "expires_on": str(now + lifetime), "resource": audience, "token_type": "Bearer"}
    )


class Records(logging.Handler):
    """Keeps all that is logged, with what libraries attach for those who log as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = self.format(record)  # with the traceback, which debug logs of this library have
        self.kept.append(f"{trace} {record.__dict__}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that is logged, at DEBUG."""
    root, records = logging.getLogger(), Records()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(records)
    yield records.kept
    root.setLevel(level)
    root.removeHandler(records)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without credentials, to which a test adds some."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_HEADER", "anything")
    return monkeypatch


async def test_the_identity_of_the_machine_stores_and_signs_links(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    container = await made(secure, authority, "ambient")
    async with ReplayServer.running(always=token()) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, container, ca_file=authority.ca_file)
        await connector.start()
        try:
            assert "url" in connector.capabilities
            await connector.write("a b", b"linked")
            assert await connector.read("a b") == b"linked"
            keys = []

            async def counted(service: BlobServiceClient, **period: Any) -> Any:
                keys.append(period)
                return await asking(service, **period)

            asking = BlobServiceClient.get_user_delegation_key
            identity.setattr(BlobServiceClient, "get_user_delegation_key", counted)
            links = await asyncio.gather(*(connector.url("a b", 60) for _ in range(3)))
            assert len(keys) == 1
            with pytest.raises(ConfigError, match="a link cannot live"):
                await connector.url("a b", 8 * 86400)
        finally:
            await connector.stop()
        assert len(tokens.requests) == 1
    assert all("skoid=11111111" in link for link in links)


async def test_an_identity_that_the_service_refuses_is_named_as_such(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    container = await made(secure, authority, "refused")
    async with ReplayServer.running(always=token("https://elsewhere.example")) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, container, ca_file=authority.ca_file)
        with pytest.raises(UnauthenticatedError):
            await connector.start()
        await connector.stop()


async def test_a_machine_without_an_identity_is_told_so(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    async with ReplayServer.running(always=HttpReply.json({"error": "no identity"}, status=400)) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, "any", ca_file=authority.ca_file)
        with pytest.raises(UnauthenticatedError, match="the credentials cannot be used"):
            await connector.start()
        await connector.stop()


async def test_neither_tokens_of_the_machine_nor_what_is_made_with_them_are_logged(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch, logged: list[str]
) -> None:
    container = await made(secure, authority, "logged")
    given = token(lifetime=-1)
    async with ReplayServer.running(always=given) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        identity.setenv("IDENTITY_HEADER", "secret-of-the-machine")
        connector = storage(secure, container, ca_file=authority.ca_file)
        await connector.start()
        await connector.write("a", b"1")
        link = await connector.url("a", 60)
        tokens.always = HttpReply.json({"error": "not now"}, status=503)
        with pytest.raises(UnavailableError):
            await connector.read("a")
        await connector.stop()
        assert tokens.requests[0].headers["X-IDENTITY-HEADER"] == "secret-of-the-machine"
    signature = link.partition("sig=")[2].partition("&")[0]
    secrets = [json.loads(given.pieces[0])["access_token"], "secret-of-the-machine", signature, unquote(signature)]
    assert all(secrets)
    assert logged
    assert [line for line in logged if any(secret in line for secret in secrets)] == []


@pytest.mark.parametrize("after", ["nothing", "headers"])
async def test_an_identity_that_falls_silent_is_given_up(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch, after: str
) -> None:
    async with asyncio.timeout(120), ReplayServer.running(always=HttpReply(hang=True)) as tokens:
        tokens.hold_for = 2 if after == "nothing" else 0
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, "any", ca_file=authority.ca_file, timeout=3)
        with pytest.raises(DeadlineError, match=f"{tokens.url}/msi/token did not answer in time"):
            await connector.start()
        await connector.stop()
        assert len(tokens.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(503, UnavailableError), (429, RateLimitedError)])
async def test_an_identity_that_is_busy_is_no_refusal(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch, status: int, kind: type[ConnectorError]
) -> None:
    busy = HttpReply.json({"error": "not now"}, status=status, headers={"Retry-After": "7"})
    async with ReplayServer.running(always=busy) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, "any", ca_file=authority.ca_file)
        with pytest.raises(kind, match="asking for a token failed") as raised:
            await connector.start()
        await connector.stop()
        assert getattr(raised.value, "retry_after", None) == 7
        assert len(tokens.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (HttpReply(hang=True), DeadlineError),
        (HttpReply(pieces=(b"{",), cut=True), UnavailableError),
        (HttpReply.json({"error": "not now"}, status=503), UnavailableError),
        (HttpReply.json({"error": "no identity"}, status=400), UnauthenticatedError),
        (HttpReply.json({}), UnauthenticatedError),
    ],
    ids=["silent", "cut", "503", "400", "nothing"],
)
async def test_an_identity_that_fails_later_is_told_from_the_storage(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch, reply: HttpReply, kind: type[ConnectorError]
) -> None:
    container = await made(secure, authority, f"later-{uuid.uuid4().hex}")
    async with asyncio.timeout(120), ReplayServer.running(token(lifetime=-1), reply, always=token()) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, container, ca_file=authority.ca_file, timeout=5)
        await connector.start()
        with pytest.raises(ConnectorError, match="asking for a token failed") as raised:
            await connector.ping()
        assert type(raised.value) is kind
        await connector.ping()
        await connector.stop()


async def test_an_identity_that_cannot_be_reached_is_unavailable(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    port = free_port()
    identity.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
    connector = storage(secure, "any", ca_file=authority.ca_file)
    with pytest.raises(UnavailableError, match=str(port)):
        await connector.start()
    await connector.stop()


async def test_a_virtual_machine_whose_metadata_fall_silent_is_told_so(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    identity.delenv("IDENTITY_HEADER")
    async with asyncio.timeout(120), ReplayServer.running(always=HttpReply(hang=True)) as metadata:
        identity.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.url)
        connector = storage(secure, "any", ca_file=authority.ca_file, timeout=3)
        with pytest.raises(DeadlineError, match=metadata.url):
            await connector.start()
        await connector.stop()


async def test_a_machine_outside_of_azure_has_no_identity(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    identity.delenv("IDENTITY_HEADER")
    identity.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", nobody)
    identity.setattr("sre_azure.identity._EVERYWHERE", nobody)
    connector = storage(secure, "any", ca_file=authority.ca_file)
    with pytest.raises(UnauthenticatedError, match="the credentials cannot be used"):
        await connector.start()
    await connector.stop()


async def test_an_identity_is_asked_again_as_often_as_retries_says(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    container = await made(secure, authority, "again")
    busy = HttpReply.json({"error": "not now"}, status=503, headers={"Retry-After": "0"})
    async with ReplayServer.running(busy, always=token()) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, container, ca_file=authority.ca_file, retries=1)
        await connector.start()
        await connector.stop()
        assert len(tokens.requests) == 2


async def test_a_token_that_has_expired_makes_the_next_call_ask_for_another(
    secure: Azurite, authority: Authority, identity: pytest.MonkeyPatch
) -> None:
    container = await made(secure, authority, "expired")
    async with ReplayServer.running(token(lifetime=-1), always=token()) as tokens:
        identity.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
        connector = storage(secure, container, ca_file=authority.ca_file)
        await connector.start()
        assert len(tokens.requests) == 1
        await asyncio.gather(*(connector.ping() for _ in range(2)))
        asked = len(tokens.requests)
        assert asked > 1, "the token that had expired was used"
        await connector.ping()
        await connector.stop()
        assert len(tokens.requests) == asked, "a good token was asked for again"


async def test_without_its_package_the_identity_of_the_machine_is_a_wrong_setting(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity.aio", None)
    connector = storage(azurite, "any")
    with pytest.raises(ConfigError, match="azure-identity") as raised:
        await connector.start()
    assert "sre-azure[identity]" in str(raised.value.hint)


async def test_a_server_is_trusted_by_its_authority_alone(secure: Azurite, authority: Authority) -> None:
    container = await made(secure, authority, "trusted")
    stranger = storage(secure, container, account_key=KEY)
    with pytest.raises(ConfigError, match="no TLS with") as raised:
        await stranger.start()
    assert "ca_file" in str(raised.value.hint)
    await stranger.stop()
    connector = storage(secure, container, account_key=KEY, ca_file=authority.ca_file)
    await connector.start()
    await connector.write("a", b"1")
    link = await connector.url("a", 60)
    await connector.stop()
    assert link.startswith("https://")


async def test_a_file_without_certificates_is_a_wrong_setting(azurite: Azurite, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        connector = storage(azurite, "any", account_key=KEY, ca_file=tmp_path / name)
        with pytest.raises(ConfigError, match=name):
            await connector.start()
        await connector.stop()


@pytest.mark.parametrize("text", ["s3cret-words", "AccountName=a;s3cret-words", "AccountName=;AccountKey=s3cret-words"])
async def test_a_connection_string_that_is_none_is_a_wrong_setting_and_not_shown(text: str) -> None:
    connector = AzureStorage(AzureSettings.model_validate({"container": "any", "connection_string": text}))
    with pytest.raises((ConfigError, UnauthenticatedError)) as raised:
        await connector.start()
    await connector.stop()
    assert "s3cret" not in f"{raised.value} {raised.value.hint} {raised.value.__cause__!r}"


async def test_a_link_opens_an_object_whose_name_azure_would_shorten(azurite: Azurite) -> None:
    connector = storage(azurite, await to_thread.run_sync(azurite.container), account_key=KEY)
    await connector.start()
    await connector.write("a.", b"dotted")
    link = await connector.url("a.", 60)
    await connector.stop()

    def fetch() -> bytes:
        with urlopen(link, timeout=30) as reply:
            data: bytes = reply.read()
        return data

    assert await to_thread.run_sync(fetch) == b"dotted"
