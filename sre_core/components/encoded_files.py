"""Files that are written out as text: data URLs and base64."""

import binascii
import re
from base64 import b64decode
from urllib.parse import unquote_to_bytes

from sre_core.components.media_types import clean_media_type, sniff
from sre_core.errors import ComponentError

__all__ = ["decode_base64", "decode_data_url", "is_data_url"]

_DATA_URL = re.compile(r"data:([^,]{0,500}),", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{32,}={0,2}")
_SPACE = re.compile(r"[ \t\r\n]+")


def is_data_url(text: str) -> bool:
    """Whether the text is `data:…,…`, and says how it is encoded or what it is: "data: a, b" is a sentence."""
    match = _DATA_URL.match(text)
    return match is not None and (not match[1] or match[1].startswith(";") or "/" in match[1].partition(";")[0])


def decode_data_url(text: str) -> tuple[str, bytes]:
    """Its media type, or UNKNOWN, and its bytes. Raises ComponentError."""
    match = _DATA_URL.match(text)
    if match is None:
        raise ComponentError("illegal data URL", hint="write data:MEDIA/TYPE;base64,DATA")
    head, body = match[1], text[match.end() :]
    media_type = clean_media_type(head)
    data = unquote_to_bytes(body)
    if head.lower().replace(" ", "").endswith(";base64"):
        try:
            # Some write base64 for URLs, or leave out the padding.
            plain = re.sub(rb"\s+", b"", data).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            data = b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
        except binascii.Error as error:
            raise ComponentError("illegal base64 in a data URL", hint="write data:MEDIA/TYPE;base64,DATA") from error
    return media_type, data


def decode_base64(text: str) -> bytes | None:
    """The bytes of a file in base64, or None for what is a text.

    A word such as "male" is base64 as well: what counts is that the bytes are no text and begin as those of a known
    kind of file do, that there are enough of them, and that nothing is missing.
    """
    plain = _SPACE.sub("", text)
    if len(plain) % 4 or not _BASE64.fullmatch(plain):
        return None
    # The first bytes tell; a long text is not decoded in vain.
    if sniff(b64decode(plain[:10_000])) is None:
        return None
    return b64decode(plain)
