"""Making images: requests in the form that servers take, and files out of what they answer."""

import base64
from collections.abc import Mapping
from typing import Any

from sre_core.connectors.llm import ImageRequest
from sre_openai.options import IMAGE_OPTIONS, plain_fields
from sre_openai.preset import Preset

__all__ = ["image_fields", "image_media_type", "image_parts"]

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"<svg", "image/svg+xml"),
)


def image_fields(request: ImageRequest, preset: Preset, *, model: str) -> dict[str, Any]:
    """All fields but the images to begin from. Raises ConfigError for an unknown option."""
    fields: dict[str, Any] = {"model": model, "prompt": request.prompt, "n": request.count}
    if request.size is not None:
        fields["size"] = request.size
    if preset.image_format is not None:
        fields["response_format"] = preset.image_format
    return fields | plain_fields(request.options, IMAGE_OPTIONS, ours=frozenset({"extra"}))


def image_parts(data: Any) -> list[bytes | str]:
    """The images in a reply, each as its bytes or as a link. Raises ValueError, TypeError and the like for none."""
    found: list[bytes | str] = []
    for entry in data["data"]:
        if packed := entry.get("b64_json") or entry.get("b64"):
            found.append(_unpacked(packed))
        elif link := entry.get("url"):
            found.append(_linked(link))
    if not found:
        raise ValueError("no images")
    return found


def image_media_type(image: bytes, said: Mapping[str, Any]) -> str:
    """What kind of image it is, by its first bytes, else by what the reply says."""
    for signature, kind in _SIGNATURES:
        if image.startswith(signature):
            return kind
    if image.startswith(b"RIFF") and image[8:12] == b"WEBP":
        return "image/webp"
    named = said.get("output_format")
    return f"image/{named}" if isinstance(named, str) and named.isalnum() else "image/png"


def _linked(link: str) -> bytes | str:
    head, comma, data = link.partition(";base64,")
    return _unpacked(data) if comma and head.startswith("data:") else link


def _unpacked(packed: str) -> bytes:
    image = base64.b64decode(packed, validate=True)
    if not image:
        raise ValueError("an empty image")
    return image
