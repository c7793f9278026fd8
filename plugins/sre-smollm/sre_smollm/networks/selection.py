"""Which network computes a model on this machine, and why; loads it, and prepares what makes its start fast."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sre_core import logs
from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import Network
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.prepared import prepared
from sre_smollm.weights.sources import cache_folder

if TYPE_CHECKING:
    from sre_smollm.networks.transformers_network import Placement
    from sre_smollm.vision.expansion import Sight

__all__ = ["Selection", "open_network", "placement", "prepare", "select"]

log = logs.get_logger(__name__)

# Raised when the layout of packed weights changes.
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The network for a model, and the reason in a few words."""

    engine: Literal["compiled", "transformers", "llamacpp"]
    reason: str


def select(folder: ModelFolder, settings: SmolLMSettings) -> Selection:
    """The network that `settings.engine` names, or the fastest one that can run the model.

    Raises ConfigError when what was named is not installed or cannot do what else is set, UnsupportedError when it
    cannot run the model.
    """
    if settings.engine == "compiled":
        _check_compiled(folder)
        if name := _for_transformers(settings):
            raise ConfigError(
                f"the engine 'compiled' cannot take {name} = {getattr(settings, name)!r}",
                hint=f"leave {name} out, or set engine = 'transformers'",
            )
        return Selection(engine="compiled", reason="asked for")
    if settings.engine == "llamacpp":
        return Selection(engine="llamacpp", reason="asked for")
    if settings.engine == "transformers":
        return Selection(engine="transformers", reason="asked for")
    if reason := _needs_transformers(folder, settings):
        return Selection(engine="transformers", reason=reason)
    try:
        _check_compiled(folder)
    except (ConfigError, UnsupportedError) as error:
        return Selection(engine="transformers", reason=str(error))
    return Selection(engine="compiled", reason="the fastest one on a processor")


def _needs_transformers(folder: ModelFolder, settings: SmolLMSettings) -> str:
    """Why only transformers will do; empty if others may."""
    if folder.image_text:
        return "the model takes images"
    if name := _for_transformers(settings):
        return "exact weights were asked for" if name in {"dtype", "quantization"} else "a device was asked for"
    return "there is a graphics processor" if settings.device == "auto" and _has_gpu() else ""


def _for_transformers(settings: SmolLMSettings) -> str:
    """The setting that only transformers can follow; empty if there is none."""
    asked = {
        "device": settings.device not in {"auto", "cpu"},
        "device_map": settings.device_map is not None,
        "memory_limit": settings.memory_limit is not None,
        "dtype": settings.dtype != "auto",
        "quantization": settings.quantization == "none",
    }
    return next((name for name, wanted in asked.items() if wanted), "")


def _has_gpu() -> bool:
    """Whether there may be one. Importing torch would tell for sure, but takes seconds."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    if shutil.which("nvidia-smi") is None and not Path("/dev/nvidia0").exists() and not Path("/dev/kfd").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())


def _check_compiled(folder: ModelFolder) -> None:
    from sre_smollm.networks.compiled.network import check

    if find_spec("numba") is None:
        raise ConfigError("the engine 'compiled' needs numba", hint="pip install numba")
    check(folder)


def open_network(
    folder: ModelFolder,
    settings: SmolLMSettings,
    *,
    gguf: Path | None,
    context_tokens: int,
    sight: "Sight | None" = None,
) -> Network:
    """Load the selected network. Slow: call it in a thread. `gguf` is the file that the folder was made of, if any.

    With `sight` it takes the pictures of that as well.
    Raises as `select` does, and as the loading of each network does.
    """
    match select(folder, settings).engine:
        case "compiled":
            from sre_smollm.networks.compiled.network import load as load_compiled

            return load_compiled(
                folder,
                _packed(folder.path, settings),
                context_tokens=context_tokens,
                threads=_threads(settings),
                decode_threads=settings.decode_threads,
            )
        case "llamacpp":
            from sre_smollm.networks.llamacpp_loading import load as load_llamacpp

            if gguf is None:
                raise ConfigError(
                    f"the engine 'llamacpp' reads GGUF files, not the folder {str(folder.path)!r}",
                    hint="set weights = '<file>.gguf', or engine = 'auto'",
                )
            return load_llamacpp(
                gguf,
                memory_bytes=settings.cache_bytes or 1 << 30,
                threads=settings.threads,
                decode_threads=settings.decode_threads,
                context_tokens=context_tokens,
            )
        case "transformers":
            from sre_smollm.networks.transformers_network import load as load_transformers

            if sight is None:
                return load_transformers(folder, placement(settings))
            from sre_smollm.vision.network import load as load_image_text

            return load_image_text(folder, placement(settings), sight, limit=settings.image_cache_bytes)


def placement(settings: SmolLMSettings) -> "Placement":
    """What transformers is told."""
    from sre_smollm.networks.transformers_network import Placement

    return Placement(
        device=settings.device,
        dtype=settings.dtype,
        quantization="none" if settings.quantization == "auto" else settings.quantization,
        read_threads=settings.threads,
        write_threads=settings.decode_threads,
        device_map=settings.device_map,
        memory_limit=settings.memory_limit,
        offload_folder=settings.offload_folder,
        compile=settings.compile,
    )


def _packed(folder: Path, settings: SmolLMSettings) -> Path:
    """The packed weights of the compiled network, made if they are not there yet."""
    from sre_smollm.networks.compiled.packing import pack

    precision = settings.quantization if settings.quantization != "none" else "auto"
    return prepared(
        folder, cache_folder(settings), f"compiled-{precision}-{_FORM}", lambda file: pack(folder, file, precision)
    )


def _threads(settings: SmolLMSettings) -> int:
    return settings.threads or os.cpu_count() or 1


def prepare(folder: Path, settings: SmolLMSettings) -> None:
    """Make what the selected network would make at its first start. For `sre pull`."""
    facts = ModelFolder.read(folder)
    if select(facts, settings).engine == "compiled":
        from sre_smollm.networks.compiled.preparing import compile_kernels

        compile_kernels(_packed(folder, settings).parent)
