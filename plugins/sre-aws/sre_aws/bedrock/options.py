"""Options of a request that are Bedrock's own."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RequestOptions"]


class RequestOptions(BaseModel):
    """What `LLMRequest.options` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = Field(
        default=None, description="How hard the model tries, which is how much it thinks, too."
    )
    thinking_budget: int | None = Field(
        default=None, ge=1024, description="Tokens to think with, of Claude up to 4.6; it makes it think."
    )
    thinking_display: Literal["summarized", "omitted"] | None = Field(
        default=None, description="Whether Claude's thoughts can be read; summarized if a request asks for thinking."
    )
    # Made anew for each request: a default would be copied, which takes as long as all the rest.
    fields: Mapping[str, Any] = Field(
        default_factory=dict, description="Fields that only this model knows, passed as they are."
    )
    service_tier: Literal["priority", "default", "flex", "reserved"] | None = Field(
        default=None, description="How fast, and how dear."
    )
    latency: Literal["standard", "optimized"] | None = Field(
        default=None, description="Whether hardware that is faster is used, where there is some."
    )
    metadata: Mapping[str, str] = Field(default_factory=dict, description="For the log of requests, by name.")
