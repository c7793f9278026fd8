"""Products with quantised weights, written for LLVM where numba has no words for the instructions.

Weights lie in tiles: 16 rows of a matrix by 32 columns, so that the 16 sums of a tile are one vector and nothing has
to be added across it. A tile in 4 bits is 16 scales, 16 minima (float16) and 4 chunks of 64 bytes; byte j of row r in
chunk c holds columns 8c + j (low half) and 8c + 4 + j (high half), w = scale * q + minimum. A tile in 8 bits is 16
scales and 8 chunks; byte j of row r in chunk c is column 4c + j, w = scale * (q - 128).

The vectors that are multiplied are quantised too: 32 numbers at a time to 8 bits and a scale, as GGML does. Then four
products and their sum are one instruction (VNNI) on current x86 processors; elsewhere the same whole numbers are
multiplied as float32, which is exact and gives the same result.
"""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call,import-untyped"
# numba and llvmlite are untyped, and a code generator consists of their calls.

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

from sre_smollm.networks.compiled.code import intrinsic, load, same, splat

__all__ = ["products"]

_ROWS = 16
_COLUMNS = 32
_FAST = ("fast",)
_BYTE, _WORD = ir.IntType(8), ir.IntType(32)
_HALF, _FLOAT = ir.HalfType(), ir.FloatType()
# What a tile takes, and how many of its chunks of 64 bytes there are.
_SIZES = {4: 320, 8: 544}
_CHUNKS = {4: 4, 8: 8}


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

    def floats(self, builder: Any, total: Any) -> Any:
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

    def floats(self, _builder: Any, total: Any) -> Any:
        return total


def products(bits: int, tokens: int, *, plain: bool = False) -> Any:
    """A function for kernels: the products of 16 rows of weights with so many quantised vectors.

    `f(weights, numbers, scales, sums, blocks, out, rows)`, all addresses but `blocks` and `rows`: the tiles of the
    rows; signed bytes (tokens, 32 * blocks); their scales, float32 (tokens, blocks); scale * sum of the bytes, the
    same; results go to float32 (tokens, rows), 16 in each row.
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
    halves = ir.VectorType(_HALF, lanes)
    totals = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * lanes)) for _ in range(tokens)]

    def times(value: Any, factor: int) -> Any:
        return builder.mul(value, ir.Constant(number, factor))

    with cgutils.for_range(builder, blocks) as loop:
        tile = builder.gep(data, [times(loop.index, _SIZES[bits])])
        scale = builder.fpext(load(builder, tile, 2 * first, halves), vector)
        if bits == 4:
            minimum = builder.fpext(load(builder, tile, 2 * (_ROWS + first), halves), vector)
        else:
            minimum = builder.fmul(scale, ir.Constant(vector, [-128.0] * lanes), flags=_FAST)
        start = _SIZES[bits] - 64 * _CHUNKS[bits] + 4 * first
        columns = [times(builder.add(times(blocks, token), loop.index), _COLUMNS) for token in range(tokens)]
        found = [way.zero() for _ in range(tokens)]
        column = 0
        for chunk in range(_CHUNKS[bits]):
            for weights in way.weights(builder, tile, start + 64 * chunk, bits):
                for token in range(tokens):
                    place = builder.add(columns[token], ir.Constant(number, column))
                    found[token] = way.add(builder, found[token], weights, numbers, place)
                column += 4
        for token, total in enumerate(totals):
            place = times(builder.add(times(blocks, token), loop.index), 4)
            step = builder.fmul(scale, splat(builder, load(builder, scales, place, _FLOAT), lanes), flags=_FAST)
            low = builder.fmul(minimum, splat(builder, load(builder, sums, place, _FLOAT), lanes), flags=_FAST)
            product = builder.fmul(way.floats(builder, found[token]), step, flags=_FAST)
            value = builder.fadd(builder.fadd(builder.load(total), product, flags=_FAST), low, flags=_FAST)
            builder.store(value, total)
    for token, total in enumerate(totals):
        place = builder.add(times(times(rows, token), 4), ir.Constant(number, 4 * first))
        pointer = builder.bitcast(builder.gep(out, [place]), vector.as_pointer())
        builder.store(builder.load(total), pointer, align=4)
