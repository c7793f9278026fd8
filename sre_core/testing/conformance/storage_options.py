"""The rules of a storage that declares "expire", "condition" or "url"."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.request import urlopen

import pytest
from anyio import to_thread

from sre_core.connectors.storage import NEW, StorageConnector
from sre_core.errors import ConflictError, NotFoundError, UnsupportedError
from sre_core.testing.conformance.storage_rules import StorageRules

__all__ = ["StorageOptions"]

_BRIEF = 0.05  # seconds; an expiry that is waited for
_LONG = 3600.0  # seconds; one that no test lives to see the end of
_TOLERANCE = 600.0  # seconds that the clocks of two machines may differ


class StorageOptions(StorageRules):
    """Part of StorageConformance, which is the class to subclass."""

    # Capability "expire"

    async def test_without_the_capability_expire_is_unsupported(self, storage: StorageConnector) -> None:
        """Declared, it works; not declared, it raises UnsupportedError."""
        await storage.write(self.key("object"), b"1")
        if "expire" in storage.capabilities:
            await storage.expire(self.key("object"), _LONG)
            return
        with pytest.raises(UnsupportedError):
            await storage.expire(self.key("object"), _LONG)

    async def test_stat_tells_when_an_object_expires(self, storage: StorageConnector) -> None:
        """In seconds since the epoch; the later call counts."""
        if "expire" not in storage.capabilities:
            return
        await storage.write(self.key("object"), b"1")
        for seconds in (_LONG, 9 * _LONG, 2 * _LONG):
            await storage.expire(self.key("object"), seconds)
            expires = (await storage.stat(self.key("object"))).expires
            assert expires is not None, "the object never expires"
            assert abs(expires - time.time() - seconds) < _TOLERANCE, f"it expires at {expires!r}"

    async def test_expire_with_none_means_never(self, storage: StorageConnector) -> None:
        """Whatever was said before."""
        if "expire" not in storage.capabilities:
            return
        await storage.write(self.key("object"), b"1")
        await storage.expire(self.key("object"), _LONG)
        await storage.expire(self.key("object"), None)
        assert (await storage.stat(self.key("object"))).expires is None

    async def test_expire_leaves_the_object_as_it_is(self, storage: StorageConnector) -> None:
        """Its bytes, content type and metadata stay."""
        if "expire" not in storage.capabilities:
            return
        data = b"\x00\n" * 100_000
        await storage.write(self.key("object"), data, content_type="text/csv", metadata={"a": "1"})
        await storage.expire(self.key("object"), _LONG)
        found = await storage.stat(self.key("object"))
        assert (found.size, found.content_type, dict(found.metadata)) == (len(data), "text/csv", {"a": "1"})
        assert await storage.read(self.key("object")) == data

    async def test_expire_of_a_missing_object_is_not_found(self, storage: StorageConnector) -> None:
        """It raises NotFoundError."""
        if "expire" not in storage.capabilities:
            return
        for seconds in (_LONG, None):
            with pytest.raises(NotFoundError):
                await storage.expire(self.key("missing"), seconds)

    async def test_an_expired_object_cannot_be_read(self, storage: StorageConnector) -> None:
        """`read` raises NotFoundError."""
        await self._vanishes(storage, lambda: storage.read(self.key("object")))

    async def test_stat_of_an_expired_object_is_not_found(self, storage: StorageConnector) -> None:
        """It raises NotFoundError."""
        await self._vanishes(storage, lambda: storage.stat(self.key("object")))

    async def test_expire_does_not_bring_an_expired_object_back(self, storage: StorageConnector) -> None:
        """It raises NotFoundError."""
        if "expire" not in storage.capabilities:
            return
        await self._expired(storage)
        with pytest.raises(NotFoundError):
            await storage.expire(self.key("object"), None)

    async def test_list_leaves_out_what_expired(self, storage: StorageConnector) -> None:
        """And keeps the rest."""
        if "expire" not in storage.capabilities:
            return
        await storage.write(self.key("other"), b"1")
        await storage.write(self.key("object"), b"1")
        await storage.expire(self.key("object"), _BRIEF)
        async with asyncio.timeout(self.patience):
            while True:
                if await self.listed(storage, "") == ["other"]:
                    return
                await asyncio.sleep(0)

    async def test_an_expired_object_cannot_be_read_in_pieces(self, storage: StorageConnector) -> None:
        """The first piece raises NotFoundError."""
        if not {"expire", "stream"} <= storage.capabilities:
            return
        await self._expired(storage)
        with pytest.raises(NotFoundError):
            _ = [piece async for piece in storage.read_stream(self.key("object"))]

    async def test_writing_again_takes_the_expiry_away(self, storage: StorageConnector) -> None:
        """Before and after the object has expired."""
        if "expire" not in storage.capabilities:
            return
        for expired in (False, True):
            await storage.write(self.key("object"), b"old")
            await storage.expire(self.key("object"), _LONG)
            if expired:
                await self._expired(storage)
            await storage.write(self.key("object"), b"new")
            assert (await storage.stat(self.key("object"))).expires is None
            assert await storage.read(self.key("object")) == b"new"

    async def _vanishes(self, storage: StorageConnector, look: Callable[[], Awaitable[object]]) -> None:
        """Let an object expire, and look for it until it is not found; no clock but the backend's says when."""
        if "expire" not in storage.capabilities:
            return
        await storage.write(self.key("object"), b"1")
        await storage.expire(self.key("object"), _BRIEF)
        async with asyncio.timeout(self.patience):
            while True:
                try:
                    await look()
                except NotFoundError:
                    return
                await asyncio.sleep(0)

    async def _expired(self, storage: StorageConnector) -> None:
        """Let an object expire, and wait until it is."""

        async def look() -> None:
            # One of both is enough: that both say so is a rule of its own.
            await storage.stat(self.key("object"))
            await storage.read(self.key("object"))

        await self._vanishes(storage, look)

    # Capability "condition"

    async def test_without_the_capability_conditions_are_unsupported(self, storage: StorageConnector) -> None:
        """Declared, they work; not declared, a write with `if_version` raises UnsupportedError and writes nothing."""
        if "condition" in storage.capabilities:
            assert (await storage.write(self.key("object"), b"1", if_version=NEW)).version
            return
        with pytest.raises(UnsupportedError):
            await storage.write(self.key("object"), b"1", if_version=NEW)
        with pytest.raises(NotFoundError):
            await storage.stat(self.key("object"))

    async def test_new_writes_only_what_does_not_exist(self, storage: StorageConnector) -> None:
        """Else it raises ConflictError, and the object stays."""
        if "condition" not in storage.capabilities:
            return
        await storage.write(self.key("object"), b"first", if_version=NEW)
        with pytest.raises(ConflictError):
            await storage.write(self.key("object"), b"second", if_version=NEW)
        assert await storage.read(self.key("object")) == b"first"

    async def test_a_write_with_the_version_that_is_there_succeeds(self, storage: StorageConnector) -> None:
        """The version may come from `write`, or from `stat`."""
        if "condition" not in storage.capabilities:
            return
        first = await storage.write(self.key("object"), b"1")
        await storage.write(self.key("object"), b"2", if_version=first.version)
        second = await storage.stat(self.key("object"))
        await storage.write(self.key("object"), b"3", if_version=second.version)
        assert await storage.read(self.key("object")) == b"3"

    async def test_a_write_with_an_older_version_is_a_conflict(self, storage: StorageConnector) -> None:
        """It raises ConflictError, and the object stays with its metadata."""
        if "condition" not in storage.capabilities:
            return
        first = await storage.write(self.key("object"), b"1")
        second = await storage.write(self.key("object"), b"2", metadata={"a": "1"})
        with pytest.raises(ConflictError):
            await storage.write(self.key("object"), b"3", if_version=first.version)
        found = await storage.stat(self.key("object"))
        assert (found.version, dict(found.metadata)) == (second.version, {"a": "1"})
        assert await storage.read(self.key("object")) == b"2"

    async def test_a_version_of_a_missing_object_is_a_conflict(self, storage: StorageConnector) -> None:
        """Also when it was deleted since; and NEW is free again then."""
        if "condition" not in storage.capabilities:
            return
        gone = await storage.write(self.key("object"), b"1")
        await storage.delete(self.key("object"))
        for name in ("object", "missing"):
            with pytest.raises(ConflictError):
                await storage.write(self.key(name), b"2", if_version=gone.version)
            with pytest.raises(NotFoundError):
                await storage.stat(self.key(name))
        await storage.write(self.key("object"), b"3", if_version=NEW)

    async def test_an_expired_object_counts_as_new(self, storage: StorageConnector) -> None:
        """A write with NEW succeeds once the old object has expired."""
        if not {"condition", "expire"} <= storage.capabilities:
            return
        await storage.write(self.key("object"), b"old")
        await storage.expire(self.key("object"), _BRIEF)
        async with asyncio.timeout(self.patience):
            while True:
                try:
                    await storage.write(self.key("object"), b"new", if_version=NEW)
                except ConflictError:
                    await asyncio.sleep(0)
                    continue
                break
        assert await storage.read(self.key("object")) == b"new"

    async def test_one_of_many_writes_with_the_same_version_wins(self, storage: StorageConnector) -> None:
        """The others raise ConflictError, and the object is the winner's; so counting loses nothing."""
        if "condition" not in storage.capabilities:
            return
        version = NEW

        async def attempt(digit: int) -> int | None:
            try:
                await storage.write(self.key("object"), str(digit).encode(), if_version=version)
            except ConflictError:
                return None
            return digit

        for _ in range(3):
            async with asyncio.timeout(self.patience):
                winners = [won for won in await asyncio.gather(*map(attempt, range(8))) if won is not None]
            assert len(winners) == 1, f"{len(winners)} writes with one version succeeded"
            assert await storage.read(self.key("object")) == str(winners[0]).encode()
            version = (await storage.stat(self.key("object"))).version

    # Capability "url"

    async def test_a_url_opens_the_object_for_anybody(self, storage: StorageConnector) -> None:
        """Declared, the link leads to the bytes, without credentials; not declared, it raises UnsupportedError."""
        await storage.write(self.key("a b/\u00e4.txt"), b"linked")
        if "url" not in storage.capabilities:
            with pytest.raises(UnsupportedError):
                await storage.url(self.key("a b/\u00e4.txt"), _LONG)
            return
        link = await storage.url(self.key("a b/\u00e4.txt"), _LONG)
        assert await to_thread.run_sync(_fetch, link) == b"linked"


def _fetch(link: str) -> bytes:
    with urlopen(link, timeout=30) as reply:  # noqa: S310 -- the connector under test made it
        data: bytes = reply.read()
    return data
