"""MemoryReadKeyVal reads what was remembered."""

import pytest

from sre_core.components.base import Flaw
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made

PLACE = {"memoryName": "m", "key": "k"}


async def test_a_missing_key_is_a_warning_and_no_value():
    async with bench() as b:
        assert await b.run("MemoryReadKeyVal", PLACE) == {"_warning": "key not found"}


@pytest.mark.parametrize("scope", ["session", "request", "ttl"])
async def test_a_value_is_read_whatever_its_scope(scope):
    async with bench() as b:
        await b.run("MemoryWriteKeyVal", {**PLACE, "value": "v", "scope": scope})
        assert await b.run("MemoryReadKeyVal", PLACE) == {"Value": "v"}


async def test_the_key_may_hold_placeholders():
    async with bench() as b:
        await b.run("MemoryWriteKeyVal", {**PLACE, "value": "v"})
        found = await b.run("MemoryReadKeyVal", {"memoryName": "{{M}}", "key": "{{K}}"}, inputs={"M": "m", "K": "k"})
    assert found == {"Value": "v"}


async def test_another_memory_has_other_values():
    async with bench() as b:
        await b.run("MemoryWriteKeyVal", {**PLACE, "value": "v"})
        assert await b.run("MemoryReadKeyVal", {**PLACE, "memoryName": "other"}) == {"_warning": "key not found"}


async def test_without_a_key_it_is_an_error():
    assert list(made("MemoryReadKeyVal").check()) == [Flaw("it has no key", "key")]
    assert list(made("MemoryReadKeyVal", PLACE).check()) == []
    async with bench() as b:
        with pytest.raises(ComponentError, match="no key"):
            await b.run("MemoryReadKeyVal", {"memoryName": "m"})
