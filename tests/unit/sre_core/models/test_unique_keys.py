"""Objects of JSON in which no key may stand twice."""

import json

import pytest

from sre_core.models.unique_keys import unique_keys


def test_an_object_stays_as_it_is() -> None:
    assert json.loads('{"b": 1, "a": {"b": [{}]}}', object_pairs_hook=unique_keys) == {"b": 1, "a": {"b": [{}]}}


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '{"x": [{"a": {}, "a": {}}]}'])
def test_a_key_that_stands_there_twice_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="'a' stands there twice"):
        json.loads(text, object_pairs_hook=unique_keys)
