"""MemoryWriteKeyVal remembers a value under a key."""

import pytest
from pydantic import ValidationError

from sre_core.components.base import Flaw
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


async def read(b, key, memory="m"):
    return await b.run("MemoryReadKeyVal", {"memoryName": memory, "key": key})


async def test_a_value_is_written_and_its_key_comes_out():
    async with bench() as b:
        data = {"memoryName": "m", "key": "color", "value": "red", "scope": "session", "ttl": ""}
        assert await b.run("MemoryWriteKeyVal", data) == {"Key": "color"}
        assert await read(b, "color") == {"Value": "red"}


async def test_name_key_and_value_may_hold_placeholders():
    inputs = {"User": "ann", "Data": {"a": [1, None, "x"]}}
    async with bench(variables={"shop": "pets"}) as b:
        data = {"memoryName": "{{shop}}", "key": "cart-{{User}}", "value": "{{Data}}"}
        assert await b.run("MemoryWriteKeyVal", data, inputs=inputs) == {"Key": "cart-ann"}
        assert await read(b, "cart-ann", "pets") == {"Value": '{"a":[1,null,"x"]}'}


async def test_what_comes_in_is_never_filled_itself():
    async with bench(secrets={"s": "hidden"}, variables={"v": "hidden"}) as b:
        data = {"memoryName": "m", "key": "{{K}}", "value": "{{V}}"}
        inputs = {"K": "{{KEY(s)}}", "V": "{{v}} {{KEY(s)}}"}
        assert await b.run("MemoryWriteKeyVal", data, inputs=inputs) == {"Key": "{{KEY(s)}}"}
        found = await b.run("MemoryReadKeyVal", {"memoryName": "m", "key": "{{K}}"}, inputs=inputs)
    assert found == {"Value": "{{v}} {{KEY(s)}}"}


@pytest.mark.parametrize("value", ["", None])
async def test_an_empty_value_is_a_value(value):
    async with bench() as b:
        await b.run("MemoryWriteKeyVal", {"memoryName": "m", "key": "k", "value": value})
        assert await read(b, "k") == {"Value": ""}


@pytest.mark.parametrize("data", [{}, {"key": ""}, {"memoryName": "m", "value": "x"}])
async def test_without_a_key_it_is_an_error(data):
    assert list(made("MemoryWriteKeyVal", data).check()) == [Flaw("it has no key", "key")]
    async with bench() as b:
        with pytest.raises(ComponentError, match="no key"):
            await b.run("MemoryWriteKeyVal", data)


async def test_a_key_that_is_empty_once_it_is_filled_is_an_error():
    async with bench() as b:
        with pytest.raises(ComponentError, match="no key"):
            await b.run("MemoryWriteKeyVal", {"key": "{{K}}"}, inputs={"K": ""})


@pytest.mark.parametrize(
    ("data", "setting"),
    [
        ({"scope": "world"}, "scope"),
        ({"ttl": "299"}, "ttl"),
        ({"ttl": "604801"}, "ttl"),
        ({"ttl": "soon"}, "ttl"),
        ({"value": "x" * 100_001}, "value"),
        ({"memoryName": "x" * 256}, "memoryName"),
    ],
)
async def test_settings_out_of_bounds_are_refused(data, setting):
    async with bench() as b:
        with pytest.raises(ValidationError, match=setting):
            await b.run("MemoryWriteKeyVal", {"key": "k", **data})
