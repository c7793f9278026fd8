"""Settings of ImageGenerator, and what of them each family of models takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, field_validator

from sre_core.components.base import ComponentSettings
from sre_core.components.llm.settings import model_name

__all__ = ["ImageForm", "ImageSettings", "image_form"]

_PERSONS: Mapping[str, str] = {"allow_all": "ALLOW_ALL", "dont_allow": "ALLOW_NONE"}


class ImageSettings(ComponentSettings):
    """A model that makes images, what it is told, and what each family of such models takes."""

    model: str = Field(default="", max_length=100, description="The name of the model; empty for the agent's own.")
    prompt: str = Field(
        default="", max_length=32_000, description="What to show; placeholders name inputs. Empty for the input Prompt."
    )
    number_of_images: int = Field(default=1, ge=1, le=10, description="How many images.")
    response_format: Literal["url", "b64_json"] | None = Field(
        default=None, description="Without meaning here: images are always files of the agent."
    )
    size_dalle2: Literal["256x256", "512x512", "1024x1024"] = Field(
        default="256x256", description="DALL·E 2: width and height in pixels."
    )
    size_dalle3: Literal["1024x1024", "1792x1024", "1024x1792"] = Field(
        default="1024x1024", description="DALL·E 3: width and height in pixels."
    )
    size: str = Field(
        default="auto", max_length=20, description="GPT Image, and others: width and height in pixels, or auto."
    )
    quality: str = Field(
        default="auto", max_length=20, description="DALL·E 3: standard or hd. GPT Image: low, medium, high or auto."
    )
    style: Literal["vivid", "natural"] = Field(default="vivid", description="DALL·E 3: how it looks.")
    is_raw_input_prompt: bool = Field(
        default=False, description="DALL·E 3: whether it is asked to use the prompt as it is."
    )
    negative_prompt: str = Field(default="", max_length=2000, description="Runware and others: what not to show.")
    width: int = Field(default=1024, ge=128, le=2048, multiple_of=64, description="Runware: width in pixels.")
    height: int = Field(default=1024, ge=128, le=2048, multiple_of=64, description="Runware: height in pixels.")
    output_format: str = Field(default="JPEG", max_length=10, description="Runware: JPEG, PNG or WEBP.")
    strength: float = Field(
        default=0.5, ge=0, le=1, description="Runware: how far an image that came in may be changed."
    )
    aspect_ratio: str = Field(default="1:1", pattern=r"^\d{1,2}:\d{1,2}$", description="Google: width to height.")
    person_generation: Literal["dont_allow", "allow_adult", "allow_all"] = Field(
        default="allow_adult", description="Google: whether people may be shown."
    )

    @field_validator("model", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return model_name(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageForm:
    """What one family of models is sent beside the prompt. `takes_files`: whether images may be changed."""

    size: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    takes_files: bool = True


def image_form(settings: ImageSettings, model: str, connector: str, *, with_files: bool) -> ImageForm:
    """How to ask this model, by the family that its name and its connector tell."""
    name = model.rpartition("/")[2].lower()
    if name.startswith("dall-e-3"):
        return _dalle3(settings)
    if name.startswith("dall-e"):
        return ImageForm(size=settings.size_dalle2, takes_files=False)
    if name.startswith("gpt"):
        # These two qualities are left over from DALL·E.
        quality = None if settings.quality in {"hd", "standard"} else _unless_auto(settings.quality)
        return ImageForm(size=_unless_auto(settings.size), options=_given(quality=quality))
    if connector == "google" or "imagen" in name or name.startswith("gemini"):
        options = _given(person_generation=_PERSONS.get(settings.person_generation))
        return ImageForm(size=settings.aspect_ratio, options=options)
    if connector == "runware" or name.startswith(("runware:", "civitai:")):
        return _runware(settings, with_files=with_files)
    return ImageForm(
        size=_unless_auto(settings.size),
        options=_given(quality=_unless_auto(settings.quality), negative_prompt=settings.negative_prompt),
    )


def _dalle3(settings: ImageSettings) -> ImageForm:
    quality = settings.quality if settings.quality in {"hd", "standard"} else None
    return ImageForm(
        size=settings.size_dalle3,
        options={"style": settings.style, **_given(quality=quality)},
        prefix="Use this prompt exactly as it stands, and add nothing to it: " if settings.is_raw_input_prompt else "",
        takes_files=False,
    )


def _runware(settings: ImageSettings, *, with_files: bool) -> ImageForm:
    options = _given(negative_prompt=settings.negative_prompt, output_format=settings.output_format.lower())
    if with_files:
        options["strength"] = settings.strength
    return ImageForm(size=f"{settings.width}x{settings.height}", options=options)


def _unless_auto(value: str) -> str | None:
    return value if value and value != "auto" else None


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}
