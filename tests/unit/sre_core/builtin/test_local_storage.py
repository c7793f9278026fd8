"""LocalStorage keeps the rules of a storage, and those of a folder on a shared machine."""

import asyncio
import json
import logging
import os
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnavailableError
from sre_core.testing.conformance.storage import StorageConformance


class TestLocalStorage(StorageConformance):
    def make(self):
        return LocalStorage(LocalSettings(folder=self.folder / "storage"))

    def make_broken(self):
        in_the_way = self.folder / "file"
        in_the_way.write_text("not a folder")
        return LocalStorage(LocalSettings(folder=in_the_way / "storage"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "storage"


@pytest.fixture
async def storage(folder):
    folder.mkdir(mode=0o700)
    storage = LocalStorage(LocalSettings(folder=folder))
    await storage.start()
    yield storage
    await storage.stop()


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


async def keys(storage, prefix=""):
    return [info.key async for info in storage.list(prefix)]


def warnings(caplog):
    return [record for record in caplog.records if record.levelno == logging.WARNING]


# Files


async def test_a_disk_that_takes_a_part_at_a_time_gets_all_of_an_object(storage, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:100]))
    await storage.write("object", b"x" * 1000, metadata={"long": "y" * 1000})
    assert await storage.read("object") == b"x" * 1000
    assert (await storage.stat("object")).metadata == {"long": "y" * 1000}


async def test_an_object_is_a_line_of_json_and_its_bytes(storage, folder):
    info = await storage.write("agent/a1/notes.txt", b"line\nline", content_type="text/plain", metadata={"a": "1"})
    header, data = (folder / "agent/a1/notes.txt@sre").read_bytes().split(b"\n", 1)
    assert data == b"line\nline"
    assert json.loads(header) == {
        "sre": 1,
        "key": "agent/a1/notes.txt",
        "size": 9,
        "version": info.version,
        "modified": info.modified,
        "content_type": "text/plain",
        "metadata": {"a": "1"},
        "expires": None,
    }


async def test_everything_belongs_to_its_owner_alone(storage, folder):
    await storage.write("agent/a1/notes.txt", b"1")
    await storage.write_stream("agent/a1/more.txt", pieces(b"1"))
    found = [folder, *folder.rglob("*")]
    assert len(found) > 6
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}


async def test_objects_outlive_the_connector(storage, folder):
    written = await storage.write("a", b"1", metadata={"a": "1"})
    await storage.stop()
    other = LocalStorage(LocalSettings(folder=folder))
    await other.start()
    assert await other.stat("a") == written


async def test_writes_leave_no_temporary_files(storage, folder):
    await storage.write("a", b"1")
    await storage.write_stream("a", pieces(b"2"))
    await storage.expire("a", 60)
    assert list((folder / ".temp").iterdir()) == []


async def test_an_expired_file_is_removed_when_somebody_looks(storage, folder):
    await storage.write("a", b"1")
    await storage.expire("a", -1)
    assert (folder / "a@sre").exists()
    with pytest.raises(NotFoundError):
        await storage.read("a")
    assert not (folder / "a@sre").exists()


async def test_expire_keeps_the_version_and_the_time(storage):
    written = await storage.write("a", b"1")
    await storage.expire("a", 60)
    found = await storage.stat("a")
    assert (found.version, found.modified) == (written.version, written.modified)


async def test_opened_folders_and_files_are_closed_again(storage):
    await storage.write("a/b", b"1" * (3 << 20))
    before = open_files()
    for _ in range(3):
        async with aclosing(storage.list("")) as items:
            await anext(items)
        async with aclosing(storage.read_stream("a/b")) as items:
            await anext(items)
        await storage.write("a/b/c", b"1")
        await keys(storage)
        with pytest.raises(NotFoundError):
            await storage.read("a/b/d")
        with pytest.raises(ConfigError):
            await storage.write("a", b"1", metadata={"a": "\ud800"})
    assert open_files() == before


# Keys


@pytest.mark.parametrize("key", ["", "a/../b", "..", "a//b", "/a", "a/", "./a", "a\0b", "\ud800"])
async def test_a_key_that_could_mean_another_place_is_refused(storage, key):
    calls = [
        storage.read,
        storage.stat,
        storage.delete,
        lambda key: storage.write(key, b""),
        lambda key: storage.write_stream(key, pieces(b"")),
        lambda key: storage.expire(key, 1),
        lambda key: anext(storage.read_stream(key)),
        lambda key: anext(storage.list(key or "/")),
    ]
    for call in calls:
        with pytest.raises(ConfigError, match="illegal key"):
            await call(key)


async def test_the_folders_of_the_storage_cannot_be_addressed(storage, folder):
    for key in (".temp/a", ".locks/a"):
        await storage.write(key, b"1")
    assert (folder / "%2etemp/a@sre").exists()
    assert await keys(storage) == [".locks/a", ".temp/a"]


async def test_metadata_beyond_a_mebibyte_are_refused(storage, folder):
    with pytest.raises(ConfigError, match=r"metadata of 'a' take \d+ bytes"):
        await storage.write("a", b"1", metadata={"a": "x" * (1 << 20)})
    await storage.write("a", b"1", metadata={"a": "x" * 1_000_000})
    assert len((await storage.stat("a")).metadata["a"]) == 1_000_000


# Damage and foreign files


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: b"", "not the description"),
        (lambda data: data[:-1], "holds 4 bytes of 5"),
        (lambda data: data + b"x", "holds 6 bytes of 5"),
        (lambda data: data[1:], "not the description"),
        (lambda data: data.replace(b'"size":5', b'"size":"'), "not the description"),
        (lambda data: data.replace(b'"key":"a"', b'"key":"b"'), "belongs to the key 'b'"),
        (lambda data: b"\0" * len(data), "not the description"),
        (lambda data: data.replace(b"\n", b" "), "not the description"),
    ],
)
async def test_a_damaged_file_is_named_and_hides_nothing_else(storage, folder, caplog, damage, why):
    for key in ("a", "b"):
        await storage.write(key, b"12345")
    file = folder / "a@sre"
    file.write_bytes(damage(file.read_bytes()))
    for call in (storage.read, storage.stat, lambda key: storage.expire(key, 1)):
        with pytest.raises(ConnectorError, match=why) as raised:
            await call("a")
        assert str(file) in str(raised.value)
    assert await keys(storage) == ["b"]
    assert len(warnings(caplog)) == 1
    await storage.write("a", b"again")
    assert await storage.read("a") == b"again"


async def test_a_damaged_object_can_be_deleted(storage, folder):
    (folder / "a@sre").write_text("not ours")
    await storage.delete("a")
    assert not (folder / "a@sre").exists()


async def test_foreign_files_are_passed_over(storage, folder, caplog):
    await storage.write("a/b", b"1")
    for name in (".DS_Store", "Thumbs.db", "a/.b@sre.swp", "a/b@sre~", "a/B@sre", "%41@sre", "\u00e4", "%ff@sre"):
        (folder / name).write_text("foreign")
    assert await keys(storage) == ["a/b"]
    assert warnings(caplog) == []


async def test_a_file_in_the_place_of_a_folder_is_named(storage, folder, caplog):
    (folder / "agent").write_text("foreign")
    await storage.write("b", b"1")
    with pytest.raises(ConnectorError, match="'agent' in its path is a link, or not what"):
        await storage.write("agent/a", b"1")
    assert await keys(storage) == ["b"]
    assert len(warnings(caplog)) == 1


# Links


async def test_a_link_to_a_file_outside_is_neither_read_nor_written(storage, folder, tmp_path, caplog):
    other = LocalStorage(LocalSettings(folder=tmp_path / "other"))
    await other.start()
    await other.write("a", b"secret")
    outside = tmp_path / "other" / "a@sre"
    (folder / "a@sre").symlink_to(outside)
    for call in (storage.read, storage.stat, lambda key: storage.expire(key, 1), lambda key: read_all(storage, key)):
        with pytest.raises(ConnectorError, match="is a link"):
            await call("a")
    with pytest.raises(ConnectorError, match="is a link"):
        await storage.write("a", b"new", if_version="")
    assert await keys(storage) == []
    assert len(warnings(caplog)) == 1
    await storage.write("a", b"new")
    assert await storage.read("a") == b"new"
    assert await other.read("a") == b"secret"


async def test_a_link_is_deleted_and_not_what_it_leads_to(storage, folder, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("secret")
    (folder / "a@sre").symlink_to(outside)
    await storage.delete("a")
    assert not (folder / "a@sre").is_symlink()
    assert outside.read_text() == "secret"


async def test_a_link_to_a_folder_outside_is_never_entered(storage, folder, tmp_path, caplog):
    other = LocalStorage(LocalSettings(folder=tmp_path / "other"))
    await other.start()
    await other.write("a/b", b"secret")
    (folder / "agent").mkdir()
    (folder / "agent" / "a").symlink_to(tmp_path / "other" / "a")
    calls = [
        storage.read,
        storage.stat,
        storage.delete,
        lambda key: storage.write(key, b"new"),
        lambda key: storage.write_stream(key, pieces(b"new")),
        lambda key: storage.expire(key, 1),
        lambda key: read_all(storage, key),
        lambda key: keys(storage, "agent/a"),
    ]
    for call in calls:
        with pytest.raises(ConnectorError, match="'a' in its path is a link"):
            await call("agent/a/b")
    assert await keys(storage) == []
    assert len(warnings(caplog)) == 1
    assert [path.name for path in (tmp_path / "other" / "a").iterdir()] == ["b@sre"]
    assert await other.read("a/b") == b"secret"


@pytest.mark.parametrize("name", [".temp", ".locks"])
async def test_the_storages_own_folders_may_not_be_links(storage, folder, tmp_path, name):
    (tmp_path / "outside").mkdir()
    if (folder / name).exists():
        (folder / name).rmdir()
    (folder / name).symlink_to(tmp_path / "outside")
    with pytest.raises(ConnectorError, match="is a link"):
        await storage.write("a", b"1")
    assert list((tmp_path / "outside").iterdir()) == []


async def test_the_root_itself_may_be_reached_through_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    storage = LocalStorage(LocalSettings(folder=tmp_path / "link"))
    await storage.start()
    await storage.write("a", b"1")
    assert (tmp_path / "real" / "a@sre").exists()


# Start, stop and cancellation


async def test_a_storage_that_is_not_started_says_so(folder):
    storage = LocalStorage(LocalSettings(folder=folder))
    with pytest.raises(ConnectorError, match="not started"):
        await storage.read("a")


async def test_a_folder_that_is_gone_is_unavailable_and_not_empty(storage, folder):
    folder.rename(folder.with_name("moved"))
    for call in (storage.ping, lambda: storage.read("a"), lambda: storage.write("a", b""), lambda: keys(storage)):
        with pytest.raises(UnavailableError, match="is gone"):
            await call()


async def test_a_relative_folder_stays_where_it_was_at_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = LocalStorage(LocalSettings())
    await storage.start()
    monkeypatch.chdir("/")
    await storage.write("a", b"1")
    assert (tmp_path / ".sre/storage/a@sre").exists()


@pytest.mark.parametrize("kind", ["asyncio", "anyio"])
async def test_after_a_cancelled_write_has_returned_nothing_more_is_written(storage, kind):
    for turns in range(6):
        if kind == "asyncio":
            writing = asyncio.create_task(storage.write("a", b"cancelled" * 100_000))
            for _ in range(turns):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.wait({writing})
            assert writing.cancelled()
        else:
            with anyio.move_on_after(0.0005 * turns):
                await storage.write("a", b"cancelled" * 100_000)
        await storage.write("a", b"later")
        assert await storage.read("a") == b"later"


async def pieces(*data):
    for piece in data:
        yield piece


async def read_all(storage, key):
    return [piece async for piece in storage.read_stream(key)]
