"""ForEach alone: what it takes for a list, and the formats of its result."""

from dataclasses import replace
from typing import Any

import pytest

from sre_core.components.compat import Compat
from sre_core.components.flow.for_each import ForEach
from sre_core.components.kinds import kind_of
from sre_core.components.node import Node
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench

ONE = {"id": "A", "name": "Call", "result": {"Output": 1, "Other": [2]}}
FAILED = {"id": "A", "name": "Call", "result": {"_error": "no"}}


def loop(**data: Any) -> ForEach:
    made = ForEach.of(Node(id="L", type="ForEach", data=data))
    assert isinstance(made, ForEach)
    return made


def collected(format_: str, results: list[Any]) -> Any:
    made = loop(format=format_)
    return made.collect([made.keep(result) for result in results])


async def items_of(value: Any) -> Any:
    async with bench() as b:
        return await loop().items({"Input": value}, b.context)


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([1, None, "a,b"], [1, None, "a,b"]),
        ((1, 2), (1, 2)),
        ([], []),
        ({"a": 1, "b": [2]}, [1, [2]]),
        ({}, []),
        ("[1, [2], null]", [1, [2], None]),
        ('  {"a": 1, "b": 2}\n', [1, 2]),
        ("[{'a': 1}, {b: 2,},]", [{"a": 1}, {"b": 2}]),
        ("red, green ,blue", ["red", "green", "blue"]),
        ("{{name}}, {b}", ["{{name}}", "{b}"]),
        ("{", ["{"]),
        ('{"a": 1, "b', ['{"a": 1', '"b']),
        ("[1, 2", [1, 2]),
        ("one", ["one"]),
        (5, [5]),
        (0, [0]),
        (1.5, [1.5]),
        (True, [True]),
        ("a,,b", ["a", "", "b"]),
        ("", []),
        (" \n", []),
        ("7", ["7"]),
    ],
)
async def test_lists_objects_and_texts_hold_items(value: Any, items: Any) -> None:
    assert await items_of(value) == items


@pytest.mark.parametrize("value", [None, b"a,b"])
async def test_what_is_no_list_is_refused_by_its_type(value: Any) -> None:
    with pytest.raises(ComponentError, match=f"cannot go through {kind_of(value)}"):
        await items_of(value)


async def test_a_long_text_has_as_many_items_as_it_says() -> None:
    assert len(await items_of(",".join(["x"] * 100_000))) == 100_000


async def test_without_an_input_there_is_nothing_to_go_through() -> None:
    async with bench() as b:
        with pytest.raises(ComponentError):
            await b.run("ForEach", input_ports=[])


async def test_alone_it_gives_an_empty_result() -> None:
    async with bench() as b:
        assert await b.run("ForEach", inputs={"Input": [1, 2]}) == {"Result": []}


@pytest.mark.parametrize(
    ("format_", "result"),
    [
        ("full", [ONE, FAILED]),
        ("minimal", [ONE["result"], FAILED["result"]]),
        ("results-array", [1, 2, {"_error": "no"}]),
    ],
)
def test_the_result_has_the_format_that_is_set(format_: str, result: Any) -> None:
    assert collected(format_, [ONE, FAILED]) == {"Result": result}
    assert collected(format_, []) == {"Result": []}


def test_results_that_came_without_an_envelope_stay_as_they_are() -> None:
    own = {"id": 1, "name": "n", "result": "r", "more": True}
    bare = ["text", 5, None, {"a": 1, "b": 2}, own]

    assert collected("full", bare) == {"Result": bare}
    assert collected("minimal", bare) == {"Result": bare}
    assert collected("results-array", bare) == {"Result": ["text", 5, None, 1, 2, 1, "n", "r", True]}


def test_an_array_of_values_has_no_lists_in_it() -> None:
    deep: Any = "d"
    for _ in range(5000):
        deep = [deep]
    inner = {"id": "L", "name": "ForEach", "result": {"Result": ["a", ["b", [], ["c"]], {"e": [1]}]}}
    results = [inner, {"id": "A", "name": "Call", "result": {"Output": deep}}, ["f"]]

    assert collected("results-array", results) == {"Result": ["a", "b", "c", {"e": [1]}, "d", "f"]}


@pytest.mark.parametrize("value", [{"a": 1, "b": [2]}, '{a: 1, "b": [2]}'])
async def test_an_object_is_one_item_for_files_that_depend_on_it(value: Any) -> None:
    async with bench() as b:
        context = replace(b.context, compat=Compat(whole_objects=True))
        assert await loop().items({"Input": value}, context) == [{"a": 1, "b": [2]}]


def test_what_a_failed_node_still_gave_is_its_value() -> None:
    result = {"id": "A", "name": "GenAILLM", "result": {"Reply": "one two", "_error": "the reply is not whole"}}

    assert collected("results-array", [result]) == {"Result": ["one two"]}


def test_private_outputs_are_no_values() -> None:
    result = {"id": "A", "name": "Call", "result": {"Output": 1, "_note": "x"}}

    assert collected("results-array", [result]) == {"Result": [1]}


def test_full_is_the_format_and_one_at_once_the_pace_unless_something_else_is_set() -> None:
    assert (loop().settings.format, loop().parallel) == ("full", 1)
    assert loop(format="", parallel="8").parallel == 8


@pytest.mark.parametrize("data", [{"format": "short"}, {"parallel": 0}, {"parallel": 1001}])
def test_settings_that_cannot_be_are_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        loop(**data)
