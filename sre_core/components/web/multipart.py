"""Multipart forms, as browsers write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sre_core.components.http_target import encode_text
from sre_core.connectors.base import import_drivers
from sre_core.messages import File

__all__ = ["Part", "encode_multipart"]

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[ -~]*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field: a text, or a file."""

    name: str
    value: File | str = field(repr=False)


async def encode_multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body of a form, and its content type with the boundary. No name and no file can end its part."""
    await import_drivers("aiohttp")
    # Not at the top: most runs do without.
    from aiohttp import FormData

    form = FormData(quote_fields=False, default_to_multipart=True)
    for part in parts:
        if isinstance(part.value, File):
            media_type = part.value.media_type
            form.add_field(
                _escaped(part.name),
                part.value.data,
                filename=_escaped(re.split(r"[/\\]", part.value.name)[-1] or "file"),
                content_type=media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream",
            )
        else:
            # The form would hide what is wrong with it.
            encode_text(part.value)
            form.add_field(_escaped(part.name), part.value)
    payload = form()
    return await payload.as_bytes(), payload.headers["Content-Type"]


def _escaped(name: str) -> str:
    """A name as the HTML standard has it in a form; what no header can hold is left out."""
    return _CONTROLS.sub("", name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22"))
