"""The loops of a decoder that numba compiles: products, norms, rotation, attention, and a whole step of few tokens.

Keys and values are float16. Those of one layer and head lie together: keys as (head size, capacity), so that scores
of neighbouring tokens are computed side by side, values as (capacity, head size).
"""

# mypy: disable-error-code="untyped-decorator"
# numba is untyped.

from typing import Any

import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined]  # documented, but not exported by name

from sre_smollm.networks.compiled.attention import PLACES, blend, scores
from sre_smollm.networks.compiled.code import at, floats, half, halfs, to_half
from sre_smollm.networks.compiled.products import products

__all__ = [
    "attend_few",
    "multiply",
    "normalise",
    "quantise",
    "rotate_and_store",
    "softmax_causal",
    "step",
    "swish",
    "unpack_rows",
    "widen",
]

_four_1, _four_4, _four_8 = (products(4, tokens) for tokens in (1, 4, 8))
_eight_1, _eight_4, _eight_8 = (products(8, tokens) for tokens in (1, 4, 8))
_blend_16, _blend_64 = blend(16), blend(64)
_BLOCK = 32
# Without the checks of Python's division, which keep loops from becoming vector instructions.
_FAST = njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
_LOG2_E = np.float32(1.4426950408889634)


@njit(inline="always", error_model="numpy", fastmath=True)
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
    """Rows of `x` in blocks of 32 signed bytes, with their scales and scaled sums, as `products` takes them."""
    tokens, width = x.shape
    for token in range(tokens):
        for block in range(width // _BLOCK):
            start = block * _BLOCK
            largest = np.float32(0)
            for i in range(_BLOCK):
                largest = max(largest, abs(x[token, start + i]))
            factor = np.float32(127) / largest if largest > np.float32(0) else np.float32(0)
            total = types.int32(0)
            for i in range(_BLOCK):
                value = x[token, start + i] * factor
                number = types.int32(value + (np.float32(0.5) if value >= 0 else np.float32(-0.5)))
                numbers[token, start + i] = number
                total += number
            scales[token, block] = largest / np.float32(127)
            sums[token, block] = scales[token, block] * np.float32(total)


@_FAST
def _multiply_4(weights: Any, first: Any, last: Any, numbers: Any, scales: Any, sums: Any, out: Any, rows: Any) -> None:
    tokens, blocks = scales.shape
    width = blocks * _BLOCK
    n, s, t, o = at(numbers.ravel(), 0), at(scales.ravel(), 0), at(sums.ravel(), 0), at(out.ravel(), 0)
    for tile in range(first, last):
        place, target = weights + tile * blocks * 320, o + tile * 64
        token = 0
        while token + 8 <= tokens:
            moved = token * blocks * 4
            _four_8(place, n + token * width, s + moved, t + moved, blocks, target + 4 * token * rows, rows)
            token += 8
        if token + 4 <= tokens:
            moved = token * blocks * 4
            _four_4(place, n + token * width, s + moved, t + moved, blocks, target + 4 * token * rows, rows)
            token += 4
        while token < tokens:
            moved = token * blocks * 4
            _four_1(place, n + token * width, s + moved, t + moved, blocks, target + 4 * token * rows, rows)
            token += 1


@_FAST
def _multiply_8(weights: Any, first: Any, last: Any, numbers: Any, scales: Any, sums: Any, out: Any, rows: Any) -> None:
    tokens, blocks = scales.shape
    width = blocks * _BLOCK
    n, s, t, o = at(numbers.ravel(), 0), at(scales.ravel(), 0), at(sums.ravel(), 0), at(out.ravel(), 0)
    for tile in range(first, last):
        place, target = weights + tile * blocks * 544, o + tile * 64
        token = 0
        while token + 8 <= tokens:
            moved = token * blocks * 4
            _eight_8(place, n + token * width, s + moved, t + moved, blocks, target + 4 * token * rows, rows)
            token += 8
        if token + 4 <= tokens:
            moved = token * blocks * 4
            _eight_4(place, n + token * width, s + moved, t + moved, blocks, target + 4 * token * rows, rows)
            token += 4
        while token < tokens:
            moved = token * blocks * 4
            _eight_1(place, n + token * width, s + moved, t + moved, blocks, target + 4 * token * rows, rows)
            token += 1


@_FAST
def multiply(
    w: Any, offset: Any, bits: Any, numbers: Any, scales: Any, sums: Any, out: Any, first: Any, last: Any
) -> None:
    """Products of the tiles `first` to `last` of a matrix with quantised vectors, into `out` (tokens, rows)."""
    weights = at(w, offset)
    if bits == 4:
        _multiply_4(weights, first, last, numbers, scales, sums, out, out.shape[1])
    else:
        _multiply_8(weights, first, last, numbers, scales, sums, out, out.shape[1])


@_FAST
def unpack_rows(w: Any, offset: Any, bits: Any, rows: Any, out: Any) -> None:
    """Some rows of a matrix as float32, into `out` (rows, width)."""
    blocks = out.shape[1] // _BLOCK
    size = 320 if bits == 4 else 544
    for token in range(rows.shape[0]):
        tile, lane = rows[token] // 16, rows[token] % 16
        for block in range(blocks):
            start = offset + (tile * blocks + block) * size
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


@_FAST
def normalise(x: Any, weight: Any, epsilon: Any, out: Any) -> None:
    """Root mean square norm of each row."""
    rows, width = x.shape
    for row in range(rows):
        total = np.float32(0)
        for i in range(width):
            total += x[row, i] * x[row, i]
        scale = np.float32(1) / np.sqrt(total / np.float32(width) + epsilon)
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

    `caches` has a row for each token: address of the cache, capacity, position.
    """
    tokens = q.shape[0]
    heads, shared = q.shape[1] // size, k.shape[1] // size
    for token in range(tokens):
        if turns:
            _rotate(q[token], heads, cosine[token], sine[token])
            _rotate(k[token], shared, cosine[token], sine[token])
        address, capacity, position = caches[token]
        for head in range(shared):
            start = address + 2 * ((layer * 2) * shared + head) * size * capacity
            keys = carray(halfs(start), (size, capacity))
            values = carray(halfs(start + 2 * shared * size * capacity), (capacity, size))
            for i in range(size):
                keys[i, position] = to_half(k[token, head * size + i])
                values[position, i] = to_half(v[token, head * size + i])


@_FAST
def _weigh(scores: Any, length: Any) -> None:
    """Softmax of each row's first `length` scores, in place."""
    for row in range(scores.shape[0]):
        largest = np.float32(-3e38)
        for i in range(length):
            largest = max(largest, scores[row, i])
        total = np.float32(0)
        for i in range(length):
            value = _exp(scores[row, i] - largest)
            scores[row, i] = value
            total += value
        scale = np.float32(1) / total
        for i in range(length):
            scores[row, i] *= scale


@_FAST
def attend_few(q: Any, layer: Any, size: Any, shared: Any, caches: Any, found: Any, out: Any) -> None:
    """Attention of each token to all tokens up to itself.

    `found` (heads per head of keys, longest rounded up to 64) is scratch. The queries are scaled in place.
    """
    tokens, heads = q.shape[0], q.shape[1] // size
    group, scale = heads // shared, np.float32(1.0 / np.sqrt(size))
    queries, results, rows = at(q.ravel(), 0), at(out.ravel(), 0), at(found.ravel(), 0)
    width = found.shape[1]
    for token in range(tokens):
        for i in range(q.shape[1]):
            q[token, i] *= scale
        address, capacity, position = caches[token]
        length = position + 1
        for head in range(heads):
            row = head % group
            keys = address + 2 * ((layer * 2) * shared + head // group) * size * capacity
            values = keys + 2 * shared * size * capacity
            query = queries + 4 * (token * heads + head) * size
            result = results + 4 * (token * heads + head) * size
            weights = rows + 4 * row * width
            for start in range(0, length, PLACES):
                scores(keys + 2 * start, capacity, query, size, weights + 4 * start)
            _weigh(found[row : row + 1], length)
            for start in range(0, size, 16):
                if start + 64 <= size:
                    if start % 64 == 0:
                        _blend_64(values + 2 * start, size, weights, length, result + 4 * start)
                elif start // 64 * 64 + 64 > size:
                    _blend_16(values + 2 * start, size, weights, length, result + 4 * start)


@_FAST
def softmax_causal(scores: Any, group: Any, first: Any) -> None:
    """Softmax of scores (tokens * group, places): a token sees the places up to its own; `first` is that of the first.

    Places that it does not see become zero.
    """
    rows, places = scores.shape
    for row in range(rows):
        length = first + row // group + 1
        _weigh(scores[row : row + 1], length)
        for i in range(length, places):
            scores[row, i] = 0


@_FAST
def widen(address: Any, layer: Any, head: Any, shared: Any, size: Any, capacity: Any, keys: Any, values: Any) -> None:
    """Keys (size, places) and values (places, size) of one head as float32."""
    start = address + 2 * ((layer * 2) * shared + head) * size * capacity
    from_keys = carray(halfs(start), (size, capacity))
    from_values = carray(halfs(start + 2 * shared * size * capacity), (capacity, size))
    places = keys.shape[1]
    for i in range(size):
        for place in range(places):
            keys[i, place] = half(from_keys[i, place])
    for place in range(places):
        for i in range(size):
            values[place, i] = half(from_values[place, i])


@_FAST
def _add(x: Any, y: Any) -> None:
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[row, i] += y[row, i]


@_FAST
def _product(w: Any, place: Any, x: Any, out: Any, numbers: Any, scales: Any, sums: Any) -> None:
    # Views of contiguous scratch in the shape that the width of `x` asks for.
    tokens, blocks = x.shape[0], x.shape[1] // _BLOCK
    n = numbers[: tokens * blocks * _BLOCK].reshape((tokens, blocks * _BLOCK))
    s = scales[: tokens * blocks].reshape((tokens, blocks))
    t = sums[: tokens * blocks].reshape((tokens, blocks))
    multiply(w, place[0], place[1], n, s, t, out, 0, out.shape[1] // 16)


@_FAST
def _quantise(x: Any, numbers: Any, scales: Any, sums: Any) -> None:
    tokens, blocks = x.shape[0], x.shape[1] // _BLOCK
    n = numbers[: tokens * blocks * _BLOCK].reshape((tokens, blocks * _BLOCK))
    quantise(
        x, n, scales[: tokens * blocks].reshape((tokens, blocks)), sums[: tokens * blocks].reshape((tokens, blocks))
    )


@_FAST
def step(
    w: Any, places: Any, norms: Any, epsilon: Any, turns: Any, size: Any, shared: Any,
    x: Any, cosine: Any, sine: Any, caches: Any, q: Any, k: Any, v: Any, h: Any, a: Any, gate: Any, up: Any,
    numbers: Any, scales: Any, sums: Any, scores: Any
) -> None:  # fmt: skip
    """All layers for few tokens: `x` (tokens, hidden) in and out. The other arrays are scratch."""
    for layer in range(places.shape[0]):
        normalise(x, norms[layer, 0], epsilon, h)
        _quantise(h, numbers, scales, sums)
        _product(w, places[layer, 0], h, q, numbers, scales, sums)
        _product(w, places[layer, 1], h, k, numbers, scales, sums)
        _product(w, places[layer, 2], h, v, numbers, scales, sums)
        rotate_and_store(q, k, v, cosine, sine, turns[layer], layer, size, caches)
        attend_few(q, layer, size, shared, caches, scores, a)
        _quantise(a, numbers, scales, sums)
        _product(w, places[layer, 3], a, h, numbers, scales, sums)
        _add(x, h)
        normalise(x, norms[layer, 1], epsilon, h)
        _quantise(h, numbers, scales, sums)
        _product(w, places[layer, 4], h, gate, numbers, scales, sums)
        _product(w, places[layer, 5], h, up, numbers, scales, sums)
        swish(gate, up)
        _quantise(gate, numbers, scales, sums)
        _product(w, places[layer, 6], gate, h, numbers, scales, sums)
        _add(x, h)
