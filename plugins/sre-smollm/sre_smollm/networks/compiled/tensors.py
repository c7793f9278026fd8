"""Reads safetensors files where they lie: arrays that are mapped from the disk, so that processes share them."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sre_core.errors import ConfigError, UnsupportedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Place", "TensorFile", "open_tensors", "write_tensors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a tensor lies in its file: `offset` and `size` in bytes."""

    kind: str
    shape: tuple[int, ...]
    offset: int
    size: int


class TensorFile:
    """One safetensors file, mapped read-only. `data` is all of it, as bytes."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError when the file is damaged."""
        import numpy as np

        try:
            self.data: NDArray[np.uint8] = np.memmap(file, dtype=np.uint8, mode="r")
            # The format: eight bytes with the length of a JSON header, the header, the tensors.
            size = int.from_bytes(self.data[:8].tobytes(), "little")
            header: dict[str, Any] = json.loads(self.data[8 : 8 + size].tobytes())
            self.metadata: dict[str, str] = header.pop("__metadata__", {})
            self.places = {name: _place(entry, 8 + size) for name, entry in header.items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(file, error) from error
        for name, place in self.places.items():
            if place.offset + place.size > self.data.size:
                raise _damaged(file, f"tensor {name!r} goes beyond its end")

    def rows(self, name: str, *, at_once: int = 2**21) -> "Iterator[NDArray[np.float32]]":
        """A matrix (rows, columns) or vector as float32, some rows at a time.

        Raises UnsupportedError when its numbers are of a kind that is not read.
        """
        import numpy as np

        place = self.places[name]
        if place.kind not in _KINDS:
            raise UnsupportedError(
                f"the tensor {name!r} is of the kind {place.kind!r}, which the compiled network does not read",
                hint="set engine = 'transformers', or use weights in BF16, F16 or F32",
            )
        raw = self.data[place.offset : place.offset + place.size]
        width = place.shape[-1]
        # Whole tiles of 16 rows, except at the end.
        step = max(at_once // width // 16 * 16, 16) * width
        for start in range(0, place.size // _SIZES[place.kind], step):
            part = raw[start * _SIZES[place.kind] : (start + step) * _SIZES[place.kind]]
            # A copy, since a mapped tensor may lie unaligned.
            copy = np.array(part)
            if place.kind == "BF16":
                numbers = (copy.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                numbers = copy.view(np.float16 if place.kind == "F16" else np.float32).astype(np.float32, copy=False)
            yield numbers.reshape(-1, width)


_KINDS = ("F32", "F16", "BF16")
_SIZES = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1}
# Where the first tensor begins is a multiple of it, so that tiles do not straddle lines of the cache.
_LINE = 64


def _place(entry: Any, start: int) -> Place:
    first, last = entry["data_offsets"]
    return Place(kind=entry["dtype"], shape=tuple(entry["shape"]), offset=start + first, size=last - first)


def _damaged(file: Path, reason: object) -> ConfigError:
    return ConfigError(f"the weights {str(file)!r} cannot be read: {reason}", hint="delete the file, or fetch it again")


def open_tensors(files: Iterable[Path]) -> dict[str, TensorFile]:
    """The file of each tensor in safetensors files. Raises ConfigError when one is damaged."""
    return {name: file for file in map(TensorFile, files) for name in file.places}


def write_tensors(
    file: Path, places: Mapping[str, tuple[str, tuple[int, ...]]], parts: "Iterable[NDArray[np.generic]]"
) -> None:
    """Write a safetensors file of tensors whose kinds and shapes are given, from the parts of one after the other."""
    header: dict[str, Any] = {}
    end = 0
    for name, (kind, shape) in places.items():
        start, end = end, end + math.prod(shape) * _SIZES[kind]
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % _LINE)
    with file.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for part in parts:
            stream.write(part.tobytes())
