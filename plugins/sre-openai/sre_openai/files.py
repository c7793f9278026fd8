"""Files as the APIs take them: images and documents as data, text as text."""

import base64
import codecs
import re

from sre_core.errors import UnsupportedError
from sre_core.messages import File

__all__ = ["audio_format", "base64_text", "data_url", "is_text", "quoted", "unsupported_file"]

_TEXT = re.compile(
    r"(text/.*|application/(json|xml|yaml|x-yaml|toml|javascript|x-sh|sql|x-ndjson|graphql|rtf)|.*\+(json|xml|yaml))"
)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)
# The longer ones first, since one of them begins with a shorter one.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AUDIO = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}


def is_text(file: File) -> bool:
    """Whether a file holds text, which every model reads."""
    return _TEXT.fullmatch(_essence(file)) is not None


def quoted(file: File) -> str:
    """A text file inside a message.

    It is read as its byte order mark says, else as the charset of its type, else as UTF-8; what that does not explain
    becomes replacement characters.
    """
    return f'<file name="{file.name}">\n{_text(file)}\n</file>'


def base64_text(file: File) -> str:
    """The bytes of a file as text."""
    return base64.b64encode(file.data).decode()


def data_url(file: File) -> str:
    """A file as a URL that holds it."""
    return f"data:{_essence(file)};base64,{base64_text(file)}"


def audio_format(file: File) -> str:
    """The API's word for a kind of audio. Raises UnsupportedError for what is neither WAV nor MP3."""
    known = _AUDIO.get(_essence(file))
    if known is None:
        raise unsupported_file(file, "audio must be WAV or MP3")
    return known


def unsupported_file(file: File, why: str) -> UnsupportedError:
    """The error for a file that cannot be sent."""
    return UnsupportedError(f"cannot send the file {file.name!r} of type {file.media_type!r}", hint=why)


def _essence(file: File) -> str:
    """The media type without its parameters."""
    return file.media_type.partition(";")[0].strip().lower()


def _text(file: File) -> str:
    said = _CHARSET.search(file.media_type)
    encoding = next((encoding for mark, encoding in _MARKS if file.data.startswith(mark)), said[1] if said else "utf-8")
    try:
        return file.data.decode(encoding, errors="replace")
    except (LookupError, ValueError):
        return file.data.decode("utf-8", errors="replace")
