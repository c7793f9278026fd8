from typing import Any

import pytest

from sre_core.components.node import InputPort
from sre_core.components.values import coerce, needs_coercion
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench


async def coerced(value: Any, type_: str) -> Any:
    async with bench() as b:
        return await coerce(value, InputPort(name="in", type=type_), b.context)


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("String", "hello", "hello"),
        ("Text", 5, "5"),
        ("String", 5.0, "5"),
        ("String", 2.5, "2.5"),
        ("String", 1e16, "10000000000000000"),
        ("String", True, "true"),
        ("String", "null", ""),
        ("String", "undefined", ""),
        ("String", {"a": [1]}, '{"a":[1]}'),
        ("String", [], "[]"),
        ("String", b"bytes", "bytes"),
        ("String", "male", "male"),
        ("Number", "5", 5),
        ("Number", "2.50", 2.5),
        ("Number", "-3 apples", -3),
        ("Number", "1e3", 1000),
        ("Number", 12345678901234567890, 12345678901234567890),
        ("Integer", "12.7", 12),
        ("Integer", -12.7, -12),
        ("Integer", "0x1F", 31),
        ("Integer", " -0x10 px", -16),
        ("Number", "0x10", 0),
        ("Boolean", "TRUE", True),
        ("Boolean", 1, True),
        ("Boolean", 1.0, True),
        ("Boolean", "0", False),
        ("Boolean", " false ", False),
        ("Array", ["a"], ["a"]),
        ("Array", ("a", 1), ["a", 1]),
        ("Array", "a,b, c", ["a", "b", "c"]),
        ("Array", " [1, 'two',]", [1, "two"]),
        ("Object", {"k": 1}, {"k": 1}),
        ("Object", '{message:"hello world"}', {"message": "hello world"}),
        ("Date", "01/20/2024", "2024-01-20T00:00:00.000Z"),
        ("Date", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000Z"),
        ("Date", 1704164645000, "2024-01-02T03:04:05.000Z"),
        ("Any", {"k": 1}, {"k": 1}),
        ("Any", "5", "5"),
        ("Vector3", "5", "5"),
    ],
)
@pytest.mark.parametrize("spelled", [str, str.lower, str.upper])
async def test_a_value_becomes_what_its_port_asks_for(type_: str, value: Any, expected: Any, spelled: Any) -> None:
    found = await coerced(value, spelled(type_))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("String", b"\xff\xfe"),
        ("Number", "apples"),
        ("Number", True),
        ("Number", [1]),
        ("Number", float("inf")),
        ("Number", float("nan")),
        ("Number", "9" * 5000),
        ("Number", "\u0661\u0662"),
        ("Number", "1e999"),
        ("Integer", "one"),
        ("Integer", "0x" + "f" * 5000),
        ("Boolean", "yes"),
        ("Boolean", 2),
        ("Boolean", [True]),
        ("Array", 5),
        ("Array", {"a": 1}),
        ("Array", "[" * 10_000),
        ("Object", "hello"),
        ("Object", [1]),
        ("Object", "[1, 2]"),
        ("Object", "{name}"),
        ("Date", "someday"),
        ("Date", "March"),
        ("Date", True),
        ("Date", "2024-02-30"),
    ],
)
async def test_a_value_that_does_not_fit_is_an_error_that_names_the_port_and_not_the_value(
    type_: str, value: Any
) -> None:
    with pytest.raises(ComponentError) as caught:
        await coerced(value, type_)
    assert f"Invalid {type_} value at the input 'in'" in str(caught.value)
    assert "apples" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("empty", [None, "", 0, False, 0.0])
@pytest.mark.parametrize("type_", ["String", "Number", "Boolean", "Array", "Object", "Date", "Binary"])
async def test_what_is_empty_stays_as_it_is(type_: str, empty: Any) -> None:
    found = await coerced(empty, type_)
    assert found == empty
    assert type(found) is type(empty)


async def test_what_looks_like_a_file_is_json_at_a_text_port() -> None:
    async with bench() as b:
        home = b.context.storage
        await home.write("secret.txt", "the agent's own")
        value = {"url": "smythfs://a1.agent/secret.txt", "mimetype": "text/plain", "size": 15}
        text = await coerce(value, InputPort(name="in", type="String"), b.context)
        assert text == '{"url":"smythfs://a1.agent/secret.txt","mimetype":"text/plain","size":15}'


@pytest.mark.parametrize(("type_", "needed"), [("Any", False), ("", False), ("Thing", False), ("Text ", True)])
def test_most_ports_need_no_work(type_: str, needed: bool) -> None:
    assert needs_coercion(InputPort(name="in", type=type_)) is needed


def test_a_port_that_asks_for_a_file_needs_work_whatever_its_type() -> None:
    assert needs_coercion(InputPort(name="in", type="Any", is_file=True))
    assert needs_coercion(InputPort(name="in", type="IMAGE"))
