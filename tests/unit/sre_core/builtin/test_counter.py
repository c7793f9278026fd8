"""Whole numbers are read strictly, and stay within 64 bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.builtin.counter import add
from sre_core.errors import ConflictError

NUMBERS = st.integers(-(2**63), 2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_a_sum_is_right_or_refused(number, by):
    kept = str(number).encode()
    if -(2**63) <= number + by < 2**63:
        assert add("key", kept, by) == number + by
    else:
        with pytest.raises(ConflictError, match="64-bit"):
            add("key", kept, by)


def test_nothing_counts_as_zero():
    assert add("key", None, -3) == -3


@pytest.mark.parametrize(
    "value",
    [b"", b" 1", b"1 ", b"+1", b"01", b"-0", b"1_0", b"1e3", b"1.0", b"0x1", b"\xd9\xa1", b"1\n", b"9" * 20, b"-"],
)
def test_anything_but_plain_digits_is_refused(value):
    with pytest.raises(ConflictError, match="'key'"):
        add("key", value, 1)
