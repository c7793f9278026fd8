"""YAML is read as plain data, and not to any size."""

import pytest

from sre_core.components.agents.open_api_yaml import read_yaml
from sre_core.errors import ComponentError


def read(text):
    return read_yaml(text.encode(), "https://api.example")


def test_mappings_may_take_keys_from_others():
    assert read("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}") == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {" + ",".join(f"k{number}: 1" for number in range(5_000)) + "}\n" + "b: {<<: *a}\n" * 1_000,
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{number}: &a{number} {{<<: *a{number - 1}, k{number}: 1}}\n" for number in range(1, 3_000)),
        "[" * 100_000,
        "a: [1",
        "a: !!python/object/apply:os.getcwd []",
        "a: " + "1:" * 50_000 + "1.5",
    ],
    ids=["many", "chain", "deep", "broken", "code", "number"],
)
def test_what_is_no_plain_data_or_grows_is_refused(text):
    with pytest.raises(ComponentError, match="neither JSON nor YAML") as caught:
        read(text)
    assert len(caught.value.hint) <= 200
