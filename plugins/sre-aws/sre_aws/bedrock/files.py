"""Files as the API takes them."""

import re
from collections.abc import Mapping
from typing import Any

from sre_core.errors import UnsupportedError
from sre_core.messages import File

__all__ = ["document_name", "file_block"]

_IMAGES = {"image/gif": "gif", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/png": "png", "image/webp": "webp"}
_DOCUMENTS = {
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
}
_VIDEOS = {
    "video/3gpp": "three_gp",
    "video/mp4": "mp4",
    "video/mpeg": "mpeg",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/x-matroska": "mkv",
    "video/x-ms-wmv": "wmv",
}
_SOUNDS = {
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/webm": "webm",
    "audio/x-flac": "flac",
    "audio/x-wav": "wav",
}
_KINDS: Mapping[str, Mapping[str, str]] = {"audio": _SOUNDS, "image": _IMAGES, "video": _VIDEOS}
_TEXTS = frozenset({"application/json", "application/toml", "application/xml", "application/yaml"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\-()\[\]]+")
_LONGEST_NAME = 200


def file_block(file: File, taken: set[str]) -> dict[str, Any]:
    """A block of content. `taken` are the names of documents in the same message, and grows by this one's.

    Raises UnsupportedError for a kind of file that the API does not know.
    """
    kind = file.media_type.partition(";")[0].strip().lower()
    known = _KINDS.get(kind.partition("/")[0], {})
    if kind in known:
        return {kind.partition("/")[0]: {"format": known[kind], "source": {"bytes": file.data}}}
    form = _DOCUMENTS.get(kind)
    if form is None and (kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml"))):
        form = "txt"
    if form is None:
        raise UnsupportedError(
            f"Bedrock does not take the file {file.name!r} ({file.media_type})",
            hint="it takes usual images, videos and sounds, PDF, Word, Excel and text",
        )
    data = file.data or b"(empty)"
    return {"document": {"format": form, "name": document_name(file.name, taken), "source": {"bytes": data}}}


def document_name(name: str, taken: set[str]) -> str:
    """A name that the API accepts, unlike those in `taken`, which grows by it."""
    plain = _NOT_IN_NAMES.sub(" ", name).strip()[:_LONGEST_NAME] or "document"
    found, number = plain, 2
    while found in taken:
        found, number = f"{plain} {number}", number + 1
    taken.add(found)
    return found
