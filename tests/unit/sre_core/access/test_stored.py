"""Tests of stored ACLs: how they are kept, when a revocation is seen, and what a damaged one does."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.access import ACL, Access, Candidate, Resource
from sre_core.access.stored import StoredAcls, acl_from_json, acl_to_json
from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import ObjectInfo, Settings
from sre_core.errors import ConflictError, ConnectorError
from tests.unit.sre_core.access.test_candidate import LEGAL
from tests.unit.sre_core.access.world import A1, U1, U2, World

NOTES = Resource.parse("storage/agent/a1/notes")
FILE = NOTES.child("x")
ACLS = st.dictionaries(LEGAL.map(Candidate.user) | LEGAL.map(Candidate.team), st.sampled_from(list(Access))).map(
    lambda grants: ACL(frozenset(grants.items()))
)


@given(acl=ACLS)
def test_an_acl_is_read_back(acl: ACL) -> None:
    assert acl_from_json(acl_to_json(NOTES, acl), NOTES) == acl


DAMAGED = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff",
    b'{"resource": "storage/agent/a1/notes"}',
    b'{"resource": "storage/agent/a1/notes", "grants": ["user:u1"]}',
    b'{"resource": "storage/agent/a1/notes", "grants": {"user:u1": 3}}',
    b'{"resource": "storage/agent/a1/notes", "grants": {"user:u1": "root"}}',
    b'{"resource": "storage/agent/a1/notes", "grants": {"user:../x": "own"}}',
    b'{"resource": "storage/agent/a1", "grants": {"user:u1": "own"}}',
    b'{"grants": {"user:u1": "own"}}',
    b"[" * 5000,
]


@pytest.mark.parametrize("raw", DAMAGED)
def test_what_is_no_acl_of_the_resource_grants_nothing(raw: bytes) -> None:
    with pytest.raises(ConnectorError, match="the stored ACL of 'storage/agent/a1/notes'"):
        acl_from_json(raw, NOTES)


async def test_an_acl_of_a_folder_and_one_of_its_file_may_both_exist() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    await world.guard.grant(A1, FILE, U1, Access.WRITE)
    keys = [info.key async for info in world.connector.list("")]
    assert len(keys) == 2
    assert all(key.startswith("acl/") for key in keys)
    assert await world.acls.nearest(FILE.child("y")) == (FILE, ACL().grant(U1, Access.WRITE))
    await world.acls.remove(FILE)
    assert await world.acls.nearest(FILE.child("y")) == (NOTES, ACL().grant(U1, Access.READ))


async def test_an_owner_repairs_a_damaged_acl_by_granting_again() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.OWN)
    (key,) = [info.key async for info in world.connector.list("acl")]
    await world.connector.write(key, b"{")
    await world.guard.grant(A1, NOTES, U2, Access.READ)
    assert await world.acls.nearest(NOTES) == (NOTES, ACL().grant(U2, Access.READ))


async def test_a_damaged_acl_above_is_not_copied() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    (key,) = [info.key async for info in world.connector.list("acl")]
    await world.connector.write(key, b"{")
    with pytest.raises(ConnectorError, match="damaged"):
        await world.guard.grant(A1, FILE, U2, Access.READ)


async def test_a_revocation_is_seen_at_once_here_and_in_time_elsewhere() -> None:
    here = World()
    there = World(here.connector)
    await here.guard.grant(A1, NOTES, U1, Access.READ)
    assert await there.storage(U1, A1).allowed("notes/x", Access.READ)
    there.clock.now += 1.5
    # Another question about the same ACL must not make it live longer.
    assert await there.storage(U1, A1).allowed("notes/y", Access.READ)
    await here.guard.revoke(A1, NOTES, U1)
    assert not await here.storage(U1, A1).allowed("notes/x", Access.READ)
    assert await there.storage(U1, A1).allowed("notes/y", Access.READ)
    there.clock.now += 0.5
    assert not await there.storage(U1, A1).allowed("notes/x", Access.READ)
    assert not await there.storage(U1, A1).allowed("notes/y", Access.READ)


async def test_what_a_file_inherits_is_revoked_here_at_once() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    assert await world.storage(U1, A1).allowed("notes/x/y", Access.READ)
    await world.guard.revoke(A1, NOTES, U1)
    assert not await world.storage(U1, A1).allowed("notes/x/y", Access.READ)


async def test_a_grant_does_not_bring_back_from_the_cache_what_was_revoked_elsewhere() -> None:
    here = World()
    there = World(here.connector)
    await here.guard.grant(A1, NOTES, U1, Access.READ)
    assert await there.storage(U1, A1).allowed("notes/x", Access.READ)
    await here.guard.revoke(A1, NOTES, U1)
    await there.guard.grant(A1, FILE, U2, Access.READ)
    assert not await there.storage(U1, A1).allowed("notes/x", Access.READ)


class SlowStorage(MemoryStorage):
    """Holds what it has read back until it may go."""

    reading: asyncio.Event
    go: asyncio.Event | None = None

    async def read(self, key: str) -> bytes:
        data = await super().read(key)
        if self.go is not None:
            self.reading.set()
            await self.go.wait()
        return data


async def test_an_answer_that_was_on_its_way_during_a_revocation_is_not_kept() -> None:
    storage = SlowStorage(Settings())
    world = World(storage)
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    world.clock.now += 2
    storage.reading, storage.go = asyncio.Event(), asyncio.Event()
    early = asyncio.create_task(world.storage(U1, A1).allowed("notes", Access.READ))
    await storage.reading.wait()
    go, storage.go = storage.go, None
    await world.guard.revoke(A1, NOTES, U1)
    go.set()
    await early
    assert not await world.storage(U1, A1).allowed("notes", Access.READ)


async def test_without_a_cache_everything_is_seen_at_once() -> None:
    here = World()
    there = StoredAcls(here.connector, cache_seconds=0, clock=here.clock)
    await here.guard.grant(A1, NOTES, U1, Access.READ)
    assert await there.nearest(FILE) is not None
    await here.acls.remove(NOTES)
    assert await there.nearest(FILE) is None


async def test_many_who_grant_at_once_lose_nothing(tmp_path: Path) -> None:
    storages = [LocalStorage(LocalSettings(folder=tmp_path)) for _ in range(2)]
    for storage in storages:
        await storage.start()
    worlds = [World(storage) for storage in storages]
    users = [Candidate.user(f"u{number}") for number in range(12)]
    async with asyncio.TaskGroup() as group:
        for number, user in enumerate(users):
            group.create_task(worlds[number % 2].guard.grant(A1, NOTES, user, Access.READ))
    found = await World(storages[0]).acls.nearest(NOTES)
    assert found == (NOTES, ACL(frozenset((user, Access.READ) for user in users)))
    for storage in storages:
        await storage.stop()


class BusyStorage(MemoryStorage):
    """Somebody else is always faster."""

    async def stat(self, key: str) -> ObjectInfo:
        info = await super().write(key, acl_to_json(NOTES, ACL()))
        await super().write(key, acl_to_json(NOTES, ACL()))
        return info


async def test_a_change_that_never_gets_through_gives_up() -> None:
    with pytest.raises(ConflictError, match="changes all the time"):
        await World(BusyStorage(Settings())).guard.grant(A1, NOTES, U1, Access.READ)


async def test_what_is_granted_again_is_not_written_again() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    (before,) = [info async for info in world.connector.list("")]
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    (after,) = [info async for info in world.connector.list("")]
    assert after.version == before.version
    # Below, the same rights stand alone from now on, whatever becomes of those above.
    await world.guard.grant(A1, FILE, U1, Access.READ)
    await world.guard.revoke(A1, NOTES, U1)
    assert await world.acls.nearest(FILE) == (FILE, ACL(frozenset({(U1, Access.READ)})))


class PlainStorage(MemoryStorage):
    """Knows no conditions."""

    capabilities = frozenset()


async def test_a_storage_without_conditions_keeps_the_changes_of_one_machine() -> None:
    world = World(PlainStorage(Settings()))
    users = [Candidate.user(f"u{number}") for number in range(5)]
    async with asyncio.TaskGroup() as group:
        for user in users:
            group.create_task(world.guard.grant(A1, NOTES, user, Access.READ))
    assert await world.acls.nearest(NOTES) == (NOTES, ACL(frozenset((user, Access.READ) for user in users)))


async def test_questions_about_many_places_do_not_fill_the_memory() -> None:
    world = World()
    for number in range(10_050):
        await world.acls.nearest(Resource(("storage", f"r{number}")))
    assert len(world.acls._cache) <= 10_000
    assert len(world.acls._answers) <= 10_000
