"""JSONFilter keeps the named keys."""

import pytest

from sre_core.components.base import Flaw
from sre_core.components.functions.json_filter import keep_fields
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


async def filtered(value, fields):
    async with bench() as b:
        return (await b.run("JSONFilter", {"fields": fields}, inputs={"Input": value}))["Output"]


async def test_keys_that_are_not_named_are_dropped_at_every_level():
    value = {"name": "Ann", "secret": 1, "address": {"city": "Rome", "secret": 2, "geo": {"lat": 1}}}
    assert await filtered(value, "name,address,city") == {"name": "Ann", "address": {"city": "Rome"}}


async def test_a_key_below_one_that_is_not_named_is_lost():
    assert await filtered({"address": {"city": "Rome"}}, "city") == {}


async def test_lists_keep_their_items_and_those_are_filtered():
    value = [{"a": 1, "b": 2}, "text", 3, None, [{"a": 4, "c": 5}], {"b": 6}]
    assert await filtered(value, "a") == [{"a": 1}, "text", 3, None, [{"a": 4}], {}]


@pytest.mark.parametrize("value", ["text", '{"a":1}', 0, False, None, 1.5, "", b"x"])
async def test_what_has_no_keys_stays_as_it_is(value):
    assert await filtered(value, "a") == value


async def test_blanks_around_names_do_not_count_and_names_may_have_any_characters():
    assert await filtered({"a": 1, "b c": 2, "{{d}}": 3, "e": 4}, " a , b c,,{{d}}, ") == {"a": 1, "b c": 2, "{{d}}": 3}


async def test_the_order_of_keys_stays():
    assert list(await filtered({"z": 1, "a": 2, "m": 3}, "m,a,z")) == ["z", "a", "m"]


async def test_what_came_in_is_not_changed():
    value = {"a": [{"b": 1, "c": 2}], "c": 3}
    await filtered(value, "a,b")
    assert value == {"a": [{"b": 1, "c": 2}], "c": 3}


@pytest.mark.parametrize("data", [{}, {"fields": ""}, {"fields": " , ,"}])
async def test_without_fields_it_is_an_error(data):
    async with bench() as b:
        with pytest.raises(ComponentError, match="no fields to keep"):
            await b.run("JSONFilter", data, inputs={"Input": {}})
    assert made("JSONFilter", data).check() == [Flaw("it names no fields to keep", "fields")]


def test_with_fields_there_is_nothing_to_tell():
    assert made("JSONFilter", {"fields": "a"}).check() == []


def test_a_value_may_be_nested_deeper_than_calls_can_be():
    value = leaf = {}
    for _ in range(100_000):
        leaf["a"] = [{"b": 1}]
        leaf = leaf["a"][0]
    found = keep_fields(value, frozenset({"a"}))
    depth = 0
    while found:
        found, depth = found["a"][0], depth + 1
    assert depth == 100_000


def test_a_long_list_is_filtered():
    found = keep_fields([{"a": n, "b": n} for n in range(200_000)], frozenset({"a"}))
    assert len(found) == 200_000
    assert found[199_999] == {"a": 199_999}
