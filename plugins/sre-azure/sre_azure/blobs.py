"""What Azure tells of a blob, and what we tell Azure: pure functions from its properties to ours and back."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sre_azure.metadata import EXPIRES, WRITTEN, unpacked
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConnectorError

__all__ = ["Stored", "etag_of", "expiry_metadata", "stored", "version_of"]

_UNTIL = ";until="
_MARK = '"'
_ETAG = re.compile(r'"[!#-~]+"')  # not "*", which stands for any
_GRACE = 60.0  # seconds that an expired blob is left alone: clocks differ, and others may still want to prolong it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as the container has it, expired or not."""

    info: ObjectInfo
    etag: str
    kept: Mapping[str, str]
    """Its metadata as they are stored."""

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.info.expires is not None and self.info.expires <= time.time()

    @property
    def forgotten(self) -> bool:
        """Whether its time is over for everybody, so that it may be removed."""
        return self.info.expires is not None and self.info.expires + _GRACE <= time.time()


def stored(properties: Any, key: str) -> Stored:
    """Read a blob's properties, as `BlobProperties` has them. Raises ConnectorError when they are none."""
    try:
        kept, etag = dict(properties.metadata or {}), _quoted(properties.etag)
        expires, written = _number(kept.get(EXPIRES)), _number(kept.get(WRITTEN))
        return Stored(
            info=ObjectInfo(
                key=key,
                size=int(properties.size),
                version=version_of(etag, expires),
                modified=properties.last_modified.timestamp() if written is None else written,
                content_type=properties.content_settings.content_type or "application/octet-stream",
                metadata=unpacked(kept),
                expires=expires,
            ),
            etag=etag,
            kept=kept,
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise ConnectorError(
            f"the properties of {key!r} are none of Azure Blob Storage", hint="check the setting `endpoint`"
        ) from error


def version_of(etag: str, expires: float | None) -> str:
    """The version of a blob: its ETag, and its expiry if it has one, so that a version knows when it is over."""
    return _quoted(etag) if expires is None else f"{_quoted(etag)}{_UNTIL}{expires!r}"


def etag_of(version: str) -> str | None:
    """The ETag that a version stands for; None when it is over, or never was one."""
    etag, _, until = version.partition(_UNTIL)
    expires = _number(until)
    return etag if _ETAG.fullmatch(etag) and (expires is None or expires > time.time()) else None


def expiry_metadata(found: Stored, expires: float | None) -> dict[str, str]:
    """All metadata of a blob that is to expire at `expires`, or never; the time of its write stays what it was."""
    kept = {name: value for name, value in found.kept.items() if name != EXPIRES}
    kept[WRITTEN] = repr(found.info.modified)
    return kept if expires is None else {**kept, EXPIRES: repr(expires)}


def _quoted(etag: str) -> str:
    # Lists leave the quotation marks out.
    return f'"{etag.strip().strip(_MARK)}"'


def _number(text: str | None) -> float | None:
    """What we have written; None for what somebody else has."""
    try:
        return float(text or "")
    except ValueError:
        return None
