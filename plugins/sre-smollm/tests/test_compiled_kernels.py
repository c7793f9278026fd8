"""The compiled loops alone: exact whether or not the processor has the instruction, and compiled once."""

import os
import subprocess
import sys

import numpy as np
import pytest

from sre_smollm.networks.base import Row
from sre_smollm.networks.compiled.packing import eight_bits, four_bits
from sre_smollm.networks.compiled.preparing import compile_kernels, kernels

from .tiny_compiled import compiled, save  # noqa: TID252


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory):
    return kernels(tmp_path_factory.mktemp("code"))


def vectors(count: int, width: int = 96) -> np.ndarray:
    return np.random.default_rng(2).standard_normal((count, width)).astype(np.float32)


def quantised(loops, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = np.empty(2 * x.size, np.int8), np.empty(x.size // 32, np.float32), np.empty(x.size // 32, np.float32)
    loops.quantise(x, *found)
    return found


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("tokens", [1, 4, 8])
def test_products_without_the_instruction_are_the_same_to_the_bit(loops, bits, tokens):
    from numba import njit

    from sre_smollm.networks.compiled.code import at
    from sre_smollm.networks.compiled.products import products

    fast, plain = products(bits, tokens), products(bits, tokens, plain=True)

    def caller(function):
        @njit
        def call(weights, numbers, scales, sums, out):
            place = at(weights, 0), at(numbers, 0), at(scales, 0), at(sums, 0)
            function(place[0], place[1], place[2], place[3], 3, at(out, 0), 16)

        return call

    rows = vectors(16) * 3
    rows[2] = 100
    weights = (four_bits if bits == 4 else eight_bits)(rows).reshape(-1)
    x = vectors(tokens)
    x[0, :32] = 50
    given = quantised(loops, x)
    results = []
    for function in (fast, plain):
        out = np.zeros(16 * tokens, np.float32)
        caller(function)(weights, *given, out)
        results.append(out)
    assert np.array_equal(*results)
    assert np.abs(results[0].reshape(tokens, 16) - x @ rows.T).max() < 0.02 * np.abs(x @ rows.T).max() + 3


@pytest.mark.parametrize("tokens", [1, 2, 4, 7, 8, 13, 21])
def test_products_are_those_of_numpy_for_any_number_of_tokens(loops, tokens):
    rows, x = vectors(32), vectors(tokens)
    weights = eight_bits(rows).reshape(-1)
    out = np.empty((tokens, 32), np.float32)
    loops.multiply(weights, np.array([0, 8]), 96, *quantised(loops, x), out, 0, 2)
    wanted = x @ rows.T
    assert np.abs(out - wanted).max() < 0.02 * np.abs(wanted).max()


@pytest.mark.parametrize("value", [0.0, 1e-38, 1e-20, 1e20])
def test_vectors_of_any_size_are_quantised(loops, value):
    x = np.full((1, 32), value, np.float32)
    x[0, ::2] *= -1
    numbers, scales, sums = quantised(loops, x)
    whole = numbers[:32].astype(np.int32) * 256 + numbers[32:]
    assert np.allclose(whole * scales[0], x[0] if value > 1e-30 else 0, rtol=1e-4, atol=0)
    assert abs(sums[0]) <= 1e-4 * value


def test_each_loop_is_compiled_for_one_kind_of_arguments(loops, tmp_path):
    compile_kernels(tmp_path)
    network = compiled(save(tmp_path, "llama, untied"), tmp_path / "packed", threads=2)
    known = {name: len(getattr(loops, name).signatures) for name in ("step", "attend", "multiply", "unpack_rows")}
    for count in (1, 5, 64, 200):
        network.forward([Row(cache=network.cache(), ids=[7] * count, keep=count)])
    network.close()
    assert {name: len(getattr(loops, name).signatures) for name in known} == known


COMPILE = """
import sys
from pathlib import Path
from sre_smollm.networks.compiled import preparing
preparing.compile_kernels(Path(sys.argv[1]))
loops = preparing.kernels(Path(sys.argv[1]))
print(sum(loops.step.stats.cache_misses.values()), len(loops.step.signatures))
"""


@pytest.mark.slow
def test_machine_code_is_made_once_and_kept_where_weights_are(tmp_path):
    def start() -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", COMPILE, str(tmp_path)], capture_output=True, text=True, check=True, env=os.environ
        )
        return done.stdout.split()[-1], done.stderr

    assert "compiling for this processor once" in start()[1]
    (folder,) = tmp_path.iterdir()
    assert (folder / "ready").exists()
    assert list(folder.rglob("kernels.step*.nbc"))
    assert start() == ("0", "")
    assert list(tmp_path.iterdir()) == [folder]
