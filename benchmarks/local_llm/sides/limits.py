"""What this machine can do at best on one thread: read memory, and multiply matrices."""

from typing import Any

import numba
import numpy as np
import torch

from benchmarks.local_llm.sides.worker import Answer, Clock, serve

__all__ = ["bandwidth", "products"]


@numba.njit  # type: ignore[untyped-decorator, unused-ignore]
def _fold(numbers: Any) -> Any:
    # Eight places at once: a single one leaves the processor waiting for memory.
    a = b = c = d = e = f = g = h = np.int64(0)
    part = numbers.size // 8
    for index in range(part):
        a ^= numbers[index]
        b ^= numbers[index + part]
        c ^= numbers[index + 2 * part]
        d ^= numbers[index + 3 * part]
        e ^= numbers[index + 4 * part]
        f ^= numbers[index + 5 * part]
        g ^= numbers[index + 6 * part]
        h ^= numbers[index + 7 * part]
    return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h


def bandwidth(nbytes: int, count: int) -> Answer:
    """Read so many bytes `count` times; CPU seconds of the fastest time."""
    numbers = np.ones(nbytes // 8, dtype=np.int64)
    _fold(numbers)
    return {"cpu": min(_timed(numbers) for _ in range(count))}


def _timed(numbers: Any) -> float:
    clock = Clock()
    _fold(numbers)
    return clock.read()["cpu"]


def products(tokens: int, shapes: list[list[int]], layers: int) -> Answer:
    """The float32 products of a prompt: `shapes` are (rows, columns) of the matrices of one layer."""
    pairs = [(torch.rand(tokens, columns), torch.rand(columns, rows)) for rows, columns in shapes]
    for left, right in pairs:
        left @ right
    clock = Clock()
    for _ in range(layers):
        for left, right in pairs:
            left @ right
    return {"cpu": clock.read()["cpu"]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve({"bandwidth": bandwidth, "products": products})
