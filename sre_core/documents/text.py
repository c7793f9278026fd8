"""Plain text, and what is text as it stands: CSV, JSON, XML, source code."""

import codecs

from sre_core.documents.document import Document

__all__ = ["decode", "is_text_encoding", "read_text"]

# The longer ones first: the mark of UTF-32 begins like the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 64 * 1024


def decode(data: bytes, charset: str | None = None) -> str:
    """Bytes as text: by their mark, else by `charset`, else as UTF-8, else as what they most look like.

    What cannot be decoded becomes "\N{REPLACEMENT CHARACTER}"; line ends become "\\n".
    """
    text = data.decode(_encoding(data, charset), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(data: bytes, media_type: str, charset: str | None = None) -> Document:
    """Text as it is."""
    return Document(text=decode(data, charset), media_type=media_type)


def is_text_encoding(charset: str) -> bool:
    """Whether it is an encoding of texts that Python knows, as "zip" and "rot13" are not.

    Neither is "punycode", which is for names of hosts: of a text of some megabytes, it would take days.
    """
    try:
        # Python answers for no bytes without asking the encoding.
        b"a".decode(charset, errors="replace")
        return codecs.lookup(charset).name != "punycode"
    except (LookupError, ValueError):
        return False


def _encoding(data: bytes, charset: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    if charset is not None and is_text_encoding(charset):
        return charset
    try:
        data.decode()
    except UnicodeDecodeError:
        return _likely(data)
    return "utf-8"


def _likely(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE]).best()
    # What Windows writes is the likeliest of those that leave no byte without a meaning.
    return best.encoding if best is not None else "cp1252"
