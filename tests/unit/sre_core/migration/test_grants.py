"""What was granted on things holds for their copies: under the target's name, and where it takes the source's place."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sre_core.access import ACL, Access, Candidate, Resource
from sre_core.access.stored import acl_key, stored_acl
from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.config import load
from sre_core.connectors import ObjectInfo, Service
from sre_core.connectors.kernel_storage import KernelStorage
from sre_core.connectors.vectors import VectorRecord
from sre_core.errors import AccessDeniedError, ConnectorError, UnauthenticatedError
from sre_core.migration import End, GrantsCopy, Report, StorageCopy
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from tests.unit.sre_core.migration.ends import end_of

ADA, BEA, EVE = Candidate.agent("ada"), Candidate.user("bea"), Candidate.user("eve")


def runtime(folder: Path, **code: Any) -> Runtime:
    storages = {
        "default": {"use": "local", "folder": str(folder / "one")},
        "s3": {"use": "local", "folder": str(folder / "two")},
        **code.pop("storages", {}),
    }
    vectors = {"default": {"use": "memory"}, "big": {"use": "memory"}}
    connectors = {"storage": storages, "vectors": vectors, "llm": {"default": {"use": "echo"}}}
    # The copy writes past the guard, which would believe what it has read for a while.
    guard = {"acl_cache_seconds": 0}
    config = load(folder, {}, {"data": str(folder), "connectors": connectors, "guard": guard, **code}).config
    return Runtime(config, plugins=Plugins.load(only=[]))


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Runtime]:
    async with runtime(tmp_path) as made:
        storage = made.storage(ADA)
        for path in ("notes/a.txt", "notes/b.txt", "private.txt"):
            await storage.write(path, path)
        await storage.grant("notes", BEA, Access.READ)
        await storage.grant("notes/b.txt", BEA, Access.WRITE)
        await storage.revoke("notes/b.txt", BEA)
        yield made


def end(opened_runtime: Runtime, id_: str, service: Service = Service.STORAGE) -> End:
    return End(opened_runtime.connectors.get(service, id_))


async def copy(made: Runtime, source: str, target: str, prefix: str = "", **options: Any) -> Report:
    ends = end(made, source), end(made, target)
    report = await StorageCopy(*ends, prefix=prefix).run()
    await GrantsCopy(end(made, "default"), *ends, prefix=prefix, **options).run(report)
    return report


async def rights(made: Runtime, id_: str = "default") -> dict[str, list[bool]]:
    """Who may read: bea, then eve."""
    paths = ("notes/a.txt", "notes/b.txt", "private.txt")
    return {
        path: [await made.storage(who, id_).of(ADA).allowed(path, Access.READ) for who in (BEA, EVE)] for path in paths
    }


RIGHTS = {"notes/a.txt": [True, False], "notes/b.txt": [False, False], "private.txt": [False, False]}


async def test_grants_hold_for_the_copies_under_the_targets_own_id(opened: Runtime) -> None:
    report = await copy(opened, "default", "s3")
    assert report.ok
    assert await rights(opened) == RIGHTS
    assert await rights(opened, "s3") == RIGHTS
    assert await opened.storage(BEA, "s3").of(ADA).read_text("notes/a.txt") == "notes/a.txt"
    with pytest.raises(AccessDeniedError):
        await opened.storage(BEA, "s3").of(ADA).read_text("private.txt")


async def test_grants_hold_where_the_target_takes_the_place_of_the_default_storage(
    opened: Runtime, tmp_path: Path
) -> None:
    vectors = opened.vectors(ADA)
    await vectors.create("docs", 1)
    await vectors.upsert("docs", [VectorRecord(id="x", vector=[1])])
    await vectors.grant("docs", BEA, Access.READ)
    await copy(opened, "default", "s3")
    moved = {"default": {"use": "local", "folder": str(tmp_path / "two")}}
    async with runtime(tmp_path, storages=moved) as later:
        assert await rights(later) == RIGHTS
        # ACLs of other services lie in the default storage as well.
        assert await later.vectors(BEA).of(ADA).allowed("docs", Access.READ)


async def test_grants_come_back_with_what_is_copied_back(opened: Runtime) -> None:
    await copy(opened, "default", "s3")
    await opened.storage(ADA, "s3").grant("private.txt", EVE, Access.READ)
    report = await copy(opened, "s3", "default")
    assert report.ok
    assert await rights(opened) == {**RIGHTS, "private.txt": [False, True]}


async def test_a_second_copy_of_changed_grants_replaces_them(opened: Runtime) -> None:
    await copy(opened, "default", "s3")
    await opened.storage(ADA).grant("notes", EVE, Access.READ)
    await copy(opened, "default", "s3")
    assert (await rights(opened, "s3"))["notes/a.txt"] == [True, True]


async def test_what_lies_above_a_prefix_decides_over_the_copies_too(opened: Runtime, tmp_path: Path) -> None:
    report = await copy(opened, "default", "s3", prefix="agent/ada/notes/a.txt")
    assert report.ok
    assert (await rights(opened, "s3"))["notes/a.txt"] == [True, False]
    # But not over what was not copied.
    await opened.storage(ADA, "s3").write("notes/new.txt", "x")
    assert not await opened.storage(BEA, "s3").of(ADA).allowed("notes/new.txt", Access.READ)
    moved = {"default": {"use": "local", "folder": str(tmp_path / "two")}}
    async with runtime(tmp_path, storages=moved) as later:
        assert (await rights(later))["notes/a.txt"] == [True, False]


async def test_grants_outside_a_prefix_stay_where_they_are(opened: Runtime, tmp_path: Path) -> None:
    await opened.storage(ADA).grant("private.txt", EVE, Access.READ)
    await copy(opened, "default", "s3", prefix="agent/ada/notes")
    assert (await rights(opened, "s3"))["private.txt"] == [False, False]
    assert not [path for path in (tmp_path / "two/acl").iterdir() if b"private" in path.read_bytes()]


async def test_grants_on_collections_follow_them(opened: Runtime) -> None:
    await opened.vectors(ADA).create("docs", 1)
    await opened.vectors(ADA).grant("docs", BEA, Access.WRITE)
    ends = end(opened, "default", Service.VECTORS), end(opened, "big", Service.VECTORS)
    await GrantsCopy(end(opened, "default"), *ends).run(report := Report())
    assert (report.acls, report.ok) == (1, True)
    assert await opened.vectors(BEA, "big").of(ADA).allowed("docs", Access.WRITE)
    assert not await opened.vectors(EVE, "big").of(ADA).allowed("docs", Access.READ)


CONFIGURED = {
    Resource.parse("storage/agent/ada/notes/a.txt"): ACL(),
    Resource.parse("storage/agent/ada/private.txt"): ACL.parse({"user:eve": "read"}),
    Resource.parse("llm"): ACL.parse({"public": "read"}),
}


async def test_what_the_configuration_says_of_the_source_holds_for_the_copies(opened: Runtime) -> None:
    # Overruled by the configuration, so it must not come to life in the copy.
    await opened.storage(ADA).grant("notes/a.txt", EVE, Access.READ)
    report = await copy(opened, "default", "s3", configured=CONFIGURED)
    assert await rights(opened, "s3") == {
        "notes/a.txt": [False, False],
        "notes/b.txt": [False, False],
        "private.txt": [False, True],
    }
    first, second = report.notes
    assert first == (
        '[access] "storage/agent/ada/notes/a.txt" holds for no "storage@s3/agent/ada/notes/a.txt": '
        "what it says now was stored there, and does not follow it"
    )
    assert "private.txt" in second


async def test_what_the_configuration_says_above_a_prefix_holds_for_the_copies(opened: Runtime) -> None:
    configured = {Resource.parse("storage/agent/ada"): ACL.parse({"user:eve": "read"}), **CONFIGURED}
    await copy(opened, "default", "s3", prefix="agent/ada/private.txt", configured=CONFIGURED)
    assert (await rights(opened, "s3"))["private.txt"] == [False, True]
    await copy(opened, "default", "s3", prefix="agent/ada/notes/b.txt", configured=configured)
    assert (await rights(opened, "s3"))["notes/b.txt"] == [False, False]
    await opened.storage(ADA).inherit("notes/b.txt")
    await opened.storage(ADA).inherit("notes")
    await copy(opened, "default", "s3", prefix="agent/ada/notes/b.txt", configured=configured)
    assert (await rights(opened, "s3"))["notes/b.txt"] == [False, True]


async def test_what_the_target_is_configured_to_grant_stays_with_the_operator(opened: Runtime) -> None:
    theirs = {Resource.parse("storage@s3/agent/ada/private.txt"): ACL()}
    report = await copy(opened, "default", "s3", configured={**CONFIGURED, **theirs})
    assert len(report.notes) == 1
    assert (await rights(opened, "s3"))["private.txt"] == [False, False]


async def test_a_line_for_a_whole_service_can_only_be_noted(opened: Runtime) -> None:
    report = await copy(opened, "default", "s3", configured={Resource.parse("storage"): ACL()})
    assert report.notes == [
        '[access] "storage" holds for no "storage@s3": add a line if that is what it will be called'
    ]


async def test_a_grant_that_only_the_targets_name_has_is_noted(opened: Runtime) -> None:
    await opened.storage(ADA, "s3").grant("private.txt", EVE, Access.READ)
    report = await copy(opened, "default", "s3")
    assert report.notes == ["storage@s3/agent/ada/private.txt has an ACL, and the source has none there"]


async def test_a_grant_that_only_the_target_has_kept_is_noted_since_it_holds_in_the_sources_place(
    opened: Runtime,
) -> None:
    await copy(opened, "default", "s3")
    await opened.storage(ADA).inherit("notes/b.txt")
    await opened.storage(ADA, "s3").inherit("notes/b.txt")
    report = await copy(opened, "default", "s3")
    assert report.notes == ["the target keeps an ACL of storage/agent/ada/notes/b.txt, and the source has none there"]
    assert (await copy(opened, "default", "s3", prefix="agent/ada/private.txt")).notes == []


class Frail(LocalStorage):
    """Stops to keep ACLs after a few, or refuses one."""

    left = 10
    refused: Resource | None = None

    async def write(self, key: str, data: bytes, **options: Any) -> ObjectInfo:
        if self.refused is not None and key == acl_key(self.refused):
            raise ConnectorError("no room")
        if key.startswith("acl/"):
            self.left -= 1
        if self.left < 0:
            raise UnauthenticatedError("gone")
        return await super().write(key, data, **options)


async def frail(opened_runtime: Runtime, folder: Path) -> tuple[Frail, GrantsCopy]:
    """A default storage in which the parts of a public folder are each for one user alone, and its next one."""
    storage = opened_runtime.storage(ADA)
    for number in range(9):
        await storage.grant(f"public/{number}/deep", BEA, Access.READ)
    await storage.grant("public", Candidate.public(), Access.READ)
    heir = Frail(LocalSettings(folder=folder))
    return heir, GrantsCopy(end(opened_runtime, "default"), end(opened_runtime, "default"), end_of(heir, "next"))


async def in_heir(heir: Frail) -> list[str]:
    keys = [info.key async for info in heir.list("acl")]
    return [str(stored_acl(key, await heir.read(key))[0]) for key in keys]


async def test_a_copy_that_ends_on_the_way_opens_nothing_that_is_closed_in_the_source(
    opened: Runtime, tmp_path: Path
) -> None:
    heir, grants = await frail(opened, tmp_path / "next")
    heir.left = 5
    with pytest.raises(UnauthenticatedError):
        await grants.run(Report())
    there = await in_heir(heir)
    assert len(there) == 5
    assert all(name.endswith("/deep") for name in there)


async def test_what_lies_above_an_acl_that_cannot_be_stored_is_not_opened(opened: Runtime, tmp_path: Path) -> None:
    heir, grants = await frail(opened, tmp_path / "next")
    heir.left, heir.refused = 100, Resource.parse("storage/agent/ada/public/3/deep")
    await grants.run(report := Report())
    assert {one.name: one.why for one in report.differences} == {
        "the ACL of storage/agent/ada/public/3/deep": "no room",
        "the ACL of storage/agent/ada/public": f"that of {heir.refused} below it could not be stored",
    }
    there = await in_heir(heir)
    assert "storage/agent/ada/public" not in there
    assert "storage/agent/ada/notes" in there


async def test_a_dry_run_counts_and_stores_nothing(opened: Runtime, tmp_path: Path) -> None:
    ends = end(opened, "default"), end(opened, "s3")
    await GrantsCopy(end(opened, "default"), *ends).run(report := Report(), write=False)
    assert report.acls == 4
    assert not (tmp_path / "two").exists()
    assert await rights(opened, "s3") == {path: [False, False] for path in RIGHTS}


async def test_a_damaged_acl_is_a_difference_and_stops_no_other(opened: Runtime) -> None:
    kernel = KernelStorage(lambda: opened.connectors.get(Service.STORAGE))
    await kernel.write("acl/damaged.json", b"{}")
    await kernel.write("acl/elsewhere.json", b'{"resource": "storage/agent/ada/x", "grants": {}}')
    report = await copy(opened, "default", "s3")
    assert sorted(one.name for one in report.differences) == ["acl/damaged.json", "acl/elsewhere.json"]
    assert await rights(opened, "s3") == RIGHTS
