"""The loops of a decoder that numba compiles: products, norms, rotation, attention, and a whole step.

Keys and values are float16. Those of one layer and head lie together: keys as (capacity / 64, head size, 64), so that
scores of neighbouring tokens are computed side by side, values as (capacity, head size). What is computed for a token
depends on nothing but the tokens before it, to the bit: not on its neighbours in a step, nor on where a step ends.
"""

# mypy: disable-error-code="untyped-decorator"
# numba is untyped.

from typing import Any

import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined]  # documented, but not exported by name

from sre_smollm.networks.compiled.attention import blend, scores
from sre_smollm.networks.compiled.cache import PLACES
from sre_smollm.networks.compiled.code import at, floats, halfs, to_half
from sre_smollm.networks.compiled.products import products, quantise_block
from sre_smollm.networks.compiled.sums import dot, total
from sre_smollm.networks.compiled.tables import unpack_rows

__all__ = ["add", "attend", "multiply", "normalise", "quantise", "rotate_and_store", "step", "swish", "unpack_rows"]

_four_1, _four_4, _four_8 = (products(4, tokens) for tokens in (1, 4, 8))
_eight_1, _eight_4, _eight_8 = (products(8, tokens) for tokens in (1, 4, 8))
_scores_1, _scores_3, _scores_4 = (scores(queries) for queries in (1, 3, 4))
_blend_1, _blend_3, _blend_4, _blend_rest = blend(64, 1), blend(64, 3), blend(64, 4), blend(16, 1)
_BLOCK = 32
# Without the checks of Python's division, which keep loops from becoming vector instructions. Nothing here may be
# computed in another order or fused, as results would then differ between a step and its parts.
_FAST = njit(nogil=True, cache=True, fastmath={"nnan", "ninf", "nsz"}, error_model="numpy")
_LOG2_E = np.float32(1.4426950408889634)


@njit(inline="always", error_model="numpy", fastmath={"nnan", "ninf", "nsz"})
def _exp(x: Any) -> Any:
    """e to the power of x, for x <= 88, to 2e-7: a polynomial for the fraction of the power of two."""
    power = max(x, np.float32(-87.0)) * _LOG2_E
    whole = np.floor(power)
    rest = power - whole
    value = np.float32(1.5404e-4)
    value = value * rest + np.float32(1.33908e-3)
    value = value * rest + np.float32(9.61805e-3)
    value = value * rest + np.float32(5.550357e-2)
    value = value * rest + np.float32(2.402265e-1)
    value = value * rest + np.float32(6.931472e-1)
    value = value * rest + np.float32(1.0)
    return value * floats((types.int32(whole) + types.int32(127)) << types.int32(23))


@_FAST
def quantise(x: Any, numbers: Any, scales: Any, sums: Any) -> None:
    """Rows of `x` in blocks of 32 high and 32 low bytes, with their scales and scaled sums, as `products` takes them.

    The results are flat, and may be longer than it takes. Those of tokens that are multiplied at once, see `_together`,
    lie together: (blocks, tokens).
    """
    tokens, blocks = x.shape[0], x.shape[1] // _BLOCK
    start, n, s, t = at(x.ravel(), 0), at(numbers, 0), at(scales, 0), at(sums, 0)
    first = 0
    while first < tokens:
        count = _together(tokens - first)
        for token in range(count):
            for block in range(blocks):
                source = start + 4 * _BLOCK * ((first + token) * blocks + block)
                target = first * blocks + block * count + token
                quantise_block(source, n + 2 * _BLOCK * target, s + 4 * target, t + 4 * target)
        first += count


@_FAST
def _together(tokens: Any) -> Any:
    """How many tokens are multiplied at once if so many are left."""
    return 8 if tokens >= 8 else 4 if tokens >= 4 else 1


@_FAST
def _multiply_4(
    w: Any, first: Any, last: Any, tokens: Any, blocks: Any, n: Any, s: Any, t: Any, o: Any, rows: Any
) -> None:
    width, moved = 2 * blocks * _BLOCK, blocks * 4
    for tile in range(first, last):
        place, target = w + tile * blocks * 320, o + tile * 64
        token = 0
        while token + 8 <= tokens:
            m = token * moved
            _four_8(place, n + token * width, s + m, t + m, blocks, target + 4 * token * rows, rows)
            token += 8
        if token + 4 <= tokens:
            m = token * moved
            _four_4(place, n + token * width, s + m, t + m, blocks, target + 4 * token * rows, rows)
            token += 4
        while token < tokens:
            m = token * moved
            _four_1(place, n + token * width, s + m, t + m, blocks, target + 4 * token * rows, rows)
            token += 1


@_FAST
def _multiply_8(
    w: Any, first: Any, last: Any, tokens: Any, blocks: Any, n: Any, s: Any, t: Any, o: Any, rows: Any
) -> None:
    width, moved = 2 * blocks * _BLOCK, blocks * 4
    for tile in range(first, last):
        place, target = w + tile * blocks * 544, o + tile * 64
        token = 0
        while token + 8 <= tokens:
            m = token * moved
            _eight_8(place, n + token * width, s + m, t + m, blocks, target + 4 * token * rows, rows)
            token += 8
        if token + 4 <= tokens:
            m = token * moved
            _eight_4(place, n + token * width, s + m, t + m, blocks, target + 4 * token * rows, rows)
            token += 4
        while token < tokens:
            m = token * moved
            _eight_1(place, n + token * width, s + m, t + m, blocks, target + 4 * token * rows, rows)
            token += 1


@_FAST
def multiply(
    w: Any, place: Any, width: Any, numbers: Any, scales: Any, sums: Any, out: Any, first: Any, last: Any
) -> None:
    """Products of the tiles `first` to `last` of a matrix with quantised vectors, into `out` (tokens, rows).

    `place` is the offset and the bits of the matrix, `width` its columns.
    """
    weights, n, s, t, o = at(w, place[0]), at(numbers, 0), at(scales, 0), at(sums, 0), at(out.ravel(), 0)
    if place[1] == 4:
        _multiply_4(weights, first, last, out.shape[0], width // _BLOCK, n, s, t, o, out.shape[1])
    else:
        _multiply_8(weights, first, last, out.shape[0], width // _BLOCK, n, s, t, o, out.shape[1])


@_FAST
def normalise(x: Any, weight: Any, epsilon: Any, out: Any) -> None:
    """Root mean square norm of each row."""
    rows, width = x.shape
    for row in range(rows):
        start = at(x.ravel(), row * width)
        scale = np.float32(1) / np.sqrt(dot(start, start, width) / np.float32(width) + epsilon)
        for i in range(width):
            out[row, i] = x[row, i] * scale * weight[i]


@_FAST
def swish(gate: Any, up: Any) -> None:
    """gate * sigmoid(gate) * up, in `gate`."""
    rows, width = gate.shape
    for row in range(rows):
        for i in range(width):
            value = gate[row, i]
            gate[row, i] = value / (np.float32(1) + _exp(min(-value, np.float32(80)))) * up[row, i]


@_FAST
def add(x: Any, y: Any) -> None:
    """Add `y` to `x`."""
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[row, i] += y[row, i]


@_FAST
def _rotate(x: Any, heads: Any, cosine: Any, sine: Any) -> None:
    middle = cosine.shape[0]
    for head in range(heads):
        start = head * 2 * middle
        for i in range(middle):
            first, second = x[start + i], x[start + middle + i]
            x[start + i] = first * cosine[i] - second * sine[i]
            x[start + middle + i] = second * cosine[i] + first * sine[i]


@_FAST
def rotate_and_store(
    q: Any, k: Any, v: Any, cosine: Any, sine: Any, turns: Any, layer: Any, size: Any, caches: Any
) -> None:
    """Rotate queries and keys by their positions if `turns`, and put keys and values into their caches.

    `caches` has a row for each token: address of the cache, capacity, position. The queries are scaled, too.
    """
    tokens = q.shape[0]
    heads, shared = q.shape[1] // size, k.shape[1] // size
    scale = np.float32(1.0 / np.sqrt(size))
    for token in range(tokens):
        if turns:
            _rotate(q[token], heads, cosine[token], sine[token])
            _rotate(k[token], shared, cosine[token], sine[token])
        for i in range(q.shape[1]):
            q[token, i] *= scale
        address, capacity, position = caches[token]
        block, lane = position // PLACES, position % PLACES
        for head in range(shared):
            start = address + 2 * ((layer * 2) * shared + head) * size * capacity
            keys = carray(halfs(start), (capacity // PLACES, size, PLACES))
            values = carray(halfs(start + 2 * shared * size * capacity), (capacity, size))
            for i in range(size):
                keys[block, i, lane] = to_half(k[token, head * size + i])
                values[position, i] = to_half(v[token, head * size + i])


@_FAST
def _weigh(scores: Any, length: Any) -> None:
    """Softmax of the first `length` scores, in place; those after them are no scores."""
    largest = np.float32(-3e38)
    for i in range(length):
        largest = max(largest, scores[i])
    for i in range(length):
        scores[i] = _exp(scores[i] - largest)
    for i in range(length, -(-length // PLACES) * PLACES):
        scores[i] = 0
    scale = np.float32(1) / total(at(scores, 0), -(-length // PLACES) * PLACES)
    for i in range(length):
        scores[i] *= scale


@_FAST
def _score(keys: Any, query: Any, size: Any, out: Any, width: Any, queries: Any) -> None:
    """Products of queries with the keys of a block, as many at once as there is code for."""
    done = 0
    while done < queries:
        source, target = query + 4 * done * size, out + 4 * done * width
        if queries - done == 3:
            _scores_3(keys, source, size, target, width)
            done += 3
        elif queries - done >= 4:
            _scores_4(keys, source, size, target, width)
            done += 4
        else:
            _scores_1(keys, source, size, target, width)
            done += 1


@_FAST
def _mix(values: Any, size: Any, weights: Any, width: Any, count: Any, out: Any, queries: Any) -> None:
    """Sums of values by the weights of queries."""
    for start in range(0, size // 64 * 64, 64):
        done = 0
        while done < queries:
            source, target = weights + 4 * done * width, out + 4 * (done * size + start)
            if queries - done == 3:
                _blend_3(values + 2 * start, size, source, width, count, target)
                done += 3
            elif queries - done >= 4:
                _blend_4(values + 2 * start, size, source, width, count, target)
                done += 4
            else:
                _blend_1(values + 2 * start, size, source, width, count, target)
                done += 1
    for start in range(size // 64 * 64, size, 16):
        for query in range(queries):
            source, target = weights + 4 * query * width, out + 4 * (query * size + start)
            _blend_rest(values + 2 * start, size, source, width, count, target)


@_FAST
def attend(
    q: Any, layer: Any, size: Any, shared: Any, caches: Any, found: Any, out: Any, first: Any, stride: Any
) -> None:
    """Attention to all tokens up to itself, of every `stride`th token from `first` on.

    `found` (heads per head of keys, longest rounded up to 64) is scratch.
    """
    group, width = q.shape[1] // size // shared, found.shape[1]
    queries, results, weights = at(q.ravel(), 0), at(out.ravel(), 0), at(found.ravel(), 0)
    for token in range(first, q.shape[0], stride):
        address, capacity, position = caches[token]
        length = position + 1
        for head in range(shared):
            keys = address + 2 * ((layer * 2) * shared + head) * size * capacity
            values = keys + 2 * shared * size * capacity
            moved = 4 * (token * shared + head) * group * size
            for start in range(0, length, PLACES):
                _score(keys + 2 * start * size, queries + moved, size, weights + 4 * start, width, group)
            for row in range(group):
                _weigh(found[row], length)
            _mix(values, size, weights, width, length, results + moved, group)


@_FAST
def step(
    w: Any, places: Any, norms: Any, epsilon: Any, turns: Any, size: Any, shared: Any,
    x: Any, cosine: Any, sine: Any, caches: Any, q: Any, k: Any, v: Any, h: Any, a: Any, gate: Any, up: Any,
    numbers: Any, scales: Any, sums: Any, found: Any
) -> None:  # fmt: skip
    """All layers: `x` (tokens, hidden) in and out. The other arrays are scratch."""
    hidden, inner = x.shape[1], gate.shape[1]
    for layer in range(places.shape[0]):
        place = places[layer]
        normalise(x, norms[layer, 0], epsilon, h)
        quantise(h, numbers, scales, sums)
        multiply(w, place[0], hidden, numbers, scales, sums, q, 0, q.shape[1] // 16)
        multiply(w, place[1], hidden, numbers, scales, sums, k, 0, k.shape[1] // 16)
        multiply(w, place[2], hidden, numbers, scales, sums, v, 0, v.shape[1] // 16)
        rotate_and_store(q, k, v, cosine, sine, turns[layer], layer, size, caches)
        attend(q, layer, size, shared, caches, found, a, 0, 1)
        quantise(a, numbers, scales, sums)
        multiply(w, place[3], a.shape[1], numbers, scales, sums, h, 0, hidden // 16)
        add(x, h)
        normalise(x, norms[layer, 1], epsilon, h)
        quantise(h, numbers, scales, sums)
        multiply(w, place[4], hidden, numbers, scales, sums, gate, 0, inner // 16)
        multiply(w, place[5], hidden, numbers, scales, sums, up, 0, inner // 16)
        swish(gate, up)
        quantise(gate, numbers, scales, sums)
        multiply(w, place[6], inner, numbers, scales, sums, h, 0, hidden // 16)
        add(x, h)
