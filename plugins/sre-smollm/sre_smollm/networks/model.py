"""Loads a model and its tokenizer from a safetensors folder, in the right precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sre_core import logs
from sre_core.errors import ConfigError
from sre_smollm.settings import SmolLMSettings

if TYPE_CHECKING:
    import torch

__all__ = ["Model", "load"]

log = logs.get_logger(__name__)

# Bytes of weights.
_LARGE = 2 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A loaded model; `folder` holds its weights, `ends` are the ids of the tokens that end a reply."""

    folder: Path
    network: Any
    tokenizer: Any
    device: "torch.device"
    context_tokens: int
    ends: frozenset[int]
    parameters: int


def load(folder: Path, settings: SmolLMSettings) -> Model:
    """Read the weights. Slow: call it in a thread. Raises ConfigError when the folder or the device is wrong."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as hub_logging

    bars: Any = hub_logging  # untyped functions

    device = _device(settings.device)
    dtype = _dtype(settings.dtype, device, folder)
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        network: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ConfigError(
            f"the model folder {str(folder)!r} cannot be read: {error}",
            hint="a file in it is damaged or missing: delete the folder if it lies in the cache, or fetch it again",
        ) from error
    finally:
        if shown:
            bars.enable_progress_bar()
    network = network.to(device).eval().requires_grad_(False)  # noqa: FBT003 -- torch names it so
    parameters = sum(weight.numel() for weight in network.parameters())
    log.debug("model_loaded", folder=str(folder), device=str(device), dtype=str(dtype), parameters=parameters)
    return Model(
        folder=folder,
        network=network,
        tokenizer=tokenizer,
        device=device,
        context_tokens=_context(network.config, settings),
        ends=_ends(network, tokenizer),
        parameters=parameters,
    )


def _device(name: str) -> "torch.device":
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"unknown device {name!r}", hint="use auto, cpu, cuda, cuda:1 or mps") from error
    absent = (device.type == "cuda" and not torch.cuda.is_available()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if absent:
        raise ConfigError(f"device {name!r} is not on this machine", hint="use device = 'auto' or 'cpu'")
    return device


def _dtype(name: str, device: "torch.device", folder: Path) -> "torch.dtype":
    import torch

    if name != "auto":
        chosen: torch.dtype = getattr(torch, name)
        return chosen
    if device.type != "cpu":
        return torch.bfloat16
    able: Mapping[str, Any] = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    # A small model is no faster in bfloat16 without matrix instructions; a large one waits for memory anyway.
    large = sum(file.stat().st_size for file in folder.glob("*.safetensors")) > _LARGE
    return torch.bfloat16 if able.get("amx_bf16") or (large and able.get("avx512_bf16")) else torch.float32


def _context(config: Any, settings: SmolLMSettings) -> int:
    own = int(getattr(config, "max_position_embeddings", 0)) or 2048
    if settings.context_tokens is None:
        return own
    if settings.context_tokens > own:
        raise ConfigError(
            f"context_tokens = {settings.context_tokens} is more than the model's {own}",
            hint="lower it, or leave it out",
        )
    return settings.context_tokens


def _ends(network: Any, tokenizer: Any) -> frozenset[int]:
    found: list[int] = []
    for value in (tokenizer.eos_token_id, network.config.eos_token_id, network.generation_config.eos_token_id):
        if isinstance(value, int):
            found.append(value)
        elif isinstance(value, list):
            found.extend(value)
    return frozenset(found)
