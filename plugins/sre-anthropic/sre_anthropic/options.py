"""Options of a request that are Anthropic's own."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RequestOptions"]


class RequestOptions(BaseModel):
    """What `LLMRequest.options` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = Field(
        default=None,
        description="How hard the model tries, which is how much it thinks, too; Opus 4.5, and all from 4.6 on.",
    )
    thinking_budget: int | None = Field(
        default=None, ge=1024, description="Tokens to think with, of models up to 4.6; it makes them think."
    )
    thinking_display: Literal["summarized", "omitted"] | None = Field(
        default=None, description="Whether thoughts can be read; summarized if a request asks for thinking."
    )
    parallel_calls: bool = Field(default=True, description="Whether the model may call several skills at once.")
    top_k: int | None = Field(default=None, ge=1, description="Choose among so many tokens; see the setting sampling.")
    service_tier: Literal["auto", "standard_only"] | None = Field(
        default=None, description="Whether capacity that was bought in advance may be used."
    )
    inference_geo: str | None = Field(default=None, description="Where in the world the model may run.")
    user: str | None = Field(default=None, description="An id of the user that tells nothing of them.")
