"""Tests of homes in a real folder: links, capitals, odd names, and two processes that grant at once."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sre_core.access import ACL, Access, Candidate, Resource
from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.errors import AccessDeniedError, ConfigError, ConnectorError, NotFoundError, SREError
from tests.unit.sre_core.access.world import A1, A2, U1, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    storage = LocalStorage(LocalSettings(folder=tmp_path / "root"))
    await storage.start()
    yield World(storage)
    await storage.stop()


def files(folder: Path) -> set[Path]:
    """The files below a folder, without those in which the storage keeps its locks."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if ".locks" not in path.parts}


@given(path=st.text(max_size=20) | st.lists(st.sampled_from(["..", ".", "a", "A", "é", " ", "x."])).map("/".join))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_nothing_is_ever_written_outside_the_home(tmp_path: Path, path: str) -> None:
    storage = LocalStorage(LocalSettings(folder=tmp_path / "root"))
    await storage.start()
    handle = World(storage).storage(A1)
    before = files(tmp_path)
    try:
        await handle.write(path, path.encode(errors="replace"))
    except ConfigError:
        assert files(tmp_path) == before
        return
    assert await handle.read(path) == path.encode()
    assert all(new.parts[:3] == ("root", "agent", "a1") for new in files(tmp_path) - before)
    assert [info.key async for info in World(storage).storage(A2).list()] == []
    await handle.delete(path)


@pytest.mark.parametrize("link", ["folder", "file", "home", "role"])
async def test_a_link_out_of_the_home_leads_nowhere(world: World, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    theirs = world.storage(A2)
    await theirs.write("secret", b"hidden")
    (stored,) = [path for path in files(tmp_path / "root/agent/a2") if path.name.startswith("secret")]
    outside.mkdir()
    (outside / "secret").write_bytes(b"hidden")
    await world.storage(U1).write("folder/secret", b"mine")
    await world.storage(A1).write("x/y", b"mine")
    root = tmp_path / "root"
    mine = root / "agent/a1"
    match link:
        case "folder":
            (mine / "folder").symlink_to(root / "agent/a2", target_is_directory=True)
            handle, path = world.storage(A1), "folder/secret"
        case "file":
            (mine / stored.name).symlink_to(root / "agent/a2" / stored)
            handle, path = world.storage(A1), "secret"
        case "home":
            (root / "agent/a3").symlink_to(root / "agent/a2", target_is_directory=True)
            handle, path = world.storage(Candidate.agent("a3")), "secret"
        case _:
            (root / "team").symlink_to(outside, target_is_directory=True)
            handle, path = world.storage(Candidate.team("x")), "secret"
    with pytest.raises(SREError) as raised:
        await handle.read(path)
    assert "hidden" not in str(raised.value)
    # A link that was in the way may be replaced, not followed.
    for place in (path, f"{path}/new"):
        with suppress(ConnectorError):
            await handle.write(place, b"mine")
    assert await theirs.read("secret") == b"hidden"
    assert files(outside) == {Path("secret")}
    assert (root / "agent/a2" / stored).is_file()


@pytest.mark.parametrize("names", [("a1", "A1"), ("x", "x."), ("con", "con.txt"), ("a", "a..")])
async def test_ids_that_a_file_system_may_fold_together_stay_apart(world: World, names: tuple[str, str]) -> None:
    first, second = (world.storage(Candidate.agent(name)) for name in names)
    await first.write("x", b"one")
    with pytest.raises(NotFoundError):
        await second.read("x")
    await second.write("x", b"two")
    assert (await first.read("x"), await second.read("x")) == (b"one", b"two")
    with pytest.raises(AccessDeniedError):
        await first.of(second.candidate).read("x")


@pytest.mark.parametrize(
    "names", [("x", "X"), ("x", "x."), ("x", "x "), ("x", " x"), ("x.", "x.."), ("%2e%2e", "%2E%2E")]
)
async def test_names_that_a_file_system_may_fold_together_stay_apart(world: World, names: tuple[str, str]) -> None:
    handle = world.storage(A1)
    for name in names:
        await handle.write(name, name.encode())
    assert [await handle.read(name) for name in names] == [name.encode() for name in names]


async def test_two_spellings_of_one_name_are_one_object(world: World) -> None:
    handle = world.storage(A1)
    await handle.write("cafe\u0301", b"x")
    assert await handle.read("caf\u00e9") == b"x"
    assert [info.key async for info in handle.list()] == ["caf\u00e9"]


async def test_the_files_of_acls_are_in_no_home(world: World, tmp_path: Path) -> None:
    handle = world.storage(A1)
    await handle.grant("", U1, Access.READ)
    (stored,) = files(tmp_path / "root")
    assert stored.parts[0] == "acl"
    with pytest.raises(NotFoundError):
        await handle.read(f"acl/{stored.name}")


GRANTS = """
import asyncio, sys
from pathlib import Path
from sre_core.access import Access, Candidate, Guard, Resource
from sre_core.access.stored import StoredAcls
from sre_core.builtin.local_storage import LocalSettings, LocalStorage

async def main(folder, begin):
    storage = LocalStorage(LocalSettings(folder=Path(folder)))
    await storage.start()
    guard = Guard(StoredAcls(storage))
    for number in range(begin, begin + 8):
        user = Candidate.user(f"u{number}")
        await guard.grant(Candidate.agent("a1"), Resource.parse("storage/agent/a1/x"), user, Access.READ)
    await storage.stop()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.slow
async def test_two_processes_that_grant_at_once_lose_nothing(world: World, tmp_path: Path) -> None:
    command = [sys.executable, "-c", GRANTS, str(tmp_path / "root")]
    running = [subprocess.Popen([*command, begin]) for begin in ("0", "8")]  # noqa: ASYNC220
    assert [process.wait(60) for process in running] == [0, 0]
    expected = ACL(frozenset((Candidate.user(f"u{number}"), Access.READ) for number in range(16)))
    place = Resource.parse("storage/agent/a1/x")
    assert await world.acls.nearest(place) == (place, expected)
