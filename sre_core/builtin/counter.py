"""Whole numbers kept as decimal digits, as the caches count with them."""

import re

from sre_core.errors import ConflictError

__all__ = ["add"]

_DIGITS = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


def add(key: str, value: bytes | None, by: int) -> int:
    """The number that `value` holds (0 when None) plus `by`.

    Raises ConflictError when `value` is not a whole number, or the sum does not fit 64 bits: the range that
    every cache server keeps, so that code which counts here counts everywhere.
    """
    if value is not None and not _DIGITS.fullmatch(value):
        raise ConflictError(
            f"cache key {key!r} does not hold a whole number", hint="delete the key, or count under another one"
        )
    total = int(value or 0) + by
    if not -_LARGEST - 1 <= total <= _LARGEST:
        raise ConflictError(f"cache key {key!r} would leave the 64-bit range", hint="delete the key to start anew")
    return total
