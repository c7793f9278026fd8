"""Objects with names: what a plugin writes (StorageConnector) and what a user holds (Storage)."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from sre_core.access.acl import Access
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.handle import Handle
from sre_core.errors import ConfigError, NotFoundError

__all__ = ["NEW", "ObjectInfo", "Storage", "StorageConnector"]

NEW = ""
"""As `if_version`: only if the object does not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What is known of an object. Times are seconds since the epoch; `version` changes with every write."""

    key: str
    size: int
    version: str
    modified: float
    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    expires: float | None = None


class StorageConnector(Connector):
    """Stores objects under keys.

    A key is a path of plain names, "agent/a1/notes.txt", that the guard has checked; keys that differ in any
    byte are different objects, also on a file system that ignores case, and "a" and "a/b" may both exist.
    A write is all or nothing: readers, also after a crash, see the old object or the new one. A missing object
    raises NotFoundError; an expired one is missing. Capabilities: "stream" (objects larger than memory),
    "expire", "url", "condition" (`if_version`).
    """

    service = Service.STORAGE

    @abstractmethod
    async def read(self, key: str) -> bytes:
        """The whole object."""

    @abstractmethod
    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object, replacing what was there with its metadata and expiry.

        With `if_version` (capability "condition"), raises ConflictError unless the object has that version;
        `NEW` means that it must not exist.
        """

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""

    @abstractmethod
    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object, without its bytes."""

    @abstractmethod
    def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix`, compared by segments ("a" lists "a/b", never "ab"), in order of key.

        The empty prefix lists everything; an unknown one lists nothing.
        """

    def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces. Capability "stream"."""
        raise self.unsupported("stream")

    async def write_stream(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Like `write`, from pieces; nothing is stored when `chunks` raises. Capability "stream"."""
        raise self.unsupported("stream")

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. Capability "expire"."""
        raise self.unsupported("expire")

    async def url(self, key: str, seconds: float) -> str:
        """A link that anyone can read the object with, for `seconds`. Capability "url"."""
        raise self.unsupported("url")


class Storage(Handle):
    """Objects, as one candidate may use them; paths lie in its own home unless `of` says otherwise."""

    service = Service.STORAGE

    @property
    def _connector(self) -> StorageConnector:
        return self._slot.connector  # type: ignore[return-value]  # the runtime pairs slots with handles by service

    async def read(self, path: str) -> bytes:
        """The whole object. Raises NotFoundError. Needs READ."""
        async with self._operation("read", Access.READ, path):
            return await self._connector.read(self._key(path))

    async def read_text(self, path: str) -> str:
        """The object as UTF-8 text. Raises NotFoundError, UnicodeDecodeError. Needs READ."""
        return (await self.read(path)).decode()

    async def write(
        self,
        path: str,
        data: bytes | str,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object, all or nothing; text is stored as UTF-8. Raises ConfigError on other data. Needs WRITE.

        `if_version` raises ConflictError unless the object still has that version (`NEW`: does not exist).
        """
        text = isinstance(data, str)
        if not text and not isinstance(data, bytes):
            raise ConfigError(
                f"a storage keeps bytes or text, not {type(data).__name__}", hint="json.dumps(...) makes text of data"
            )
        async with self._operation("write", Access.WRITE, path):
            if if_version is not None and "condition" not in self.capabilities:
                raise self._connector.unsupported("condition")
            info = await self._connector.write(
                self._key(path),
                data.encode() if isinstance(data, str) else data,
                content_type=content_type or ("text/plain; charset=utf-8" if text else "application/octet-stream"),
                metadata=metadata,
                if_version=if_version,
            )
        return self._relative(info)

    async def delete(self, path: str) -> None:
        """Remove an object; a missing one is not an error. Needs WRITE."""
        async with self._operation("delete", Access.WRITE, path):
            await self._connector.delete(self._key(path))

    async def stat(self, path: str) -> ObjectInfo:
        """What is known of an object. Raises NotFoundError. Needs READ."""
        async with self._operation("stat", Access.READ, path):
            return self._relative(await self._connector.stat(self._key(path)))

    async def exists(self, path: str) -> bool:
        """Whether the object exists. Needs READ."""
        try:
            await self.stat(path)
        except NotFoundError:
            return False
        return True

    async def list(self, prefix: str = "") -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix`, by default the whole home, in order of key. Needs READ on `prefix`.

        What the candidate may not read is left out.
        """
        items = self._stream("list", Access.READ, prefix, lambda: self._connector.list(self._prefix(prefix)))
        async with aclosing(items):
            async for found in items:
                info = self._relative(found)
                if await self._sees(info.key):
                    yield info

    def read_stream(self, path: str) -> AsyncGenerator[bytes]:
        """The object in pieces; use it inside `contextlib.aclosing`. Capability "stream"; needs READ."""
        return self._stream("read_stream", Access.READ, path, lambda: self._connector.read_stream(self._key(path)))

    async def write_stream(
        self,
        path: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object from pieces, all or nothing. Capability "stream"; needs WRITE.

        `chunks` may take their time; what they raise is raised, and nothing is stored.
        """
        async with (
            self._operation("write_stream", Access.WRITE, path) as operation,
            aclosing(operation.paced(chunks)) as paced,
        ):
            info = await self._connector.write_stream(
                self._key(path), paced, content_type=content_type, metadata=metadata
            )
        return self._relative(info)

    async def expire(self, path: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. Capability "expire"; needs WRITE."""
        async with self._operation("expire", Access.WRITE, path):
            await self._connector.expire(self._key(path), seconds)

    async def url(self, path: str, seconds: float = 3600) -> str:
        """A link that anyone can read the object with, for `seconds`. Capability "url"; needs OWN."""
        async with self._operation("url", Access.OWN, path):
            return await self._connector.url(self._key(path), seconds)

    def _relative(self, info: ObjectInfo) -> ObjectInfo:
        """The same, with its key as a path of this handle."""
        # Not dataclasses.replace: it costs as much as a small read.
        return ObjectInfo(
            key=info.key.split("/", 2)[2],
            size=info.size,
            version=info.version,
            modified=info.modified,
            content_type=info.content_type,
            metadata=info.metadata,
            expires=info.expires,
        )
