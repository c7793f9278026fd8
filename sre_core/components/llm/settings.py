"""Settings that nodes with a language model share, and what of them a request takes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, field_validator

from sre_core.components.base import ComponentSettings
from sre_core.connectors.llm import LLMRequest

__all__ = ["ModelSettings", "PromptSettings", "SamplingSettings", "model_name", "split_list"]

# As SmythOS has them, in lower case, where ours are others.
_PROVIDERS: Mapping[str, str] = {"googleai": "google", "togetherai": "together", "vertexai": "google"}


class SamplingSettings(ComponentSettings):
    """How a model writes. What is not given is as the model, or its provider, has it."""

    temperature: float | None = Field(
        default=None, ge=0, le=5, description="How freely the model picks words: 0 takes the likeliest, 1 is usual."
    )
    max_tokens: int | None = Field(default=None, ge=1, description="The longest reply, in tokens.")
    stop_sequences: str = Field(
        default="", max_length=400, description="Texts that end the reply, with commas or line breaks between."
    )
    top_p: float | None = Field(
        default=None, ge=0, le=1, description="Pick among the likeliest words that make up this share; 1 is all."
    )
    top_k: int | None = Field(
        default=None, ge=0, le=500, description="Pick among this many of the likeliest words; 0 is all."
    )
    frequency_penalty: float | None = Field(
        default=None, ge=0, le=2, description="Against words that were used often; 0 is none."
    )
    presence_penalty: float | None = Field(
        default=None, ge=0, le=2, description="Against words that were used at all; 0 is none."
    )
    response_format: Literal["json", "text"] | None = Field(
        default=None,
        description="json: the model is asked for JSON, which is found between other words too; if not given, it is so "
        "when the node has outputs of its own.",
    )
    passthrough: bool = Field(default=False, description="Whether the caller sees the reply while it is written.")

    @field_validator("stop_sequences", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def options(self, connector: str) -> Mapping[str, Any]:
        """What LLMRequest has no field for, by the names that connectors use; nothing that is neutral."""
        given = {
            "top_k": self.top_k,
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
        }
        return {name: value for name, value in given.items() if value}

    def fill(self, request: LLMRequest, connector: str) -> LLMRequest:
        """The request with all that is set here, over what it has already."""
        stops = tuple(split_list(self.stop_sequences))
        return replace(
            request,
            temperature=request.temperature if self.temperature is None else self.temperature,
            max_tokens=self.max_tokens or request.max_tokens,
            top_p=request.top_p if self.top_p is None else self.top_p,
            stop=stops or request.stop,
            options={**request.options, **self.options(connector)},
        )


class ModelSettings(SamplingSettings):
    """Which model, and how it writes."""

    model: str = Field(default="", max_length=200, description="The name of the model; empty for the agent's own.")

    @field_validator("model", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return model_name(value)


class PromptSettings(ModelSettings):
    """A model, and what it is told."""

    prompt: str = Field(
        default="", max_length=8_000_000, description="What the model is told; placeholders name inputs."
    )


def model_name(value: Any) -> Any:
    """The name of a model that a file holds as an object with `provider` and `modelId`; all else as it is."""
    if not isinstance(value, Mapping) or not (model := value.get("modelId")):
        return value
    provider = str(value.get("provider") or value.get("llm") or "").lower()
    provider = _PROVIDERS.get(provider, provider)
    return f"{provider}/{model}" if provider else str(model)


def split_list(text: str) -> list[str]:
    """The entries of a list that is written with commas or line breaks, without blanks around them."""
    return [entry for part in re.split(r"[,\n]", text) if (entry := part.strip())]
