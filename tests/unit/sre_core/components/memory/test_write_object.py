"""MemoryWriteObject remembers the members of an object."""

import pytest

from sre_core.errors import ComponentError
from sre_core.testing.bench import bench


async def values(b, *keys, memory="m"):
    return [(await b.run("MemoryReadKeyVal", {"memoryName": memory, "key": key})).get("Value") for key in keys]


async def test_each_member_is_kept_under_its_key():
    async with bench() as b:
        found = await b.run("MemoryWriteObject", {"memoryName": "m"}, inputs={"Data": {"b": "x", "a": "{{y}}"}})
        assert found == {"Keys": ["b", "a"], "Count": 2}
        assert await values(b, "a", "b", "c") == ["{{y}}", "x", None]


async def test_values_that_are_no_text_are_kept_as_json():
    data = {"number": 1, "half": 0.5, "yes": True, "none": None, "list": [1, "é"], "object": {"a": {}}}
    async with bench() as b:
        await b.run("MemoryWriteObject", {"memoryName": "m"}, inputs={"Data": data})
        assert await values(b, *data) == ["1", "0.5", "true", "null", '[1,"é"]', '{"a":{}}']


async def test_the_json_text_of_an_object_does_as_well():
    async with bench() as b:
        found = await b.run("MemoryWriteObject", {"memoryName": "m"}, inputs={"Data": '{"a": "x"}'})
        assert found == {"Keys": ["a"], "Count": 1}
        assert await values(b, "a") == ["x"]


async def test_an_empty_object_writes_nothing():
    async with bench() as b:
        assert await b.run("MemoryWriteObject", {}, inputs={"Data": {}}) == {"Keys": [], "Count": 0}


async def test_the_scope_is_that_of_the_settings():
    async with bench() as b:
        data = {"memoryName": "{{Name}}", "scope": "ttl", "ttl": "300"}
        await b.run("MemoryWriteObject", data, inputs={"Data": {"a": "x"}, "Name": "m"})
        assert await values(b, "a") == ["x"]
        assert await b.run("MemoryDeleteKeyVal", {"memoryName": "m", "key": "a"}) == {"Key": "a", "deleted": True}


async def test_keys_may_be_any_text():
    data = {key: key for key in ("", "a/b", "..", "\x00", "x" * 3000)}
    async with bench() as b:
        assert (await b.run("MemoryWriteObject", {"memoryName": "m"}, inputs={"Data": data}))["Count"] == 5
        assert await values(b, "a/b", "..", "\x00", "x" * 3000) == ["a/b", "..", "\x00", "x" * 3000]


async def test_an_object_of_many_members_is_kept():
    data = {f"k{n}": n for n in range(3000)}
    async with bench() as b:
        assert (await b.run("MemoryWriteObject", {"memoryName": "m"}, inputs={"Data": data}))["Count"] == 3000
        assert await values(b, "k0", "k2999") == ["0", "2999"]


@pytest.mark.parametrize("value", [None, 5, ["a"], '["a"]', "5", "null"])
async def test_what_is_no_object_is_refused(value):
    async with bench() as b:
        with pytest.raises(ComponentError, match="Data must be an object"):
            await b.run("MemoryWriteObject", {}, inputs={"Data": value})


@pytest.mark.parametrize("value", ["", "{", "a: b", "{'a': 1}", "[" * 5000])
async def test_text_that_is_no_json_is_refused(value):
    async with bench() as b:
        with pytest.raises(ComponentError, match="no JSON"):
            await b.run("MemoryWriteObject", {}, inputs={"Data": value})
