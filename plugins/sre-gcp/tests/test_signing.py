"""Links that Google signs, in the name of an account whose key this machine does not have."""

import asyncio
import base64
import hashlib
import json
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from sre_core.errors import (
    ConnectorError,
    DeadlineError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import ACCOUNT, TokenServer  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

_LIST = HttpReply.json({"kind": "storage#objects"})
_OBJECT = HttpReply.json({"size": "1", "generation": "7", "metageneration": "1", "timeCreated": "2026-11-27T10:00:00Z"})
_SIGNED = HttpReply.json({"keyId": "k", "signedBlob": base64.b64encode(b"signature").decode()})
"""As the page "Method: serviceAccounts.signBlob" of the IAM Service Account Credentials API has it."""

Signing = Callable[..., "asynccontextmanager[tuple[GcsStorage, ReplayServer]]"]


@pytest.fixture
def signing(machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Signing:
    """Starts a connector with the account of the machine; gives it, and the service that signs for it."""

    @asynccontextmanager
    async def starting(*replies: HttpReply, **other: object) -> AsyncIterator[tuple[GcsStorage, ReplayServer]]:
        with TokenServer.running() as tokens:
            machine(tokens.host)
            async with ReplayServer.running(_LIST, always=_OBJECT) as server, ReplayServer.running(*replies) as signer:
                monkeypatch.setattr("sre_gcp.links.SIGNER", signer.url)
                given = {"bucket": "bucket", "endpoint": server.url, "project": "billed", "retries": 0, **other}
                connector = GcsStorage(GcsSettings.model_validate(given))
                try:
                    await connector.start()
                    yield connector, signer
                finally:
                    await connector.stop()

    return starting


async def test_a_link_carries_the_signature_that_google_made_of_it(signing: Signing) -> None:
    async with signing(_SIGNED) as (connector, signer):
        assert "url" in connector.capabilities
        link = urlsplit(await connector.url("a b", 60))
        asked = signer.requests[0]
    query, _, signature = link.query.partition("&X-Goog-Signature=")
    assert bytes.fromhex(signature) == b"signature"
    assert f"X-Goog-Credential={ACCOUNT.replace('@', '%40')}%2F" in query
    canonical = f"GET\n{link.path}\n{query}\nhost:{link.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    payload = base64.b64decode(json.loads(asked.body)["payload"]).decode()
    assert payload.splitlines()[-1] == hashlib.sha256(canonical.encode()).hexdigest()
    assert (asked.method, asked.path) == ("POST", f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signBlob")
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert "x-goog-user-project" not in asked.headers, "the project is the one that storage is counted for"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (HttpReply.json({"error": {"message": "not now"}}, status=429, headers={"Retry-After": "7"}), RateLimitedError),
        (HttpReply.json({"error": {"message": "not now"}}, status=503), UnavailableError),
        (HttpReply.json({"error": {"message": "no role: token-1"}}, status=403), UnauthenticatedError),
        (HttpReply.json({"error": {"message": "Unknown service account"}}, status=404), UnauthenticatedError),
        (HttpReply.json({"error": {"message": "Invalid form: token-1"}}, status=400), ConnectorError),
        (HttpReply.json({}), ConnectorError),
        (HttpReply.json({"signedBlob": ""}), ConnectorError),
        (HttpReply.json({"signedBlob": "no base 64"}), ConnectorError),
        (HttpReply.text("<html>nginx</html>", content_type="text/html"), ConnectorError),
        (HttpReply(pieces=(b'{"signedBlob":',), cut=True), UnavailableError),
    ],
    ids=["429", "503", "403", "404", "400", "nothing", "empty", "garbage", "page", "cut"],
)
async def test_a_signature_that_does_not_come_raises_what_the_reply_means(
    signing: Signing, reply: HttpReply, kind: type[ConnectorError]
) -> None:
    async with signing(reply) as (connector, _):
        with pytest.raises(ConnectorError, match="signing a link to 'a' failed") as raised:
            await connector.url("a", 60)
    error = raised.value
    assert type(error) is kind
    assert error.retryable is (kind in {RateLimitedError, UnavailableError})
    assert getattr(error, "retry_after", None) == (7 if kind is RateLimitedError else None)
    assert ("serviceAccountTokenCreator" in str(error.hint)) is (kind is UnauthenticatedError)
    assert "token-1" not in "".join(traceback.format_exception(error))


async def test_a_service_that_signs_nothing_in_time_is_given_up(signing: Signing) -> None:
    async with asyncio.timeout(120), signing(HttpReply(hang=True), timeout=3) as (connector, _):
        with pytest.raises(DeadlineError, match="signing a link"):
            await connector.url("a", 60)


async def test_a_signature_is_asked_for_again_when_that_may_help(signing: Signing) -> None:
    busy = HttpReply.json({"error": {"message": "not now"}}, status=503)
    async with signing(busy, _SIGNED, retries=1) as (connector, signer):
        assert (await connector.url("a", 60)).endswith(b"signature".hex())
        assert len(signer.requests) == 2


async def test_a_link_that_is_waited_for_no_more_frees_its_connection(signing: Signing) -> None:
    async with asyncio.timeout(120), signing(HttpReply(hang=True)) as (connector, signer):
        call = asyncio.create_task(connector.url("a", 60))
        await signer.wait_until_busy(1)
        call.cancel()
        await asyncio.wait({call})
        assert call.cancelled()
        await signer.wait_until_busy(0)
