"""Values are called by the words of workflow files."""

from datetime import date

import pytest

from sre_core.components.kinds import kind_of


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "true or false"),
        (0, "a number"),
        (1.5, "a number"),
        ("secret", "a text"),
        (b"", "bytes"),
        ([1], "a list"),
        ((), "a list"),
        ({}, "an object"),
        (date(2026, 1, 2), "a value of type date"),
    ],
)
def test_a_value_is_called_what_it_is(value, kind):
    assert kind_of(value) == kind
