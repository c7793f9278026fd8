"""A cache in one JSON file."""

import asyncio
import threading
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sre_core.connectors.base import Settings
from sre_core.connectors.cache import CacheConnector
from sre_core.errors import ConnectorError, NotFoundError

__all__ = ["JsonCache", "JsonCacheSettings"]


class JsonCacheSettings(Settings):
    """Where the file lies; its folder is made when it is missing."""

    file: Path


class _Entry(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    value: bytes
    expires: float | None  # seconds since the epoch

    @property
    def live(self) -> bool:
        return self.expires is None or self.expires > time.time()


class _File(BaseModel):
    entries: dict[str, _Entry] = {}


class JsonCache(CacheConnector):
    """Keeps a small cache in one JSON file, for one process: each change writes the whole file.

    Nothing stays open between two calls, so there is nothing to stop.
    """

    name = "json"
    settings_type = JsonCacheSettings

    def __init__(self, settings: JsonCacheSettings) -> None:
        """Remember where the file lies."""
        super().__init__(settings)
        self._file = settings.file
        self._entries: dict[str, _Entry] = {}
        # Not an asyncio.Lock: a cancelled call ends at once, but its thread still has to finish writing.
        self._lock = threading.Lock()

    async def start(self) -> None:
        """Read the file. Raises ConnectorError when it cannot be read, or is not ours."""
        self._entries = await asyncio.to_thread(self._read)

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and entry.live else None

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep a value."""
        entry = _Entry(value=value, expires=None if ttl is None else time.time() + ttl)
        await asyncio.to_thread(self._change, key, entry)

    async def delete(self, key: str) -> None:
        """Forget a key."""
        await asyncio.to_thread(self._change, key, None)

    async def expires_in(self, key: str) -> float | None:
        """Seconds until the key expires. Raises NotFoundError."""
        entry = self._entries.get(key)
        if entry is None or not entry.live:
            raise NotFoundError(f"no key {key!r} in the cache")
        return None if entry.expires is None else entry.expires - time.time()

    def _read(self) -> dict[str, _Entry]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return _File.model_validate_json(self._file.read_bytes()).entries if self._file.exists() else {}
        except (OSError, ValidationError) as error:
            raise ConnectorError(f"cannot read {str(self._file)!r}", hint="name another file, or delete it") from error

    def _change(self, key: str, entry: _Entry | None) -> None:
        with self._lock:
            entries = {name: old for name, old in self._entries.items() if name != key and old.live}
            if entry is not None:
                entries[key] = entry
            # The new file takes the old one's place as a whole: a crash leaves one or the other.
            draft = self._file.with_name(f"{self._file.name}.new")
            draft.write_text(_File(entries=entries).model_dump_json(indent=1))
            draft.replace(self._file)
            self._entries = entries
