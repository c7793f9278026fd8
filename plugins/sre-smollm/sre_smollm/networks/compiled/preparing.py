"""Compiles the loops once for this machine, and keeps the machine code in the folder of converted weights."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from sre_core import logs
from sre_smollm.networks.base import Row
from sre_smollm.networks.compiled.packing import PARTS, pack
from sre_smollm.networks.compiled.tensors import TensorFile, write_tensors
from sre_smollm.networks.folder import ModelFolder

__all__ = ["compile_kernels", "kernels"]

log = logs.get_logger(__name__)

# Sizes as small as the loops allow.
_TINY = {
    "model_type": "llama",
    "vocab_size": 32,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 64,
}


def _place(cache: Path) -> Path:
    """Where the machine code of exactly these sources lies, made by this compiler for this processor.

    numba itself looks only at the file of a compiled function, not at those that it takes code from.
    """
    import numba
    from llvmlite import binding  # type: ignore[import-untyped]

    text = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        text.update(file.read_bytes())
    features = sorted(name for name, there in binding.get_host_cpu_features().items() if there)
    text.update(repr((numba.__version__, sys.version, binding.get_host_cpu_name(), features)).encode())
    return cache / f"code-{text.hexdigest()[:16]}"


def kernels(cache: Path) -> ModuleType:
    """The compiled loops; machine code is kept in the folder `cache`, the first that a process names."""
    from numba.core import config as numba_config

    config: Any = numba_config  # its names are made when it is loaded
    before = config.CACHE_DIR
    place = _place(cache)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("machine_code_not_kept", place=str(place), reason=str(error))
        # The system clears it away some day; numba wants some place.
        place = Path(tempfile.mkdtemp(prefix="sre-code-"))
    # It is looked at when the functions are defined, and nobody else's functions are meant.
    config.CACHE_DIR = str(place)
    try:
        from sre_smollm.networks.compiled import kernels
    finally:
        config.CACHE_DIR = before
    return kernels


def compile_kernels(cache: Path) -> None:
    """Compile the loops, if that was not done yet with this version on this machine; it takes some seconds."""
    ready = _place(cache) / "ready"
    if ready.exists():
        return
    log.info("compiling_kernels", place=str(ready.parent))
    sys.stderr.write("smollm: compiling for this processor once…\n")
    _run_all(cache)
    # Without it numba has found another place, since this one cannot be written, or an earlier one of this process.
    if any(ready.parent.rglob("*.nbc")):
        ready.touch()
    sys.stderr.write("smollm: compiled\n")


def _run_all(cache: Path) -> None:
    """Have a model of a few numbers call every loop, so that each is compiled for just what real ones call it with."""
    import numpy as np

    from sre_smollm.networks.compiled.network import CompiledNetwork

    shapes: dict[str, tuple[int, ...]] = {f"model.layers.0.{part}.weight": (32, 32) for part in PARTS}
    shapes |= {f"model.layers.0.self_attn.{part}_proj.weight": (16, 32) for part in "kv"}
    vectors = ("model.norm", "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm")
    shapes |= {"model.embed_tokens.weight": (32, 32)} | {f"{name}.weight": (32,) for name in vectors}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps(_TINY))
        write_tensors(
            folder / "model.safetensors",
            {name: ("F32", shape) for name, shape in shapes.items()},
            (np.ones(shape, np.float32) for shape in shapes.values()),
        )
        pack(folder, folder / "packed", "auto")
        # On two threads, since the loops of a whole step are called on one and its parts on several.
        network = CompiledNetwork(
            ModelFolder.read(folder), TensorFile(folder / "packed"), cache, context_tokens=64, threads=(2, 1)
        )
        for count in (1, 32):
            network.forward([Row(cache=network.cache(), ids=[1] * count)])
        network.close()
