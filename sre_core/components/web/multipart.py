"""Multipart forms, as browsers write them."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from sre_core.components.http_target import encode_text
from sre_core.messages import File

__all__ = ["Part", "encode_multipart"]

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[ -~]*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field: a text, or a file."""

    name: str
    value: File | str = field(repr=False)


def encode_multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body of a form, and its content type with the boundary. No name and no file can end its part."""
    # Nobody can guess it, so that no value has it.
    boundary = secrets.token_hex(16)
    pieces = [piece for part in parts for piece in (f"--{boundary}\r\n".encode(), *_encoded(part), b"\r\n")]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _encoded(part: Part) -> tuple[bytes, bytes]:
    """The head of a part and its content. Only files have a type: servers take what has one for a file."""
    head = f'Content-Disposition: form-data; name="{_escaped(part.name)}"'
    if isinstance(part.value, str):
        return encode_text(f"{head}\r\n\r\n"), encode_text(part.value)
    name = _escaped(re.split(r"[/\\]", part.value.name)[-1] or "file")
    media_type = part.value.media_type if _MEDIA_TYPE.fullmatch(part.value.media_type) else "application/octet-stream"
    return encode_text(f'{head}; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'), part.value.data


def _escaped(name: str) -> str:
    """A name as the HTML standard has it in a form; what no header can hold is left out."""
    return _CONTROLS.sub("", name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22"))
