"""Requests for images, and the images that come."""

import mimetypes
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sre_core.connectors.llm import ImageRequest
from sre_core.connectors.request_options import read_options
from sre_core.errors import ConfigError, ConnectorError
from sre_core.messages import File, Usage
from sre_google.contents import file_part
from sre_google.options import ImageOptions
from sre_google.request import safety_settings
from sre_google.response import BLOCKED, usage_of

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

__all__ = ["Drawing", "image_body", "named"]

_RATIO = re.compile(r"\d+:\d+")
_SIZES = ("512", "1K", "2K", "4K")


def image_body(request: ImageRequest) -> dict[str, Any]:
    """The body that asks for one image.

    `size` is an aspect ratio, "16:9", a size, "2K", or both with a space between. Raises ConfigError for another, and
    for an unknown option.
    """
    options = read_options(ImageOptions, request.options, connector="google")
    ratio, size = _read_size(request.size)
    config = {
        "aspectRatio": options.aspect_ratio or ratio,
        "imageSize": options.image_size or size,
        "personGeneration": options.person_generation,
    }
    image_config = {name: value for name, value in config.items() if value is not None}
    generation: dict[str, Any] = {"responseModalities": ["IMAGE"]}
    if image_config:
        generation["imageConfig"] = image_config
    if options.thinking_level is not None:
        generation["thinkingConfig"] = {"thinkingLevel": options.thinking_level.upper()}
    parts = [*(file_part(file) for file in request.images), {"text": request.prompt}]
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": parts}], "generationConfig": generation}
    if options.safety_settings:
        body["safetySettings"] = safety_settings(options.safety_settings)
    return body


class Drawing:
    """Reads the reply to one request for an image."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._reason: str | None = None
        self._said = ""
        self.images: list[tuple[str, bytes]] = []
        """Media type and data of each."""
        self.usage = Usage()

    def read(self, response: "GenerateContentResponse") -> None:
        """Take what is in one piece of the reply."""
        self.usage = usage_of(response) or self.usage
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason:
            self._reason = str(feedback.block_reason.value)
        for candidate in (response.candidates or ())[:1]:
            for part in (candidate.content and candidate.content.parts) or ():
                if part.thought:
                    continue  # a sketch on the way
                if part.inline_data is not None and part.inline_data.data:
                    self.images.append((part.inline_data.mime_type or "image/png", part.inline_data.data))
                self._said += part.text or ""
            if candidate.finish_reason is not None:
                self._reason = str(candidate.finish_reason.value)

    @property
    def withheld(self) -> bool:
        """Whether a filter kept the image back."""
        return not self.images and self._reason in BLOCKED

    def failure(self) -> ConnectorError:
        """Why there is no image."""
        if self.withheld:
            return ConnectorError(
                f"{self._model!r} made no image: Google held it back ({self._reason})", hint="change the prompt"
            )
        said = f" and said {self._said[:200]!r}" if self._said else ""
        return ConnectorError(
            f"{self._model!r} made no image, ended with {self._reason or 'no reason'}{said}",
            hint="ask for an image in the prompt, and ask a model that makes some",
        )


def named(images: Sequence[tuple[str, bytes]]) -> tuple[File, ...]:
    """The images as files, "image-1.png" and so on."""
    return tuple(
        File(name=f"image-{number}{mimetypes.guess_extension(kind) or ''}", media_type=kind, data=data)
        for number, (kind, data) in enumerate(images, start=1)
    )


def _read_size(size: str | None) -> tuple[str | None, str | None]:
    ratio = pixels = None
    for word in (size or "").split():
        if _RATIO.fullmatch(word):
            ratio = word
        elif word.upper() in _SIZES:
            pixels = word.upper()
        else:
            raise ConfigError(
                f"Google makes no images of size {size!r}",
                hint=f"give an aspect ratio such as '16:9', one of {', '.join(_SIZES)}, or both: '16:9 2K'",
            )
    return ratio, pixels
