"""What this machine can do at best on one thread: read memory, and multiply matrices."""

from typing import Any

import numba
import numpy as np
import torch

from benchmarks.local_llm.sides.worker import Answer, Clock, serve

__all__ = ["bandwidth", "products"]


@numba.njit(fastmath=True)  # type: ignore[untyped-decorator, unused-ignore]
def _sum(numbers: Any) -> Any:
    total = np.float32(0)
    for index in range(numbers.size):
        total += numbers[index]
    return total


def bandwidth(nbytes: int, count: int) -> Answer:
    """Read so many bytes `count` times, one number after the other; CPU seconds of one time."""
    numbers = np.ones(nbytes // 4, dtype=np.float32)
    _sum(numbers)
    clock = Clock()
    for _ in range(count):
        _sum(numbers)
    return {"cpu": clock.read()["cpu"] / count}


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
