"""The faults of HTTP, on a server that has them: while an object is read, described, written and listed."""

import json
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.replay import HttpReply
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import TokenServer, account_key  # noqa: TID252 -- the folder of tests is no package

_OBJECT = {
    "kind": "storage#objects",
    "name": "a",
    "size": "1",
    "generation": "7",
    "metageneration": "1",
    "timeCreated": "2026-11-27T10:00:00.000Z",
}
"""As the page "Objects: get" of the JSON API describes one, and a list of no objects at the same time."""


@pytest.fixture(scope="module")
def key_of_the_kit() -> Iterator[str]:
    """The key of an account whose token is the secret of the kit."""
    with TokenServer.running(token=HttpFaultConformance.secret) as tokens:
        yield account_key(tokens.url)


class GcsFaults(HttpFaultConformance):
    """Part of the classes below."""

    @pytest.fixture(autouse=True)
    def _account(self, key_of_the_kit: str) -> None:
        self._key = SecretStr(key_of_the_kit)

    def make_at(self, url: str) -> GcsStorage:
        return GcsStorage(GcsSettings(bucket="bucket", endpoint=url, key=self._key, retries=0))

    def good(self) -> HttpReply:
        # Enough of a body to be broken off in its middle.
        return HttpReply.json(_OBJECT, headers={"X-Goog-Generation": "7", "X-Goog-Metageneration": "1"})


class TestReading(GcsFaults):
    async def call(self, connector: GcsStorage) -> None:
        assert json.loads(await connector.read("a")) == _OBJECT


class TestDescribing(GcsFaults):
    async def call(self, connector: GcsStorage) -> None:
        assert (await connector.stat("a")).version == "7"


class TestWriting(GcsFaults):
    async def call(self, connector: GcsStorage) -> None:
        assert (await connector.write("a", b"1")).version == "7"


class TestListing(GcsFaults):
    async def call(self, connector: GcsStorage) -> None:
        assert [info async for info in connector.list("")] == []

    def good(self) -> HttpReply:
        return HttpReply.json({"kind": "storage#objects"})


class TestReadingInPieces(GcsFaults):
    async def call(self, connector: GcsStorage) -> None:
        async with aclosing(connector.read_stream("a")) as pieces:
            assert b"".join([piece async for piece in pieces])


class TestDeleting(GcsFaults):
    async def call(self, connector: GcsStorage) -> None:
        await connector.delete("a")
