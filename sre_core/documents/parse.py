"""From a file to its text: which reader a file needs, and the limits of all of them."""

import codecs
import re
from email.message import Message
from io import BytesIO
from pathlib import PurePath
from typing import Literal
from zipfile import BadZipFile, ZipFile

import anyio

from sre_core.documents.document import Document, DocumentLimits
from sre_core.documents.docx import DOCX, DOCX_PART, read_docx
from sre_core.documents.html import read_html
from sre_core.documents.markdown import read_markdown
from sre_core.documents.pdf import read_pdf
from sre_core.documents.text import read_text
from sre_core.errors import ConfigError
from sre_core.messages import File

__all__ = ["parse"]

Format = Literal["text", "markdown", "html", "pdf", "docx"]

_MEDIA_TYPES: dict[str, Format] = {
    "application/javascript": "text",
    "application/json": "text",
    "application/pdf": "pdf",
    "application/toml": "text",
    "application/x-ndjson": "text",
    "application/x-yaml": "text",
    "application/xhtml+xml": "html",
    "application/xml": "text",
    "application/yaml": "text",
    DOCX: "docx",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
}
_SUFFIXES: dict[str, Format] = {
    ".csv": "text",
    ".docx": "docx",
    ".htm": "html",
    ".html": "html",
    ".json": "text",
    ".jsonl": "text",
    ".log": "text",
    ".markdown": "markdown",
    ".md": "markdown",
    ".pdf": "pdf",
    ".rst": "text",
    ".toml": "text",
    ".tsv": "text",
    ".txt": "text",
    ".xhtml": "html",
    ".xml": "text",
    ".yaml": "text",
    ".yml": "text",
}
# What servers and browsers say of files that they know nothing of, or no more than that they are text.
_VAGUE = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})
# A comment ends at its first end, and nothing is tried in a second way: of a row of comments, there would be billions.
_HTML_START = re.compile(
    rb"\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_SNIFFED = 2048
_TEXTS = frozenset({"text", "markdown", "html"})
# ZIP, which newer office files are, RTF, and what older office files are.
_FOREIGN = (b"PK\x03\x04", b"{\\rtf", b"\xd0\xcf\x11\xe0")
_READ = "PDF, DOCX, HTML, Markdown, and plain text, as CSV and JSON are"


async def parse(file: File, *, limits: DocumentLimits | None = None) -> Document:
    """The text of a file, read in a thread.

    What the file is, its first bytes say, else its media type, else its name. Raises ConfigError when it is of no
    format that can be read, is broken, locked or too large, or holds no text.
    """
    return await anyio.to_thread.run_sync(_parse, file, limits or DocumentLimits(), abandon_on_cancel=True)


def _parse(file: File, limits: DocumentLimits) -> Document:
    if len(file.data) > limits.file_bytes:
        raise ConfigError(
            f"{file.name!r} has {len(file.data):,} bytes, more than {limits.file_bytes:,}", hint="split it"
        )
    media_type, charset = _declared(file.media_type)
    document = _read(file, _format(file, media_type), media_type, charset, limits)
    if len(document.text) > limits.characters:
        raise ConfigError(f"{file.name!r} has more than {limits.characters:,} characters", hint="split it")
    if not document.text.strip():
        raise ConfigError(f"{file.name!r} holds no text", hint="pictures of text, as scanners make them, have none")
    return document


def _read(file: File, form: Format, media_type: str, charset: str | None, limits: DocumentLimits) -> Document:
    match form:
        case "pdf":
            return read_pdf(file.data, file.name, limits)
        case "docx":
            return read_docx(file.data, file.name, limits)
        case "html":
            return read_html(file.data, file.name, charset, limits=limits)
        case "markdown":
            return read_markdown(file.data, charset)
        case "text":
            return read_text(file.data, "text/plain" if media_type in _VAGUE else media_type, charset)


def _declared(media_type: str) -> tuple[str, str | None]:
    """The media type without its parameters, and its charset."""
    header = Message()
    # A line end would begin another header.
    header["content-type"] = " ".join(media_type.split())
    return (header.get_content_type() if media_type else ""), header.get_content_charset()


def _format(file: File, media_type: str) -> Format:
    """Which reader the file needs. Raises ConfigError."""
    named = _SUFFIXES.get(PurePath(file.name).suffix.lower())
    found = _by_signature(file.data)
    if found is None and media_type not in _VAGUE:
        found = _MEDIA_TYPES.get(media_type) or ("text" if _is_text(media_type) else named)
    elif found is None:
        found = named or _by_content(file.data)
    if found is None or (found in _TEXTS and _is_binary(file.data)):
        raise ConfigError(
            f"no text can be read from {file.name!r}, which is {media_type or 'of no known type'}",
            hint=f"what can be read is {_READ}",
        )
    return found


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type.endswith(("+json", "+xml", "+yaml"))


def _by_signature(data: bytes) -> Format | None:
    """What the bytes say beyond doubt."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        try:
            with ZipFile(BytesIO(data)) as package:
                return "docx" if DOCX_PART in package.namelist() else None
        except (BadZipFile, ValueError, NotImplementedError):
            return None
    return None


def _by_content(data: bytes) -> Format:
    """What the bytes look like, when nobody says."""
    return "html" if _HTML_START.match(data[:_SNIFFED]) else "text"


def _is_binary(data: bytes) -> bool:
    """Whether it is no text in any encoding, or the text of a format that is none to read."""
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    return data.startswith(_FOREIGN) or (b"\0" in data[:_SNIFFED] and not is_wide)
