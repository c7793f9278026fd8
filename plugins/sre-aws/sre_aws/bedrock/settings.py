"""Settings of the models on Bedrock: which ones, and what guards them."""

from typing import Literal

from pydantic import Field

from sre_aws.settings import AwsSettings

__all__ = ["BedrockSettings"]


class BedrockSettings(AwsSettings):
    """What `[connectors.llm.<id>]` with `use = "bedrock"` takes; everything has a default.

    Where AWS is and as whom it is called is as with all connectors to AWS: with explicit keys, else as a profile, else
    as the surroundings say.
    """

    model: str | None = Field(
        default=None,
        min_length=1,
        description="Model of requests that name none: an id, an inference profile, or an ARN of one.",
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Longest reply of requests that do not say; the model's own if not given."
    )
    prompt_caching: Literal["5m", "1h", "off"] = Field(
        default="5m", description="How long Claude and Nova keep what they have read; other models keep nothing."
    )
    changed_history: Literal["drop", "error"] = Field(
        default="drop",
        description="What becomes of Claude's thoughts in a conversation whose beginning was cut or changed since: "
        "newer models refuse them, and so they are dropped, or the request fails.",
    )
    sampling: Literal["ignore", "refuse"] = Field(
        default="ignore",
        description="What becomes of `temperature` and `top_p`, which Claude does not take from 4.7 on.",
    )
    schemas: Literal["auto", "enforce", "tell"] = Field(
        default="auto",
        description="What becomes of an output schema: the service holds the model to it (enforce), or the model is "
        "told it in the prompt (tell), since many can only be told; auto enforces it for Claude 4.5 and 4.6.",
    )
    guardrail: str | None = Field(default=None, min_length=1, description="Id or ARN of a guardrail for all requests.")
    guardrail_version: str = Field(default="DRAFT", min_length=1, description="Its version: a number, or DRAFT.")
    embedding_model: str = Field(
        default="amazon.titan-embed-text-v2:0", description="What `embed` uses when it is not told."
    )
    embedding_dimensions: int | None = Field(
        default=None, ge=1, description="Length of the vectors, for models that can shorten them."
    )
    timeout: float = Field(
        default=300.0, gt=0, description="Seconds that the service may be silent, before its reply and between pieces."
    )
    retries: int = Field(
        default=0, ge=0, le=20, description="How often the driver tries again; agents do so by themselves."
    )
