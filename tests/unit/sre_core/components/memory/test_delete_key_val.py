"""MemoryDeleteKeyVal forgets what was remembered."""

import pytest

from sre_core.components.base import Flaw
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made

PLACE = {"memoryName": "m", "key": "k"}
MISSING = {"_warning": "key not found"}


@pytest.mark.parametrize("scope", ["session", "request", "ttl"])
@pytest.mark.parametrize("value", ["v", ""])
async def test_a_deleted_value_is_gone(scope, value):
    async with bench() as b:
        await b.run("MemoryWriteKeyVal", {**PLACE, "value": value, "scope": scope})
        assert await b.run("MemoryDeleteKeyVal", PLACE) == {"Key": "k", "deleted": True}
        assert await b.run("MemoryReadKeyVal", PLACE) == MISSING
        assert await b.run("MemoryDeleteKeyVal", PLACE) == MISSING


async def test_other_keys_stay():
    async with bench() as b:
        await b.run("MemoryWriteKeyVal", {**PLACE, "value": "v"})
        await b.run("MemoryWriteKeyVal", {**PLACE, "key": "k2", "value": "v2"})
        await b.run("MemoryDeleteKeyVal", {"memoryName": "m", "key": "{{K}}"}, inputs={"K": "k"})
        assert await b.run("MemoryReadKeyVal", {**PLACE, "key": "k2"}) == {"Value": "v2"}


async def test_without_a_key_it_is_an_error():
    assert list(made("MemoryDeleteKeyVal").check()) == [Flaw("it has no key", "key")]
    async with bench() as b:
        with pytest.raises(ComponentError, match="no key"):
            await b.run("MemoryDeleteKeyVal", {"memoryName": "m"})
