"""Settings of the on-device model: which weights, on which device, within which limits."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from sre_core.connectors.base import Settings

__all__ = ["Choice", "SmolLMSettings"]

Choice = Literal["auto", "likelihood", "free"]


class SmolLMSettings(Settings):
    """What `[connectors.llm.<id>]` with `use = "smollm"` takes; everything has a default.

    Sizes are in tokens.
    """

    model: str = Field(
        default="smollm2-135m",
        description="A known name (smollm2-135m, smollm3), a folder with safetensors, a GGUF file, or a hub id.",
    )
    weights: Path | None = Field(
        default=None, description="Folder or GGUF file that holds the weights of `model`, wherever that would look."
    )
    allow_download: bool = Field(default=False, description="Fetch missing weights from the Hugging Face hub.")
    cache_folder: Path | None = Field(
        default=None, description="Where converted weights are kept; the user's cache folder if not given."
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1, mps.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="auto is bfloat16 where the processor gains from it, else float32."
    )
    threads: int | None = Field(
        default=None, ge=1, description="Processor threads to read a prompt with; all cores if not given."
    )
    decode_threads: int = Field(
        default=1, ge=1, description="Processor threads to write with; more than one suffers on a busy machine."
    )
    context_tokens: int | None = Field(default=None, ge=16, description="Prompt and reply together; the model's own.")
    max_tokens: int = Field(default=1024, ge=1, description="Longest reply when the request does not say.")
    choice: Choice = Field(
        default="auto",
        description="How a skill is chosen: likelihood compares skills one by one, free lets the model write; "
        "auto is likelihood below a billion parameters.",
    )
    thinking: bool = Field(default=False, description="Let the model think when the request does not say.")
    system_prompt: str | None = Field(
        default=None, description="Instructions when the request has none; the model's own if not given."
    )
