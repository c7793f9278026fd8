"""What Google tells of an object, and what we tell Google: pure functions from their JSON to ours and back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sre_core.connectors.storage import NEW, ObjectInfo
from sre_core.errors import ConnectorError

__all__ = [
    "FIELDS",
    "Stored",
    "condition",
    "description",
    "exactly",
    "expiry_change",
    "first_condition",
    "stored",
    "untouched",
]

FIELDS = "name,size,generation,metageneration,timeCreated,contentType,crc32c,customTime,metadata"
"""The part of their description that `stored` reads."""

_EXPIRES = "sre-expires"
"""Holds the expiry, in seconds since the epoch. Names of the user's that begin as ours do are kept apart."""
_OURS = "sre-"
_THEIRS = "sre-user-"

_NEVER = "9999-12-31T23:59:59Z"
_LAST = 253402300799.0  # the same in seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as the bucket has it, expired or not."""

    info: ObjectInfo
    metageneration: str
    """Counts the changes of its description since it was written, from 1."""
    crc32c: str
    custom_time: float | None

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.info.expires is not None and self.info.expires <= time.time()


def stored(described: Any, key: str) -> Stored:
    """Read an object's description. Raises ConnectorError when it is none."""
    try:
        metadata, expires = _unpacked(described.get("metadata") or {})
        return Stored(
            info=ObjectInfo(
                key=key,
                size=int(described["size"]),
                version=str(int(described["generation"])),
                # `updated` would change with each change of the expiry.
                modified=_seconds(described["timeCreated"]),
                content_type=described.get("contentType") or "application/octet-stream",
                metadata=metadata,
                expires=expires,
            ),
            metageneration=str(described.get("metageneration", "")),
            crc32c=described.get("crc32c", ""),
            custom_time=_seconds(described["customTime"]) if described.get("customTime") else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConnectorError(
            f"the description of {key!r} is none of Google Cloud Storage", hint="check the setting `endpoint`"
        ) from error


def description(name: str, content_type: str, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """An object that is to be written, for them to store."""
    told: dict[str, Any] = {"name": name, "contentType": content_type}
    if metadata:
        told["metadata"] = {_packed_name(word): _packed_value(value) for word, value in metadata.items()}
    return told


def expiry_change(found: Stored, expires: float | None) -> dict[str, Any]:
    """The change that makes an object expire at `expires`, or never.

    The custom time lets a rule of the bucket's life cycle remove what has expired. It can neither be taken away nor
    be set back, so it never says less than the expiry does, and "never" is a time far away.
    """
    change: dict[str, Any] = {"metadata": {_EXPIRES: None if expires is None else repr(expires)}}
    if expires is not None and expires > (found.custom_time or 0):
        change["customTime"] = datetime.fromtimestamp(min(expires, _LAST), UTC).isoformat().replace("+00:00", "Z")
    elif expires is None and found.custom_time is not None:
        change["customTime"] = _NEVER
    return change


def untouched(headers: Mapping[str, str]) -> bool:
    """Whether the headers of a download say that nobody has changed the description of its object since its write.

    Then it cannot have an expiry, unless somebody else wrote it with one.
    """
    return headers.get("x-goog-metageneration") == "1" and f"x-goog-meta-{_EXPIRES}" not in headers


def condition(if_version: str | None, found: Stored | None) -> dict[str, str] | None:
    """The parameters that let a write succeed only on `found`; None when `found` is not what `if_version` asks for.

    What has expired counts as missing. The count of changes is part of the condition, since giving an object an expiry
    does not change its version.
    """
    live = found is not None and not found.expired
    if if_version is None:
        return {}
    if if_version == NEW and not live:
        return exactly(found) if found else {"ifGenerationMatch": "0"}
    if live and found is not None and found.info.version == if_version:
        return exactly(found)
    return None


def exactly(found: Stored) -> dict[str, str]:
    """The parameters that let a call succeed only while an object is, and is described, as it was found."""
    return _exactly(found.info.version, found.metageneration)


def first_condition(if_version: str | None) -> dict[str, str]:
    """The condition to try before anything is known of the object: that it never had an expiry."""
    if if_version in {None, NEW}:
        return condition(if_version, None) or {}
    return _exactly(str(if_version), "1")


def _exactly(generation: str, metageneration: str) -> dict[str, str]:
    return {"ifGenerationMatch": generation, "ifMetagenerationMatch": metageneration}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _packed_name(word: str) -> str:
    return _THEIRS + word if word.startswith(_OURS) else word


def _packed_value(value: str) -> str:
    # A value that is empty means "remove this name" in some of their calls, so a "%" stands for it.
    return f"{value}%" if set(value) <= {"%"} else value


def _unpacked(kept: Mapping[str, str]) -> tuple[dict[str, str], float | None]:
    """The user's metadata, and the expiry."""
    metadata = {
        word.removeprefix(_THEIRS): value[:-1] if set(value) == {"%"} else value
        for word, value in kept.items()
        if word != _EXPIRES
    }
    return metadata, _number(kept.get(_EXPIRES))


def _number(text: str | None) -> float | None:
    """What we have written; None for what somebody else has."""
    try:
        return float(text or "")
    except ValueError:
        return None
