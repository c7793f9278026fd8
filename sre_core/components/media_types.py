"""Media types: what bytes are, and which ending goes with it."""

import mimetypes
import re
from collections.abc import Mapping
from functools import cache

__all__ = ["UNKNOWN", "clean_media_type", "extension", "guess_media_type", "is_text", "sniff"]

UNKNOWN = "application/octet-stream"
"""The type of bytes that nobody knows anything about."""

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]*/[a-z0-9][\w.+-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# Formats that begin like a text, and are none.
_PRINTABLE = frozenset({"application/pdf", "application/rtf", "application/postscript"})
# What Python's own table lacks, or ends otherwise than people do.
_ENDINGS: Mapping[str, str] = {
    "application/xml": ".xml",
    "application/yaml": ".yaml",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "image/jpeg": ".jpg",
    "text/javascript": ".js",
    "text/markdown": ".md",
    "text/xml": ".xml",
    "text/plain": ".txt",
}
_SNIFFED = 8192
_TEXT_SAMPLE = 4096


def clean_media_type(declared: str) -> str:
    """`declared` without its parameters, in lower case; UNKNOWN if it is none."""
    plain = declared.partition(";")[0].strip().lower()
    return plain if _MEDIA_TYPE.fullmatch(plain) else UNKNOWN


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes show, or None. A text is nothing but a text, whatever it begins with."""
    # Imported when needed: most workflows have no files.
    import filetype  # type: ignore[import-untyped]  # it has no types

    found: str | None = filetype.guess_mime(data[:_SNIFFED])
    return None if found is None or (found not in _PRINTABLE and is_text(data)) else found


def is_text(data: bytes) -> bool:
    """Whether the bytes begin as UTF-8 text does, without control characters."""
    sample = data[:_TEXT_SAMPLE]
    try:
        text = sample.decode()
    except UnicodeDecodeError as error:
        # The sample may end inside a character.
        if len(data) <= len(sample) or error.start < len(sample) - 3:
            return False
        text = sample[: error.start].decode()
    return _CONTROL.search(text) is None


def guess_media_type(data: bytes, *, declared: str = "", name: str = "") -> str:
    """What was declared, unless that is nothing; else what the bytes show, else what the name says, else text."""
    clean = clean_media_type(declared)
    if clean != UNKNOWN:
        return clean
    by_name = _types().guess_type(name, strict=False)[0]
    return sniff(data) or by_name or ("text/plain" if data and is_text(data) else UNKNOWN)


def extension(media_type: str) -> str:
    """The usual ending for a media type, with its dot; "" where there is none."""
    if media_type == UNKNOWN:
        return ""
    if media_type in _ENDINGS:
        return _ENDINGS[media_type]
    known = _types().guess_extension(media_type, strict=False)
    if known:
        return known
    import filetype

    kind = filetype.get_type(mime=media_type)
    return f".{kind.extension}" if kind else ""


@cache
def _types() -> mimetypes.MimeTypes:
    """Python's own table with ours; made once, as it is a copy."""
    types = mimetypes.MimeTypes()
    for media_type, ending in _ENDINGS.items():
        types.add_type(media_type, ending)
    return types
