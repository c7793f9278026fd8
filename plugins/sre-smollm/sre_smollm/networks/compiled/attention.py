"""The two inner loops of attention over a cache of float16 numbers, written for LLVM."""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call,import-untyped"
# numba and llvmlite are untyped, and a code generator consists of their calls.

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from sre_smollm.networks.compiled.code import intrinsic, load, same, splat

__all__ = ["PLACES", "blend", "scores"]

PLACES = 64
"""Tokens whose scores are computed at once; a cache has room for a multiple of it."""

_LANES = 16
_FAST = ("fast",)
_BYTE, _FLOAT = ir.IntType(8), ir.FloatType()
_FLOATS, _HALFS = ir.VectorType(_FLOAT, _LANES), ir.VectorType(ir.HalfType(), _LANES)


def _halfs(builder: Any, pointer: Any, offset: Any) -> Any:
    return builder.fpext(load(builder, pointer, offset, _HALFS), _FLOATS)


def _sums(builder: Any, count: int) -> list[Any]:
    return [cgutils.alloca_once_value(builder, same(0.0, _FLOATS)) for _ in range(count)]


def _grow(builder: Any, total: Any, value: Any, factor: Any) -> None:
    product = builder.fmul(value, factor, flags=_FAST)
    builder.store(builder.fadd(builder.load(total), product, flags=_FAST), total)


@intrinsic
def scores(typing, keys, stride, query, size, out):  # noqa: ANN001, ANN201
    """The products of a query with the keys of 64 tokens.

    Addresses: keys as float16 (size, ...), whose rows lie `stride` numbers apart; query as float32 (size,); out as
    float32 (64,).
    """
    signature = types.void(*[types.intp] * 5)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        keys, query, out = (builder.inttoptr(args[place], _BYTE.as_pointer()) for place in (0, 2, 4))
        stride, size = args[1], args[3]
        number = stride.type
        totals = _sums(builder, PLACES // _LANES)
        with cgutils.for_range(builder, size) as loop:
            row = builder.gep(keys, [builder.mul(builder.mul(loop.index, stride), ir.Constant(number, 2))])
            factor = load(builder, query, builder.mul(loop.index, ir.Constant(number, 4)), _FLOAT)
            spread = splat(builder, factor, _LANES)
            for part, total in enumerate(totals):
                _grow(builder, total, _halfs(builder, row, 2 * _LANES * part), spread)
        for part, total in enumerate(totals):
            place = builder.bitcast(builder.gep(out, [ir.Constant(number, 4 * _LANES * part)]), _FLOATS.as_pointer())
            builder.store(builder.load(total), place, align=4)
        return context.get_dummy_value()

    return signature, generate


def blend(width: int) -> Any:
    """A function that adds up values by their weights, `width` dimensions at once (a multiple of 16).

    `f(values, stride, weights, count, out)`, addresses: values as float16 (count, ...), whose rows lie `stride`
    numbers apart; weights as float32 (count,); out as float32 (width,).
    """

    @intrinsic
    def function(typing, values, stride, weights, count, out):  # noqa: ANN001, ANN202
        signature = types.void(*[types.intp] * 5)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            values, weights, out = (builder.inttoptr(args[place], _BYTE.as_pointer()) for place in (0, 2, 4))
            stride, count = args[1], args[3]
            number = stride.type
            totals = _sums(builder, width // _LANES)
            with cgutils.for_range(builder, count) as loop:
                row = builder.gep(values, [builder.mul(builder.mul(loop.index, stride), ir.Constant(number, 2))])
                weight = load(builder, weights, builder.mul(loop.index, ir.Constant(number, 4)), _FLOAT)
                spread = splat(builder, weight, _LANES)
                for part, total in enumerate(totals):
                    _grow(builder, total, _halfs(builder, row, 2 * _LANES * part), spread)
            for part, total in enumerate(totals):
                place = builder.gep(out, [ir.Constant(number, 4 * _LANES * part)])
                builder.store(builder.load(total), builder.bitcast(place, _FLOATS.as_pointer()), align=4)
            return context.get_dummy_value()

        return signature, generate

    return function
