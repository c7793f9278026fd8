"""Building blocks for code that numba has no words for: addresses, conversions of bits, vectors."""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call,import-untyped"
# numba and llvmlite are untyped, and a code generator consists of their calls.

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

__all__ = [
    "at",
    "floats",
    "half",
    "halfs",
    "intrinsic",
    "load",
    "multiply_add",
    "prefetch",
    "same",
    "splat",
    "store",
    "to_half",
    "vector_call",
]

# numba calls what this decorates without its first argument, which no type can say.
intrinsic: Any = extending.intrinsic

_BYTE, _SHORT, _WORD = ir.IntType(8), ir.IntType(16), ir.IntType(32)
_HALF, _FLOAT = ir.HalfType(), ir.FloatType()


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """A vector with one value in all lanes."""
    kind = ir.VectorType(value.type, lanes)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_WORD, 0))
    places = ir.Constant(ir.VectorType(_WORD, lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), places)


def load(builder: Any, pointer: Any, offset: Any, kind: Any) -> Any:
    """What lies `offset` bytes after a pointer to bytes, aligned or not."""
    place = builder.gep(pointer, [offset if hasattr(offset, "type") else ir.Constant(_WORD, offset)])
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)


def store(builder: Any, value: Any, pointer: Any, offset: Any) -> None:
    """Put a value `offset` bytes after a pointer to bytes, aligned or not."""
    place = builder.gep(pointer, [offset if hasattr(offset, "type") else ir.Constant(_WORD, offset)])
    builder.store(value, builder.bitcast(place, value.type.as_pointer()), align=1)


def vector_call(builder: Any, name: str, result: Any, *values: Any) -> Any:
    """A call of LLVM's function `name` for vectors like the first value."""
    kind = values[0].type
    letter = "f" if isinstance(kind.element, ir.FloatType) else "i"
    function = ir.FunctionType(result, [value.type for value in values])
    full = f"llvm.{name}.v{kind.count}{letter}32"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, full), values)


def multiply_add(builder: Any, first: Any, second: Any, third: Any) -> Any:
    """first * second + third of vectors, always the same way, so that results do not depend on what is around it."""
    return vector_call(builder, "fmuladd", first.type, first, second, third)


def prefetch(builder: Any, pointer: Any, offset: int) -> None:
    """Ask for what lies `offset` bytes after a pointer, which need not be there."""
    kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _WORD, _WORD, _WORD])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    place = builder.gep(pointer, [ir.Constant(_WORD, offset)])
    # To read, into the nearest cache, of data.
    builder.call(function, [place, *(ir.Constant(_WORD, number) for number in (0, 3, 1))])


def same(value: float, kind: Any) -> Any:
    """A constant vector with one value in all lanes."""
    return ir.Constant(kind, [value] * kind.count)


@intrinsic
def at(typing, array, index):  # noqa: ANN001, ANN201
    """The address of an element of a one-dimensional, contiguous array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(builder.gep(data, [args[1]]), args[1].type)

    return types.intp(array, types.intp), generate


def _converter(result: Any, argument: Any, make: Callable[[Any, Any], Any]) -> Any:
    return result(argument), lambda _context, builder, _signature, args: make(builder, args[0])


@intrinsic
def halfs(typing, address):  # noqa: ANN001, ANN201
    """A pointer to float16 numbers, as uint16, for `carray`."""
    return _converter(types.CPointer(types.uint16), types.intp, lambda b, x: b.inttoptr(x, _SHORT.as_pointer()))


@intrinsic
def half(typing, value):  # noqa: ANN001, ANN201
    """The float32 of the bits of a float16."""
    return _converter(types.float32, types.uint16, lambda b, x: b.fpext(b.bitcast(x, _HALF), _FLOAT))


@intrinsic
def to_half(typing, value):  # noqa: ANN001, ANN201
    """The bits of the float16 that is nearest to a float32."""
    return _converter(types.uint16, types.float32, lambda b, x: b.bitcast(b.fptrunc(x, _HALF), _SHORT))


@intrinsic
def floats(typing, value):  # noqa: ANN001, ANN201
    """The float32 with the bits of an int32."""
    return _converter(types.float32, types.int32, lambda b, x: b.bitcast(x, _FLOAT))
