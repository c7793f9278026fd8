"""Compiled loops that read single rows of a quantised matrix, as the table of tokens is read."""

# mypy: disable-error-code="untyped-decorator"
# numba is untyped.

from typing import Any

import numpy as np
from numba import njit, types

from sre_smollm.networks.compiled.code import half

__all__ = ["unpack_rows"]

_BLOCK = 32
_FAST = njit(nogil=True, cache=True, error_model="numpy")


@_FAST
def unpack_rows(w: Any, place: Any, rows: Any, out: Any) -> None:
    """Some rows of a matrix as float32, into `out` (rows, width); `place` is its offset and its bits."""
    blocks = out.shape[1] // _BLOCK
    bits = place[1]
    size = 320 if bits == 4 else 544
    for token in range(rows.shape[0]):
        tile, lane = rows[token] // 16, rows[token] % 16
        for block in range(blocks):
            start = place[0] + (tile * blocks + block) * size
            column = block * _BLOCK
            scale = _half_at(w, start + 2 * lane)
            if bits == 4:
                low = _half_at(w, start + 32 + 2 * lane)
                for i in range(16):
                    pair = w[start + 64 + 64 * (i // 4) + 4 * lane + i % 4]
                    out[token, column + 8 * (i // 4) + i % 4] = scale * np.float32(pair & 15) + low
                    out[token, column + 8 * (i // 4) + 4 + i % 4] = scale * np.float32(pair >> 4) + low
            else:
                for i in range(_BLOCK):
                    number = np.float32(w[start + 32 + 64 * (i // 4) + 4 * lane + i % 4])
                    out[token, column + i] = scale * (number - np.float32(128))


@_FAST
def _half_at(w: Any, place: Any) -> Any:
    return half(types.uint16(w[place]) | (types.uint16(w[place + 1]) << types.uint16(8)))
