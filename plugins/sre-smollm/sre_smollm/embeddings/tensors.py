"""Reads the tensors of a folder into float32 arrays, without torch where that is possible."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from sre_core.errors import ConfigError
from sre_smollm.weights.checks import pickled, weight_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_tensors"]


def read_tensors(folder: Path, *, leave: Collection[str] = ()) -> "dict[str, NDArray[np.float32]]":
    """The floating-point tensors of a folder's safetensors, by name, without those whose name has a part in `leave`.

    Raises ConfigError when there are none, or when a file is damaged.
    """
    from safetensors import SafetensorError

    files = weight_files(folder)
    if not files:
        pickle = pickled(folder)
        raise ConfigError(
            f"the model folder {str(folder)!r} has no *.safetensors" + (f", only {pickle!r}" if pickle else ""),
            hint="save the model again, as safetensors; a pickle runs code when it is read",
        )
    found: dict[str, NDArray[np.float32]] = {}
    for file in files:
        try:
            found.update(_read(file, leave))
        except (SafetensorError, OSError) as error:
            raise ConfigError(
                f"the weights {str(file)!r} are damaged: {error}", hint="fetch or save the model again"
            ) from error
    return found


def _read(file: Path, leave: Collection[str]) -> "dict[str, NDArray[np.float32]]":
    import numpy as np
    from safetensors import safe_open

    with safe_open(file, framework="np") as opened:
        names = [name for name in opened.keys() if not any(part in name for part in leave)]  # noqa: SIM118
        kinds = {name: opened.get_slice(name).get_dtype() for name in names}
        # numpy has no bfloat16.
        if "BF16" in kinds.values():
            return {name: tensor for name, tensor in _by_torch(file).items() if name in kinds}
        floats = [name for name, kind in kinds.items() if kind in {"F16", "F32", "F64"}]
        return {name: opened.get_tensor(name).astype(np.float32, copy=False) for name in floats}


def _by_torch(file: Path) -> "dict[str, NDArray[np.float32]]":
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(file).items() if tensor.is_floating_point()}
