"""Settings of the on-device model: which weights, how they are computed, within which limits."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from sre_core.connectors.base import Settings

__all__ = ["Choice", "EngineName", "SmolLMSettings"]

Choice = Literal["auto", "likelihood", "free"]
EngineName = Literal["auto", "compiled", "transformers", "llamacpp"]


class SmolLMSettings(Settings):
    """What `[connectors.llm.<id>]` with `use = "smollm"` takes; everything has a default.

    Sizes are in tokens where nothing else is said.
    """

    model: str = Field(
        default="auto",
        description="A known name (smollm3, smollm2-135m, ...), a folder with safetensors, a GGUF file, or a hub id; "
        "auto is smollm3 if its weights are on this machine, else smollm2-135m.",
    )
    weights: Path | None = Field(
        default=None, description="Folder or GGUF file that holds the weights of `model`, wherever that would look."
    )
    allow_download: bool = Field(default=False, description="Fetch missing weights from the Hugging Face hub.")
    cache_folder: Path | None = Field(
        default=None, description="Where converted weights are kept; the user's cache folder if not given."
    )
    engine: EngineName = Field(
        default="auto", description="What computes: auto takes the fastest one that can run the model on this machine."
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1, mps.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto",
        description="Numbers of the engine transformers; auto is bfloat16 where the processor gains from it, else "
        "float32. Naming one chooses that engine.",
    )
    quantization: Literal["auto", "none", "int8", "int4"] = Field(
        default="auto",
        description="Bits of the weights. auto is none with the engine transformers; compiled keeps weights that are "
        "4-bit already, and gives others 8 bits below a billion parameters, else 4.",
    )
    device_map: str | None = Field(default=None, description="Spread layers over devices: auto, balanced, sequential.")
    memory_limit: str | None = Field(default=None, description='Of each device with `device_map`, such as "6GiB".')
    offload_folder: Path | None = Field(default=None, description="Where layers go that fit no device.")
    compile: bool = Field(
        default=False, description="torch.compile with the engine transformers; slower on processors."
    )
    threads: int | None = Field(
        default=None, ge=1, description="Processor threads to read a prompt with; all cores if not given."
    )
    decode_threads: int = Field(
        default=1, ge=1, description="Processor threads to write with; more than one suffers on a busy machine."
    )
    batch: int = Field(default=16, ge=1, description="Requests that are worked on at the same time.")
    queue: int = Field(default=1000, ge=1, description="Requests that may wait; one more is refused.")
    cache_bytes: int = Field(
        default=1 << 30,
        ge=0,
        description="Bytes for keys and values, those of requests at work and those kept for prompts that begin alike; "
        "0 keeps none.",
    )
    unload_after: float | None = Field(
        default=None,
        gt=0,
        description="Seconds without a request after which the weights are freed; never if not given.",
    )
    context_tokens: int | None = Field(default=None, ge=16, description="Prompt and reply together; the model's own.")
    max_tokens: int = Field(default=1024, ge=1, description="Longest reply when the request does not say.")
    choice: Choice = Field(
        default="auto",
        description="How a skill is chosen: likelihood compares skills one by one, free lets the model write; "
        "auto is likelihood below a billion parameters.",
    )
    restraint: float = Field(
        default=0.0,
        description="With likelihood, the score that a skill must exceed, in units of a logistic regression: at 0 it "
        "is as likely wanted as not; a lower one calls more.",
    )
    thinking: bool | Literal["auto"] = Field(
        default=False, description="Whether the model thinks when the request does not say; auto is the model's habit."
    )
    tools_as: Literal["auto", "tools", "xml_tools", "python_tools", "text"] = Field(
        default="auto", description="How skills are shown to the model; auto is what its template knows."
    )
    chat_template: str | None = Field(
        default=None, description="Instead of the model's own: chatml, the path of a file, or the text itself."
    )
    system_prompt: str | None = Field(
        default=None, description="Instructions when the request has none; the model's own if not given."
    )
    image_detail: Literal["high", "low"] = Field(
        default="high",
        description="Whether SmolVLM and Idefics3 look at an image in tiles, or once at the whole of it, which is less "
        "work for them and too little to read small print.",
    )
    image_cache_bytes: int = Field(
        default=256 << 20,
        ge=0,
        description="Bytes for what the model saw in images, and as many for images that it has not looked at yet; "
        "beyond that images are looked at anew.",
    )
    embedding_model: str = Field(
        default="minilm", description="What `embed` uses: minilm, a sentence-transformers folder, or a hub id."
    )
    embedding_device: str = Field(
        default="auto", description="auto runs BERT networks on the processor, others where torch is fastest."
    )
    embedding_cache_bytes: int = Field(
        default=64 << 20, ge=0, description="Bytes for vectors that were asked for before; 0 keeps none."
    )

    @field_validator("memory_limit")
    @classmethod
    def _size(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d+(\.\d+)?\s*[KMG]i?B", value, re.IGNORECASE):
            raise ValueError("it should be a size such as '6GiB' or '500MB'")
        return value
