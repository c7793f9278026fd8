"""Quantises a model's weights into one file that the compiled network maps: 4 or 8 bits a weight, in blocks of 32."""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sre_core import logs
from sre_core.errors import ConfigError
from sre_smollm.networks.compiled.tensors import TensorFile, open_tensors, write_tensors
from sre_smollm.networks.folder import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PARTS", "Precision", "eight_bits", "four_bits", "missing", "pack"]

log = logs.get_logger(__name__)

Precision = Literal["auto", "int8", "int4"]
PARTS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
_BLOCK = 32
_ROWS = 16
# Bytes of a tile.
_SIZES = {4: 320, 8: 544}
# Above so many parameters 8 bits a weight make a model too slow to be of use on most processors.
_LARGE = 10**9
# Mean square error over mean square of the weights, below which they had no more than 4 bits before.
_EXACT = 1e-6


def pack(folder: Path, file: Path, precision: Precision) -> None:
    """Write the weights of `folder` (safetensors) into `file`, a part of a tensor at a time.

    `auto` keeps matrices that are 4-bit already in 4 bits without loss; others get 8 bits in a model of less than a
    billion parameters, else 4. The table of tokens always has 8, since it also gives the scores. Raises ConfigError
    when a tensor is missing or a file is damaged, UnsupportedError when weights are of a kind it does not know.
    """
    model = ModelFolder.read(folder)
    source = open_tensors(model.weights)
    if absent := missing(source, model.layers):
        raise ConfigError(
            f"the model in {str(folder)!r} has no tensor {absent[0]!r}", hint="fetch it again, it is not whole"
        )
    wanted = {name: _bits(source[name], name, precision, model.parameters) for name in _order(source)}
    places = {name: _room(source[name].places[name].shape, bits) for name, bits in wanted.items()}
    write_tensors(file, places, (part for name, bits in wanted.items() for part in _parts(source[name], name, bits)))
    log.info(
        "weights_packed", folder=str(folder), file=str(file), parameters=model.parameters, bytes=file.stat().st_size
    )


def _order(names: Iterable[str]) -> list[str]:
    """As they are read in a step, since what comes next is asked for ahead."""

    def key(name: str) -> tuple[int, ...]:
        numbers = [int(part) for part in name.split(".") if part.isdigit()]
        parts = [place for place, part in enumerate(PARTS) if part in name]
        return (*(numbers or [-1]), *(parts or [-1]))

    return sorted(names, key=key)


def _bits(tensors: TensorFile, name: str, precision: Precision, parameters: int) -> int:
    """4 or 8 for a matrix; 32 for what stays as it is."""
    if not name.endswith("weight") or len(tensors.places[name].shape) != 2:
        return 32
    if name.startswith(("model.embed_tokens", "lm_head")) or precision == "int8":
        return 8
    return 4 if precision == "int4" or parameters >= _LARGE or _is_four_bits(tensors, name) else 8


def _room(shape: tuple[int, ...], bits: int) -> tuple[str, tuple[int, ...]]:
    """Kind and shape of what is written for a tensor."""
    if bits == 32:
        return "F32", (math.prod(shape),)
    return "U8", (-(-shape[0] // _ROWS), shape[1] // _BLOCK * _SIZES[bits])


def _parts(tensors: TensorFile, name: str, bits: int) -> "Iterator[NDArray[np.generic]]":
    """Tiles of all rows, some at a time; rows of zeros fill up the last one."""
    import numpy as np

    for rows in tensors.rows(name):
        if bits == 32:
            yield rows
        else:
            lacking = -len(rows) % _ROWS
            whole = np.pad(rows, ((0, lacking), (0, 0))) if lacking else rows
            yield four_bits(whole) if bits == 4 else eight_bits(whole)


def _is_four_bits(tensors: TensorFile, name: str) -> bool:
    """Whether a sample of the matrix survives 4 bits unchanged."""
    rows = next(tensors.rows(name, at_once=2**18))
    return _loss(rows[: len(rows) // _ROWS * _ROWS]) < _EXACT


def four_bits(rows: "NDArray[np.float32]") -> "NDArray[np.uint8]":
    """Rows (a multiple of 16, width) as tiles of 4 bits: (rows / 16, width / 32 * 320) bytes."""
    import numpy as np

    blocks = rows.reshape(-1, _ROWS, rows.shape[1] // _BLOCK, _BLOCK)
    low, high = blocks.min(-1), blocks.max(-1)
    scale, minimum = ((high - low) / 15).astype(np.float16), low.astype(np.float16)
    step = scale.astype(np.float32)
    shifted = blocks - minimum.astype(np.float32)[..., None]
    numbers = np.rint(shifted / np.where(step == 0, 1, step)[..., None]).clip(0, 15).astype(np.uint8)
    # (tile, row, block, chunk, half, byte) -> (tile, block, chunk, row, byte)
    split = numbers.reshape(*blocks.shape[:3], 4, 2, 4)
    pairs = (split[..., 0, :] | (split[..., 1, :] << 4)).transpose(0, 2, 3, 1, 4)
    return _tiles([scale, minimum], pairs)


def eight_bits(rows: "NDArray[np.float32]") -> "NDArray[np.uint8]":
    """Rows (a multiple of 16, width) as tiles of 8 bits: (rows / 16, width / 32 * 544) bytes."""
    import numpy as np

    blocks = rows.reshape(-1, _ROWS, rows.shape[1] // _BLOCK, _BLOCK)
    scale = (np.abs(blocks).max(-1) / 127).astype(np.float16)
    step = scale.astype(np.float32)
    numbers = np.rint(blocks / np.where(step == 0, 1, step)[..., None]).clip(-127, 127) + 128
    chunks = numbers.astype(np.uint8).reshape(*blocks.shape[:3], 8, 4).transpose(0, 2, 3, 1, 4)
    return _tiles([scale], chunks)


def _tiles(heads: "list[NDArray[np.float16]]", bytes_: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """Heads (tile, row, block) and then bytes (tile, block, ...) of each tile."""
    import numpy as np

    tiles, blocks = bytes_.shape[:2]
    fronts = [np.ascontiguousarray(head.transpose(0, 2, 1)).view(np.uint8) for head in heads]
    return np.concatenate([*fronts, bytes_.reshape(tiles, blocks, -1)], -1).reshape(tiles, -1)


def _loss(rows: "NDArray[np.float32]") -> float:
    """Mean square error of 4 bits over the mean square of the weights."""
    import numpy as np

    tiles = four_bits(rows).reshape(len(rows) // _ROWS, rows.shape[1] // _BLOCK, 320)
    heads = tiles[..., :64].copy().view(np.float16).astype(np.float32).reshape(*tiles.shape[:2], 2, _ROWS)
    pairs = tiles[..., 64:].reshape(*tiles.shape[:2], 4, _ROWS, 4)
    # (tile, block, chunk, row, half, byte) -> (tile, row, block, chunk, half, byte)
    numbers = np.stack([pairs & 15, pairs >> 4], -2).transpose(0, 3, 1, 2, 4, 5).reshape(*_sizes(tiles), _BLOCK)
    scale, minimum = (heads[:, :, place].transpose(0, 2, 1)[..., None] for place in (0, 1))
    restored = (numbers * scale + minimum).reshape(rows.shape)
    return float(np.square(rows - restored).mean() / max(np.square(rows).mean(), 1e-30))


def _sizes(tiles: "NDArray[np.uint8]") -> tuple[int, int, int]:
    return len(tiles), _ROWS, tiles.shape[1]


def missing(names: Mapping[str, object], layers: int) -> list[str]:
    """The tensors that a decoder of so many layers needs and `names` lacks."""
    wanted = [f"model.layers.{layer}.{part}.weight" for layer in range(layers) for part in PARTS]
    return [name for name in ("model.embed_tokens.weight", "model.norm.weight", *wanted) if name not in names]
