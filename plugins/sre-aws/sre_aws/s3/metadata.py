"""What is known of an object, to and from the headers of S3."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConfigError, ConnectorError

__all__ = ["Head", "headers_again", "headers_for", "read_head"]

_LARGEST = 2048
"""Bytes that S3 takes of all metadata, names and values together."""

_VERSION = "sre-version"
_EXPIRES = "sre-expires"
_OTHERS = "sre-metadata"
_OWN_ROOM = 64
"""Bytes of those that our own two entries take."""

_CONTENT_TYPE = re.compile(r"[!-~]([ -~]*[!-~])?")
_PLAIN_NAME = re.compile(r"(?!sre-)[a-z0-9]+(-[a-z0-9]+)*")
_PLAIN_VALUE = re.compile(r"(?!.*=\?)[!-~]+( [!-~]+)*")
# What may stand in a header, but for the escape itself, and "?", which makes encoded words of mail headers (RFC 2047).
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%?")
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "StorageClass")
_KEPT_OF_KMS = ("BucketKeyEnabled", "SSEKMSKeyId", "ServerSideEncryption")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What S3 tells of an object: `info` for users; the rest is to replace exactly this object."""

    info: ObjectInfo
    etag: str
    metadata: Mapping[str, str]
    """As it is stored, without our own time of expiry."""
    kept: Mapping[str, Any]
    """Parameters that a copy needs to be as the object is."""

    def expired(self, now: float) -> bool:
        """Whether it counts as missing."""
        return self.info.expires is not None and self.info.expires <= now

    def has(self, version: str) -> bool:
        """Whether this is the version that `write`, `stat` or `list` told; the last knows the entity tag alone."""
        return version in {self.info.version, self.etag}

    def is_still(self, found: "Head | None") -> bool:
        """Whether what was found now is this very object."""
        return found is not None and (found.etag, found.info.version) == (self.etag, self.info.version)


def headers_for(content_type: str, metadata: Mapping[str, str] | None, version: str) -> dict[str, Any]:
    """The parameters of an upload that describe the object. Raises ConfigError for what S3 cannot keep.

    Metadata that is plain is stored plainly, for other tools to read. What a header would damage (capitals in
    names; blanks at the ends, or anything but ASCII in values; nothing at all) is put together into one entry.
    """
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ConfigError(f"illegal content type {content_type!r}", hint="use one such as 'text/plain; charset=utf-8'")
    stored: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, value in (metadata or {}).items():
        plain = _PLAIN_NAME.fullmatch(name) and _PLAIN_VALUE.fullmatch(value)
        (stored if plain else others)[name] = value
    if others:
        stored[_OTHERS] = quote(json.dumps(others, separators=(",", ":")), safe=_SAFE)
    size = sum(len(name) + len(value) for name, value in stored.items())
    if size > _LARGEST - _OWN_ROOM:
        raise ConfigError(
            f"metadata of {size} bytes, with escapes; S3 keeps {_LARGEST - _OWN_ROOM} bytes at most",
            hint="keep long values in an object of their own",
        )
    stored[_VERSION] = version
    return {"ContentType": content_type, "Metadata": stored}


def headers_again(head: Head, expires: float | None) -> dict[str, Any]:
    """The parameters of a copy onto itself: as it is, in the same version, but with another time of expiry."""
    # The version of an object of somebody else is its tag, which the copy has another one of.
    metadata = {_VERSION: head.info.version, **head.metadata}
    if expires is not None:
        metadata[_EXPIRES] = f"{expires:.3f}"
    return {**head.kept, "ContentType": head.info.content_type, "Metadata": metadata}


def read_head(key: str, reply: Mapping[str, Any], *, size: int | None = None) -> Head:
    """What the reply to HeadObject or GetObject says. Raises ConnectorError when it is not one of S3.

    `size` is that of the whole object where the reply is about a part of it.
    """
    etag = reply.get("ETag")
    modified = reply.get("LastModified")
    if not isinstance(etag, str) or not isinstance(modified, datetime):
        raise ConnectorError(f"the reply about {key!r} is not of S3: it lacks ETag or Last-Modified", hint="check url")
    etag = etag.strip('"')
    # Any other encryption than with a key of KMS is what the bucket does by itself.
    kept = _KEPT + (_KEPT_OF_KMS if str(reply.get("ServerSideEncryption")).startswith("aws:kms") else ())
    stored = dict(reply.get("Metadata") or {})
    expires = _number(stored.pop(_EXPIRES, None))
    plain = {name: value for name, value in stored.items() if name not in {_VERSION, _OTHERS}}
    return Head(
        info=ObjectInfo(
            key=key,
            size=int(reply.get("ContentLength") or 0) if size is None else size,
            version=stored.get(_VERSION) or etag,
            modified=modified.timestamp(),
            content_type=reply.get("ContentType") or "application/octet-stream",
            metadata=plain | _others(stored.get(_OTHERS)),
            expires=expires,
        ),
        etag=etag,
        metadata=stored,
        kept={name: reply[name] for name in kept if name in reply},
    )


def _others(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(unquote(text))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
