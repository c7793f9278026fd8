"""The two inner loops of attention over a cache of float16 numbers, written for LLVM."""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call,import-untyped"
# numba and llvmlite are untyped, and a code generator consists of their calls.

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from sre_smollm.networks.compiled.cache import PLACES
from sre_smollm.networks.compiled.code import intrinsic, load, multiply_add, same, splat, store

__all__ = ["blend", "scores"]

_LANES = 16
_BYTE, _FLOAT = ir.IntType(8), ir.FloatType()
_FLOATS, _HALFS = ir.VectorType(_FLOAT, _LANES), ir.VectorType(ir.HalfType(), _LANES)


def _accumulate(builder: Any, rows: Any, row: Any, factors: Any, stride: Any, out: Any, shape: tuple[int, int]) -> None:
    """Add up `rows` vectors of float16 numbers, which lie `row` bytes apart, by the factors of several queries.

    The factors and results of a query lie `stride[0]` and `stride[1]` bytes after those of the one before; `shape` has
    the numbers of a vector and the queries.
    """
    width, queries = shape
    (pointer, count), number = rows, row.type

    def times(value: Any, factor: int) -> Any:
        return builder.mul(value, ir.Constant(number, factor))

    totals = [
        [cgutils.alloca_once_value(builder, same(0.0, _FLOATS)) for _ in range(width // _LANES)] for _ in range(queries)
    ]
    with cgutils.for_range(builder, count) as loop:
        start = builder.gep(pointer, [builder.mul(loop.index, row)])
        parts = [
            builder.fpext(load(builder, start, 2 * _LANES * part, _HALFS), _FLOATS) for part in range(width // _LANES)
        ]
        for query in range(queries):
            place = builder.add(times(stride[0], query), times(loop.index, 4))
            spread = splat(builder, load(builder, factors, place, _FLOAT), _LANES)
            for total, part in zip(totals[query], parts, strict=True):
                builder.store(multiply_add(builder, part, spread, builder.load(total)), total)
    for query in range(queries):
        for part, total in enumerate(totals[query]):
            place = builder.add(times(stride[1], query), ir.Constant(number, 4 * _LANES * part))
            store(builder, builder.load(total), out, place)


def scores(queries: int) -> Any:
    """A function: the products of so many queries with the keys of 64 tokens.

    `f(keys, query, size, out, width)`, addresses: keys as float16 (size, 64); query as float32 (queries, size); out as
    float32 (queries, width), 64 in each row.
    """

    @intrinsic
    def function(typing, keys, query, size, out, width):  # noqa: ANN001, ANN202
        signature = types.void(*[types.intp] * 5)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            keys, query, out = (builder.inttoptr(args[place], _BYTE.as_pointer()) for place in (0, 1, 3))
            row, four = ir.Constant(args[2].type, 2 * PLACES), ir.Constant(args[2].type, 4)
            stride = builder.mul(args[2], four), builder.mul(args[4], four)
            _accumulate(builder, (keys, args[2]), row, query, stride, out, (PLACES, queries))
            return context.get_dummy_value()

        return signature, generate

    return function


def blend(width: int, queries: int) -> Any:
    """A function: sums of values by their weights for so many queries, `width` dimensions (a multiple of 16).

    `f(values, size, weights, places, count, out)`, addresses: values as float16 (count, size), of which the first
    `width` are taken; weights as float32 (queries, places), of which the first `count` are; out as float32 (queries,
    size).
    """

    @intrinsic
    def function(typing, values, size, weights, places, count, out):  # noqa: ANN001, ANN202
        signature = types.void(*[types.intp] * 6)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            values, weights, out = (builder.inttoptr(args[place], _BYTE.as_pointer()) for place in (0, 2, 5))
            two, four = (ir.Constant(args[1].type, factor) for factor in (2, 4))
            stride = builder.mul(args[3], four), builder.mul(args[1], four)
            row = builder.mul(args[1], two)
            _accumulate(builder, (values, args[4]), row, weights, stride, out, (width, queries))
            return context.get_dummy_value()

        return signature, generate

    return function
