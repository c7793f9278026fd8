"""Objects in the memory of this process: for tests, and for what need not last."""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import replace

from sre_core.builtin.local_paths import check_key
from sre_core.connectors.base import Settings
from sre_core.connectors.storage import NEW, ObjectInfo, StorageConnector
from sre_core.errors import ConflictError, NotFoundError

__all__ = ["MemoryStorage"]

_PIECE = 1 << 20


class MemoryStorage(StorageConnector):
    """A dictionary. Every connector has its own, and it is empty again after a restart of the process."""

    name = "memory"
    capabilities = frozenset({"stream", "expire", "condition"})

    def __init__(self, settings: Settings) -> None:
        """Start empty."""
        super().__init__(settings)
        self._objects: dict[str, tuple[bytes, ObjectInfo]] = {}

    async def read(self, key: str) -> bytes:
        """The whole object."""
        return self._get(key)[0]

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object, without its bytes."""
        return _copy(self._get(key)[1])

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""
        check_key(key)
        self._objects.pop(key, None)

    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object."""
        check_key(key)
        found = self._find(key)
        version = NEW if found is None else found[1].version
        if if_version not in {None, version}:
            raise ConflictError(
                f"{key!r} exists already"
                if if_version == NEW
                else f"{key!r} is not in version {if_version!r} any more",
                hint="read it again, and decide from what it holds now",
            )
        info = ObjectInfo(
            key=key,
            size=len(data),
            version=secrets.token_hex(8),
            modified=time.time(),
            content_type=content_type,
            metadata=dict(metadata or {}),
        )
        self._objects[key] = bytes(data), info
        return _copy(info)

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix` in order of key, as they were when it began."""
        if prefix:
            check_key(prefix)
            prefix += "/"
        for key in sorted(key for key in self._objects if key.startswith(prefix)):
            found = self._find(key)
            if found is not None:
                yield _copy(found[1])

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces of at most a mebibyte."""
        data = self._get(key)[0]
        for begin in range(0, len(data), _PIECE):
            yield data[begin : begin + _PIECE]

    async def write_stream(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object from pieces; all of it lies in memory."""
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
        return await self.write(key, bytes(gathered), content_type=content_type, metadata=metadata)

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. It keeps its version."""
        data, info = self._get(key)
        self._objects[key] = data, replace(info, expires=None if seconds is None else time.time() + seconds)

    def _get(self, key: str) -> tuple[bytes, ObjectInfo]:
        check_key(key)
        found = self._find(key)
        if found is None:
            raise NotFoundError(f"there is no object {key!r}", hint="list its folder to see what is there")
        return found

    def _find(self, key: str) -> tuple[bytes, ObjectInfo] | None:
        found = self._objects.get(key)
        if found is not None and found[1].expires is not None and found[1].expires <= time.time():
            del self._objects[key]
            return None
        return found


def _copy(info: ObjectInfo) -> ObjectInfo:
    """The same with metadata of its own, which the receiver may change."""
    return replace(info, metadata=dict(info.metadata))
