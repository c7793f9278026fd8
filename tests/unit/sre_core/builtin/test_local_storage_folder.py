"""The folder of the local storage: made by the first write, and by nobody who only reads."""

import contextlib
import os
import tempfile
from pathlib import Path

import pytest

from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.errors import ConnectorError, NotFoundError


@pytest.fixture
async def storage(tmp_path):
    connector = LocalStorage(LocalSettings(folder=tmp_path / "deep" / "storage"))
    await connector.start()
    yield connector
    await connector.stop()


async def test_reading_makes_no_folder(storage, tmp_path):
    with pytest.raises(NotFoundError):
        await storage.read("agent/a/x")
    with pytest.raises(NotFoundError):
        await storage.stat("agent/a/x")
    assert [info async for info in storage.list("")] == []
    await storage.delete("agent/a/x")
    assert not (tmp_path / "deep").exists()


async def test_the_first_write_makes_the_folder_for_its_owner_alone(storage, tmp_path):
    await storage.write("agent/a/x", b"1")
    assert await storage.read("agent/a/x") == b"1"
    assert (tmp_path / "deep" / "storage").stat().st_mode & 0o777 == 0o700


async def test_a_ping_finds_out_whether_the_folder_can_be_made(storage, tmp_path):
    (tmp_path / "deep").write_text("a file")
    with pytest.raises(ConnectorError):
        await storage.ping()


@pytest.mark.parametrize("exists", [True, False])
async def test_what_may_only_be_read_can_be_read_and_a_write_says_why_not(place, exists, read_only):
    folder = place / "storage"
    if exists:
        first = LocalStorage(LocalSettings(folder=folder))
        await first.start()
        await first.write("agent/a/x", b"1")
        await first.stop()
    with read_only(place):
        second = LocalStorage(LocalSettings(folder=folder))
        await second.start()
        if exists:
            assert await second.read("agent/a/x") == b"1"
        else:
            assert [info async for info in second.list("")] == []
        with pytest.raises(ConnectorError, match="failed"):
            await second.write("agent/a/y", b"2")
        await second.stop()


@pytest.fixture
def place():
    """Not `tmp_path`, whose parents nobody but their owner may enter."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def read_only():
    """Makes a folder and all below it unwritable for a while, for the superuser as well."""

    @contextlib.contextmanager
    def block(folder):
        places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        # The superuser ignores permissions, so it becomes somebody else for the file system.
        user = os.geteuid()
        for place in places:
            place.chmod(0o555)
        if user == 0:
            for place in [*places, *(path for path in folder.rglob("*") if path.is_file())]:
                os.chown(place, 65534, 65534)
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)
            for place in places:
                place.chmod(0o700)

    return block
