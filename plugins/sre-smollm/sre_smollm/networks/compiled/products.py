"""Products with quantised weights, written for LLVM where numba has no words for the instructions.

Weights lie in tiles: 16 rows of a matrix by 32 columns, so that the 16 sums of a tile are one vector and nothing has
to be added across it. A tile in 4 bits is 16 scales, 16 minima (float16) and 4 chunks of 64 bytes; byte j of row r in
chunk c holds columns 8c + j (low half) and 8c + 4 + j (high half), w = scale * q + minimum. A tile in 8 bits is 16
scales and 8 chunks; byte j of row r in chunk c is column 4c + j, w = scale * (q - 128).

The vectors that are multiplied are whole numbers of 16 bits and a scale, 32 at a time, kept as 32 high and 32 low
bytes. Then four products and their sum are one instruction (VNNI) on current x86 processors; elsewhere the same whole
numbers are multiplied as float32, which is exact and gives the same result. With 8 bits, which GGML takes, the model of
135 million parameters writes another token than in float32 in one of 25 cases.
"""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call,import-untyped"
# numba and llvmlite are untyped, and a code generator consists of their calls.

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

from sre_smollm.networks.compiled.code import (
    intrinsic,
    load,
    multiply_add,
    prefetch,
    same,
    splat,
    store,
    vector_call,
)

__all__ = ["products", "quantise_block"]

_ROWS = 16
_COLUMNS = 32
# The largest number: its high byte is at most 127.
_LARGEST = 127 * 256.0
_FAST = ("fast",)
_BYTE, _WORD = ir.IntType(8), ir.IntType(32)
_HALF, _FLOAT = ir.HalfType(), ir.FloatType()
# What a tile takes, and how many of its chunks of 64 bytes there are.
_SIZES = {4: 320, 8: 544}
_CHUNKS = {4: 4, 8: 8}
# How many bytes ahead weights are asked for. One thread gets a third more from memory so than the hardware foresees.
_AHEAD = 4096


def _widest() -> int:
    """Numbers in the widest vectors that have the instruction; 0 if none have."""
    features = binding.get_host_cpu_features()
    if features.get("avx512vnni"):
        return 16
    return 8 if features.get("avxvnni") else 0


class _Instruction:
    """Sums of products by the instruction: each lane of 32 bits takes four bytes at once."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.sums = ir.VectorType(_WORD, lanes)

    def weights(self, builder: Any, pointer: Any, offset: int, bits: int) -> list[Any]:
        """The numbers of a chunk: one vector for each four columns."""
        kind = ir.VectorType(_BYTE, 4 * self.lanes)
        chunk = load(builder, pointer, offset, kind)
        if bits == 8:
            return [builder.bitcast(chunk, self.sums)]
        parts = builder.and_(chunk, same(15, kind)), builder.lshr(chunk, same(4, kind))
        return [builder.bitcast(part, self.sums) for part in parts]

    def add(self, builder: Any, total: Any, weights: Any, numbers: Any, offset: Any) -> Any:
        """`total` and the products with the four signed bytes at `offset`."""
        four = splat(builder, load(builder, numbers, offset, _WORD), self.lanes)
        name = f"llvm.x86.avx512.vpdpbusd.{32 * self.lanes}"
        kind = ir.FunctionType(self.sums, [self.sums] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [total, weights, four])

    def zero(self) -> Any:
        return same(0, self.sums)

    def floats(self, builder: Any, high: Any, low: Any) -> Any:
        """256 times `high` and `low`."""
        total = builder.add(builder.shl(high, same(8, self.sums)), low)
        return builder.sitofp(total, ir.VectorType(_FLOAT, self.lanes))


class _Plain:
    """The same without the instruction, as float32; the sums stay below 2**24, so that they are exact."""

    lanes = _ROWS

    def __init__(self) -> None:
        self.sums = ir.VectorType(_FLOAT, self.lanes)

    def weights(self, builder: Any, pointer: Any, offset: int, bits: int) -> list[Any]:
        kind = ir.VectorType(_WORD, self.lanes)
        chunk = load(builder, pointer, offset, kind)
        halves = (0,) if bits == 8 else (0, 4)
        return [
            [
                builder.uitofp(
                    builder.and_(builder.lshr(chunk, same(8 * byte + low, kind)), same(2**bits - 1, kind)), self.sums
                )
                for byte in range(4)
            ]
            for low in halves
        ]

    def add(self, builder: Any, total: Any, weights: Any, numbers: Any, offset: Any) -> Any:
        for byte, column in enumerate(weights):
            place = builder.add(offset, ir.Constant(offset.type, byte))
            number = builder.sitofp(load(builder, numbers, place, _BYTE), _FLOAT)
            product = builder.fmul(column, splat(builder, number, self.lanes), flags=_FAST)
            total = builder.fadd(total, product, flags=_FAST)
        return total

    def zero(self) -> Any:
        return ir.Constant(self.sums, [0.0] * self.lanes)

    def floats(self, builder: Any, high: Any, low: Any) -> Any:
        # Through whole numbers, since the sum may be more than a float32 holds to the last digit.
        kind = ir.VectorType(_WORD, self.lanes)
        total = builder.add(builder.shl(builder.fptosi(high, kind), same(8, kind)), builder.fptosi(low, kind))
        return builder.sitofp(total, self.sums)


def products(bits: int, tokens: int, *, plain: bool = False) -> Any:
    """A function for kernels: the products of 16 rows of weights with so many quantised vectors.

    `f(weights, numbers, scales, sums, blocks, out, rows)`, all addresses but `blocks` and `rows`: the tiles of the
    rows; signed bytes (blocks, tokens, 2, 32), high ones first; their scales, float32 (blocks, tokens); scale * sum of
    the numbers, the same; results go to float32 (tokens, rows), 16 in each row. Each vector's results are the same, to
    the bit, for all numbers of tokens, and with `plain`, which does without the instruction.
    """
    lanes = 0 if plain else _widest()

    @intrinsic
    def function(typing, weights, numbers, scales, sums, blocks, out, rows):  # noqa: ANN001, ANN202
        signature = types.void(*[types.intp] * 7)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            way = _Instruction(lanes) if lanes else _Plain()
            for part in range(_ROWS // way.lanes):
                _generate(builder, args, way, bits, tokens, part * way.lanes)
            return context.get_dummy_value()

        return signature, generate

    return function


def _generate(builder: Any, args: Any, way: Any, bits: int, tokens: int, first: int) -> None:
    """Code for the rows of a tile from `first` on, as many as `way` does at once."""
    number, lanes = args[0].type, way.lanes
    data, numbers, scales, sums = (builder.inttoptr(address, _BYTE.as_pointer()) for address in args[:4])
    blocks, out, rows = args[4], builder.inttoptr(args[5], _BYTE.as_pointer()), args[6]
    vector = ir.VectorType(_FLOAT, lanes)
    totals = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * lanes)) for _ in range(tokens)]

    def times(value: Any, factor: int) -> Any:
        return builder.mul(value, ir.Constant(number, factor))

    with cgutils.for_range(builder, blocks) as loop:
        tile = builder.gep(data, [times(loop.index, _SIZES[bits])])
        for line in range(0, _SIZES[bits], 64):
            prefetch(builder, tile, _AHEAD + line)
        scale, minimum = _front(builder, tile, bits, first, vector)
        found = _whole_sums(builder, way, bits, tile, first, numbers, (loop.index, tokens))
        for token, total in enumerate(totals):
            place = times(builder.add(times(loop.index, tokens), ir.Constant(number, token)), 4)
            step = builder.fmul(scale, splat(builder, load(builder, scales, place, _FLOAT), lanes))
            low = splat(builder, load(builder, sums, place, _FLOAT), lanes)
            value = multiply_add(builder, way.floats(builder, *found[token]), step, builder.load(total))
            builder.store(multiply_add(builder, minimum, low, value), total)
    for token, total in enumerate(totals):
        place = builder.add(times(times(rows, token), 4), ir.Constant(number, 4 * first))
        store(builder, builder.load(total), out, place)


def _front(builder: Any, tile: Any, bits: int, first: int, vector: Any) -> tuple[Any, Any]:
    """Scales and minima of the rows of a tile."""
    halves = ir.VectorType(_HALF, vector.count)
    scale = builder.fpext(load(builder, tile, 2 * first, halves), vector)
    if bits == 4:
        return scale, builder.fpext(load(builder, tile, 2 * (_ROWS + first), halves), vector)
    return scale, builder.fmul(scale, same(-128.0, vector))


def _whole_sums(
    builder: Any, way: Any, bits: int, tile: Any, first: int, numbers: Any, extent: tuple[Any, int]
) -> list[Any]:
    """The sums of whole numbers of a tile, for each token; `extent` has the block and the tokens."""
    block, tokens = extent
    number = block.type
    start = _SIZES[bits] - 64 * _CHUNKS[bits] + 4 * first
    # Constant distances from one pointer, which are part of the instructions.
    near = builder.gep(numbers, [builder.mul(block, ir.Constant(number, 2 * _COLUMNS * tokens))])
    found = [[way.zero(), way.zero()] for _ in range(tokens)]
    column = 0
    for chunk in range(_CHUNKS[bits]):
        for weights in way.weights(builder, tile, start + 64 * chunk, bits):
            for token in range(tokens):
                for half in range(2):
                    place = ir.Constant(number, (2 * token + half) * _COLUMNS + column)
                    found[token][half] = way.add(builder, found[token][half], weights, near, place)
            column += 4
    return found


@intrinsic
def quantise_block(typing, x, numbers, scale, total):  # noqa: ANN001, ANN201
    """32 numbers as high and low bytes. Addresses: x as float32; where bytes, scale and scaled sum go."""
    signature = types.void(*[types.intp] * 4)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        x, numbers, scale, total = (builder.inttoptr(address, _BYTE.as_pointer()) for address in args)
        floats, words = ir.VectorType(_FLOAT, _COLUMNS), ir.VectorType(_WORD, _COLUMNS)
        values = load(builder, x, 0, floats)
        # Without their signs floats are in the order of their bits.
        bits = builder.and_(builder.bitcast(values, words), same(2**31 - 1, words))
        largest = builder.bitcast(vector_call(builder, "vector.reduce.smax", _WORD, bits), _FLOAT)
        # Below that the quotient would be infinite.
        some = builder.fcmp_ordered(">", largest, ir.Constant(_FLOAT, 1e-30))
        quotient = builder.fdiv(ir.Constant(_FLOAT, _LARGEST), largest)
        factor = builder.select(some, quotient, ir.Constant(_FLOAT, 0.0))
        scaled = builder.fmul(values, splat(builder, factor, _COLUMNS))
        whole = builder.fptosi(vector_call(builder, "rint", floats, scaled), words)
        high = builder.ashr(builder.add(whole, same(128, words)), same(8, words))
        low = builder.sub(whole, builder.shl(high, same(8, words)))
        for place, part in ((0, high), (_COLUMNS, low)):
            store(builder, builder.trunc(part, ir.VectorType(_BYTE, _COLUMNS)), numbers, place)
        step = builder.fdiv(largest, ir.Constant(_FLOAT, _LARGEST))
        store(builder, step, scale, 0)
        added = builder.sitofp(vector_call(builder, "vector.reduce.add", _WORD, whole), _FLOAT)
        store(builder, builder.fmul(step, added), total, 0)
        return context.get_dummy_value()

    return signature, generate
