"""Tests of stored ACLs that many ask for at the same time."""

import asyncio

import pytest

from sre_core.access import Access, Resource
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import Settings
from sre_core.errors import UnavailableError
from tests.unit.sre_core.access.world import A1, U1, U2, World

NOTES = Resource.parse("storage/agent/a1/notes")


class GatedStorage(MemoryStorage):
    """Counts its reads; with a gate, each waits there and then fails if it shall."""

    reads = 0
    gate: asyncio.Event | None = None
    fails = False

    async def read(self, key: str) -> bytes:
        data = await super().read(key)
        self.reads += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise UnavailableError("the storage is away")
        return data


async def world_with_a_grant() -> tuple[World, GatedStorage]:
    storage = GatedStorage(Settings())
    world = World(storage)
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    world.clock.now += 10
    storage.reads, storage.gate = 0, asyncio.Event()
    return world, storage


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def ask(world: World, count: int) -> "list[asyncio.Task[bool]]":
    tasks = [asyncio.create_task(world.storage(U1, A1).allowed("notes", Access.READ)) for _ in range(count)]
    await settle()
    return tasks


async def test_many_who_ask_at_once_read_an_acl_once() -> None:
    world, storage = await world_with_a_grant()
    tasks = await ask(world, 50)
    assert storage.gate is not None
    storage.gate.set()
    assert await asyncio.gather(*tasks) == [True] * 50
    assert storage.reads == 1


async def test_one_who_stops_asking_does_not_stop_the_others() -> None:
    world, storage = await world_with_a_grant()
    first, second = await ask(world, 2)
    first.cancel()
    await settle()
    assert first.cancelled()
    assert storage.gate is not None
    storage.gate.set()
    assert await second


async def test_a_failed_reading_fails_for_those_who_waited_and_is_tried_again_by_the_next() -> None:
    world, storage = await world_with_a_grant()
    tasks = await ask(world, 3)
    storage.fails = True
    assert storage.gate is not None
    storage.gate.set()
    assert [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == [UnavailableError] * 3
    storage.fails = False
    assert await world.storage(U1, A1).allowed("notes", Access.READ)


async def test_nobody_waits_for_a_reading_that_began_too_long_ago() -> None:
    world, storage = await world_with_a_grant()
    old = await ask(world, 1)
    world.clock.now += 2
    new = await ask(world, 1)
    assert storage.reads == 2
    assert storage.gate is not None
    storage.gate.set()
    assert await asyncio.gather(*old, *new) == [True, True]


async def test_nobody_who_asks_after_a_change_waits_for_a_reading_from_before_it() -> None:
    world, storage = await world_with_a_grant()
    old = await ask(world, 1)
    gate, storage.gate = storage.gate, None
    await world.guard.grant(A1, NOTES.child("other"), U2, Access.READ)
    before = storage.reads
    assert await world.storage(U1, A1).allowed("notes", Access.READ)
    assert storage.reads == before + 1
    assert gate is not None
    gate.set()
    assert await asyncio.gather(*old) == [True]


@pytest.mark.parametrize("asking", [1, 3])
async def test_a_reading_that_nobody_waits_for_any_more_leaves_nothing_behind(asking: int) -> None:
    world, storage = await world_with_a_grant()
    for task in await ask(world, asking):
        task.cancel()
    storage.fails = True
    assert storage.gate is not None
    storage.gate.set()
    await settle()
    assert not world.acls._readings
