"""Options of a request that are Google's own."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from sre_google.settings import ThinkingLevel

__all__ = ["ImageOptions", "RequestOptions", "SafetySetting"]


class SafetySetting(BaseModel):
    """How much of a kind of harm is let through: HARM_CATEGORY_HARASSMENT, BLOCK_ONLY_HIGH."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str
    threshold: str


class RequestOptions(BaseModel):
    """What `LLMRequest.options` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thinking_level: ThinkingLevel | None = Field(default=None, description="Gemini 3 and later.")
    thinking_budget: int | None = Field(
        default=None, ge=-1, description="Tokens, before Gemini 3; -1 lets the model decide."
    )
    top_k: int | None = Field(default=None, ge=1, description="Choose among so many tokens.")
    presence_penalty: float | None = Field(default=None, description="Against tokens that were used.")
    frequency_penalty: float | None = Field(default=None, description="Against tokens that were used often.")
    safety_settings: tuple[SafetySetting, ...] = Field(default=(), description="`category` and `threshold` of each.")
    cached_content: str | None = Field(default=None, description="Name of content that was cached before.")
    media_resolution: str | None = Field(default=None, description="MEDIA_RESOLUTION_LOW, MEDIUM or HIGH.")
    service_tier: str | None = Field(default=None, description="Such as flex or priority.")
    labels: Mapping[str, str] = Field(default={}, description="For the bill.")


class ImageOptions(BaseModel):
    """What `ImageRequest.options` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aspect_ratio: str | None = Field(default=None, description="Such as 16:9.")
    image_size: str | None = Field(default=None, description="512, 1K, 2K or 4K.")
    person_generation: str | None = Field(
        default=None, description="ALLOW_ALL, ALLOW_ADULT or ALLOW_NONE; Vertex AI only."
    )
    thinking_level: ThinkingLevel | None = Field(default=None, description="How hard the model thinks first.")
    safety_settings: tuple[SafetySetting, ...] = Field(default=(), description="`category` and `threshold` of each.")
