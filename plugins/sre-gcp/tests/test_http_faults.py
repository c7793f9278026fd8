"""The faults of HTTP, on a server that has them: while an object is read, described, written and listed."""

import json
from contextlib import aclosing

from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.replay import HttpReply
from sre_gcp import GcsSettings, GcsStorage

_OBJECT = {
    "kind": "storage#objects",
    "name": "a",
    "size": "1",
    "generation": "7",
    "metageneration": "1",
    "timeCreated": "2026-11-27T10:00:00.000Z",
}
"""As the page "Objects: get" of the JSON API describes one, and a list of no objects at the same time."""


class GcsFaults(HttpFaultConformance):
    """Part of the classes below."""

    def make_at(self, url: str) -> GcsStorage:
        return GcsStorage(GcsSettings(bucket="bucket", endpoint=url, anonymous=True, retries=0))

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
