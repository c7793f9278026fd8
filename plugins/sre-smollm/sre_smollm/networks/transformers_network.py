"""Loads any causal model of transformers, on any device, as a network."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sre_core import logs
from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import Network, NetworkInfo
from sre_smollm.networks.folder import ModelFolder

if TYPE_CHECKING:
    import torch

    from sre_smollm.networks.packed_network import PackedNetwork
    from sre_smollm.networks.threads import Threads

__all__ = ["Placement", "load", "load_with"]

log = logs.get_logger(__name__)

# Bytes of weights.
_LARGE = 2 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the weights are kept, how exactly, and what may be used to compute.

    `device` is auto, cpu, cuda, cuda:1 or mps. `device_map` (auto, balanced, sequential) spreads layers over all
    devices; `memory_limit`, such as "6GiB", is for each of them, and what does not fit goes to the processor and then
    to `offload_folder`. `int8` and `int4` are for weights only. `read_threads` are for prompts, all cores if None.
    """

    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantization: Literal["none", "int8", "int4"] = "none"
    read_threads: int | None = None
    write_threads: int = 1
    device_map: str | None = None
    memory_limit: str | None = None
    offload_folder: Path | None = None
    compile: bool = False


def load(folder: ModelFolder, placement: Placement) -> Network:
    """Read the weights. Slow: call it in a thread.

    Weights that are kept as they lie in the folder are mapped, and processes share them. Raises ConfigError when the
    folder, the device or what is asked of it is wrong, OutOfMemoryError when the weights do not fit.
    """
    return load_with(folder, placement, None)


def load_with(
    folder: ModelFolder,
    placement: Placement,
    make: "Callable[[Any, NetworkInfo, Threads], PackedNetwork] | None",
) -> Network:
    """As `load`, but as a network that `make` makes of the model.

    Raises UnsupportedError if rows cannot be packed; with None it is a plain network then.
    """
    from sre_smollm.networks.memory import memory_errors
    from sre_smollm.networks.packed_network import PackedNetwork, packed
    from sre_smollm.networks.plain_network import PlainNetwork
    from sre_smollm.networks.threads import Threads

    device = _device(placement.device)
    with memory_errors():
        model = _model(folder, placement, device)
        threads = Threads(read=placement.read_threads, write=placement.write_threads)
        info = NetworkInfo(
            name="transformers",
            device=str(device),
            weights=_weights(model, placement),
            parameters=folder.parameters,
            vocabulary=int(model.config.get_text_config().vocab_size),
            context_tokens=folder.context_tokens,
            token_bytes=0,
        )
        network: Network | None = packed(model, info, threads, make or PackedNetwork)
        if network is None and make is not None:
            raise UnsupportedError(
                f"the model in {str(folder.path)!r} takes no images here: its attention is of an unknown kind",
                hint="use SmolVLM, Idefics3 or LLaVA",
            )
        network = network or PlainNetwork(model, info, threads)
        if placement.compile:
            model.compile(dynamic=True)
    log.debug("network_loaded", folder=str(folder.path), packed=network.info.token_bytes > 0, **_shown(network.info))
    return network


def _shown(info: NetworkInfo) -> dict[str, Any]:
    return {"device": info.device, "weights": info.weights, "parameters": info.parameters}


def _model(folder: ModelFolder, placement: Placement, device: "torch.device") -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    kind: Any = AutoModelForImageTextToText if folder.image_text else AutoModelForCausalLM
    options = _options(folder, placement, device)
    try:
        with _no_bars():
            model: Any = kind.from_pretrained(str(folder.path), local_files_only=True, **options)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, ImportError, SafetensorError) as error:
        raise ConfigError(
            f"the model folder {str(folder.path)!r} cannot be read: {error}",
            hint="a file in it is damaged or missing: delete the folder if it lies in the cache, or fetch it again",
        ) from error
    if "device_map" not in options:
        model = model.to(device)
    model = model.eval().requires_grad_(False)  # noqa: FBT003 -- torch names it so
    if placement.quantization != "none" and device.type == "cpu":
        from sre_smollm.networks.weight_only import quantize

        quantize(model, placement.quantization)
    return model


def _options(folder: ModelFolder, placement: Placement, device: "torch.device") -> dict[str, Any]:
    """What transformers is told."""
    import torch

    options: dict[str, Any] = {"dtype": _dtype(folder, placement, device)}
    if placement.device_map or placement.memory_limit:
        if find_spec("accelerate") is None:
            raise ConfigError(
                "device_map and memory_limit need the package 'accelerate'", hint="pip install accelerate"
            )
        options["device_map"] = placement.device_map or "auto"
        if placement.memory_limit:
            devices = range(torch.cuda.device_count()) if device.type == "cuda" else (device.type,)
            options["max_memory"] = {**dict.fromkeys(devices, placement.memory_limit)}
        if placement.offload_folder:
            options["offload_folder"] = str(placement.offload_folder)
    if placement.quantization == "none":
        return options
    if device.type == "cpu":
        if "device_map" in options:
            raise ConfigError(
                f"quantization {placement.quantization!r} on a processor takes no device_map or memory_limit",
                hint="leave one of them out",
            )
        return options
    options["quantization_config"] = _on_device(placement.quantization, device)
    options.setdefault("device_map", {"": str(device)})
    return options


def _on_device(kind: str, device: "torch.device") -> Any:
    """Weights of eight or four bits elsewhere than on a processor are the business of two other packages."""
    if device.type == "cuda" and find_spec("bitsandbytes") is not None:
        return import_module("transformers").BitsAndBytesConfig(
            load_in_8bit=kind == "int8", load_in_4bit=kind == "int4"
        )
    if find_spec("torchao") is not None:
        kinds = import_module("torchao.quantization")
        chosen = kinds.Int8WeightOnlyConfig() if kind == "int8" else kinds.Int4WeightOnlyConfig()
        return import_module("transformers").TorchAoConfig(chosen)
    raise ConfigError(
        f"quantization {kind!r} on {str(device)!r} needs the package 'bitsandbytes' or 'torchao'",
        hint="pip install bitsandbytes, or leave quantization out",
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
    absent = (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if absent:
        raise ConfigError(f"device {name!r} is not on this machine", hint="use device = 'auto' or 'cpu'")
    return device


def _dtype(folder: ModelFolder, placement: Placement, device: "torch.device") -> "torch.dtype":
    import torch

    if placement.quantization != "none" and device.type == "cpu":
        # The products with such weights are fast in bfloat16 only.
        if placement.dtype not in {"auto", "bfloat16"}:
            raise ConfigError(
                f"quantization {placement.quantization!r} computes in bfloat16, not in {placement.dtype!r}",
                hint="leave dtype out",
            )
        return torch.bfloat16
    if placement.dtype != "auto":
        chosen: torch.dtype = getattr(torch, placement.dtype)
        return chosen
    if device.type != "cpu":
        return torch.bfloat16
    able: Mapping[str, Any] = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    # A small model is no faster in bfloat16 without matrix instructions; a large one waits for memory anyway.
    large = folder.weight_bytes > _LARGE
    return torch.bfloat16 if able.get("amx_bf16") or (large and able.get("avx512_bf16")) else torch.float32


def _weights(model: Any, placement: Placement) -> str:
    return placement.quantization if placement.quantization != "none" else str(model.dtype).removeprefix("torch.")


@contextmanager
def _no_bars() -> Iterator[None]:
    """Loading a model shows no bar of its own: who loads it shows one."""
    from transformers.utils import logging as hub_logging

    bars: Any = hub_logging  # untyped functions
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()
