"""What is derived from credentials, such as tokens and signatures, and that no log shows it, even at DEBUG."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from sre_core.testing.replay import HttpReply, ReplayServer
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import TokenServer, account_key  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

_LIST = HttpReply.json({"kind": "storage#objects"})
_OBJECT = HttpReply.json({"size": "1", "generation": "7", "metageneration": "1", "timeCreated": "2026-11-27T10:00:00Z"})
_SIGNED = HttpReply.json({"keyId": "k", "signedBlob": "c2lnbmF0dXJl"})
_REFUSED = HttpReply.json({"error": {"message": "Invalid Credentials"}}, status=401)


class Records(logging.Handler):
    """Keeps all that is logged, with what libraries attach for those who log as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f"{record.getMessage()} {record.__dict__}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that is logged, at DEBUG."""
    records = Records()
    # Google's logger passes nothing up unless it is configured itself.
    loggers = [logging.getLogger(), logging.getLogger("google")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(records)
    yield records.kept
    for logger, (level, propagate) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.removeHandler(records)


@asynccontextmanager
async def used(**credentials: object) -> AsyncIterator[GcsStorage]:
    """A connector that has written and linked an object, and whose token was refused once."""
    async with ReplayServer.running(_LIST, _REFUSED, always=_OBJECT) as server:
        given = {"bucket": "bucket", "endpoint": server.url, "retries": 0, **credentials}
        connector = GcsStorage(GcsSettings.model_validate(given))
        try:
            await connector.start()
            await connector.write("a", b"1")
            yield connector
        finally:
            await connector.stop()


async def test_neither_the_tokens_of_an_account_nor_what_they_are_asked_for_with_are_logged(logged: list[str]) -> None:
    with TokenServer.running(token="secret-token") as tokens:
        async with used(key=account_key(tokens.url)) as connector:
            signature = (await connector.url("a", 60)).rpartition("=")[2]
        assert tokens.given == 2
        secrets = ("secret-token", "PRIVATE KEY", signature, *tokens.assertions)
    assert logged
    assert [line for line in logged if any(secret in line for secret in secrets)] == []


async def test_neither_the_tokens_of_a_machine_nor_its_signatures_are_logged(
    logged: list[str], machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with TokenServer.running(token="secret-token") as tokens:
        machine(tokens.host)
        async with used() as connector, ReplayServer.running(_SIGNED) as signer:
            monkeypatch.setattr("sre_gcp.links.SIGNER", signer.url)
            link = await connector.url("a", 60)
        assert tokens.given == 2
    assert link.endswith(b"signature".hex())
    secrets = ("secret-token", b"signature".hex(), "c2lnbmF0dXJl")
    assert logged
    assert [line for line in logged if any(secret in line for secret in secrets)] == []
