"""Sums of many numbers in an order of their own, so that they are the same wherever the code stands."""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call,import-untyped"
# numba and llvmlite are untyped, and a code generator consists of their calls.

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from sre_smollm.networks.compiled.code import intrinsic, load, multiply_add, same

__all__ = ["dot", "total"]

_LANES = 16
_BYTE, _FLOAT = ir.IntType(8), ir.FloatType()
_FLOATS = ir.VectorType(_FLOAT, _LANES)


def _sum(builder: Any, first: Any, second: Any, count: Any) -> Any:
    """16 sums side by side, then those in pairs; `second` may be None."""
    sums = cgutils.alloca_once_value(builder, same(0.0, _FLOATS))
    size = ir.Constant(count.type, 4 * _LANES)
    with cgutils.for_range(builder, builder.udiv(count, ir.Constant(count.type, _LANES))) as loop:
        place = builder.mul(loop.index, size)
        left = load(builder, builder.inttoptr(first, _BYTE.as_pointer()), place, _FLOATS)
        right = same(1.0, _FLOATS)
        if second is not None:
            right = load(builder, builder.inttoptr(second, _BYTE.as_pointer()), place, _FLOATS)
        builder.store(multiply_add(builder, left, right, builder.load(sums)), sums)
    found = builder.load(sums)
    half = _LANES
    while half > 1:
        half //= 2
        lower, upper = (ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(s, s + half))) for s in (0, half))
        found = builder.fadd(builder.shuffle_vector(found, found, lower), builder.shuffle_vector(found, found, upper))
    return builder.extract_element(found, ir.Constant(ir.IntType(32), 0))


@intrinsic
def dot(typing, first, second, count):  # noqa: ANN001, ANN201
    """The sum of the products of two vectors of float32, by their addresses; `count` is a multiple of 16."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _sum(builder, args[0], args[1], args[2])

    return types.float32(*[types.intp] * 3), generate


@intrinsic
def total(typing, first, count):  # noqa: ANN001, ANN201
    """The sum of float32 numbers at an address; `count` is a multiple of 16."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _sum(builder, args[0], None, args[1])

    return types.float32(*[types.intp] * 2), generate
