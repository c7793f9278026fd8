"""Images to make images from, as the form that a server takes; imported only by those who send it."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from sre_core.messages import File
from sre_openai.files import unsupported_file

__all__ = ["image_form"]


def image_form(fields: Mapping[str, Any], images: Sequence[File]) -> aiohttp.FormData:
    """A form with all fields, and the images in their order. Raises UnsupportedError for one that no form can hold."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else str(value).lower())
    for image in images:
        if not f"{image.name}{image.media_type}".isprintable():
            raise unsupported_file(image, "its name or type holds control characters")
        form.add_field("image[]", image.data, filename=image.name, content_type=image.media_type)
    return form
