"""How large values are, when what is in them several times counts each time."""

from collections import UserDict
from types import MappingProxyType
from typing import Any

import pytest

from sre_core.components.size import MAX_SIZE, outputs_size, size_of


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 1),
        (5, 1),
        ("x" * 31, 1),
        ("x" * 64, 3),
        (b"x" * 64, 3),
        ([], 1),
        ([1, "a", None, 2.5, True], 6),
        ({"a": 1, "b": [2, 3]}, 5),
        (MappingProxyType({"a": (1, {2})}), 5),
        (UserDict(a="x" * 32), 3),
        ({"k" * 320: 1}, 12),
        ([object(), b"x" * 32], 4),
    ],
)
def test_all_values_count_and_long_texts_more(value: Any, size: int) -> None:
    assert size_of(value) == size


def test_what_is_in_a_value_several_times_counts_each_time() -> None:
    shared = [1, 2, 3]

    assert size_of([shared] * 4) == 1 + 4 * 4


@pytest.mark.parametrize("double", [lambda value: [value, value], lambda value: {"a": value, "b": value}])
def test_of_what_has_no_end_only_so_much_is_looked_at_as_the_limit_says(double: Any) -> None:
    value: Any = [0]
    for _ in range(500):
        value = double(value)
    itself: list[Any] = []
    itself.append(itself)

    assert size_of(value, limit=1000) > 1000
    assert size_of(itself, limit=1000) > 1000


def test_what_is_in_a_value_a_million_million_times_is_counted_at_once() -> None:
    value: Any = [0]
    for _ in range(40):
        value = [value, value]

    assert size_of(value, limit=10**15) == 3 * 2**40 - 1


def test_what_is_large_by_itself_is_counted_to_its_end() -> None:
    assert size_of([[0] * 20 for _ in range(101_000)]) == 1 + 101_000 * 21


def test_a_value_may_be_deeper_than_calls_can_be() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    assert size_of(value) == 100_001


def test_texts_can_count_by_other_numbers_of_characters() -> None:
    assert size_of(["abc", {"key": "x"}], limit=100, characters=1) == 1 + 2 + 3 + 1 + 4


@pytest.mark.parametrize("outputs", [{}, {"a": 1, "b": "x"}, {"a": "x" * 320}, {"a": [1, 2]}, {"a": b"x" * 64}])
def test_outputs_are_as_large_as_any_object(outputs: Any) -> None:
    assert outputs_size(outputs) == size_of(outputs)


def test_a_million_values_and_a_text_of_fifty_million_characters_are_not_too_large() -> None:
    assert size_of([{"id": 1, "name": "x"}] * 1_000_000) < MAX_SIZE
    assert size_of("x" * 50_000_000) < MAX_SIZE
