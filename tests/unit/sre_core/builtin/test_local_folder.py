"""Folders refuse links, and say what their file system reports."""

import errno
import os

import pytest

from sre_core.builtin.local_folder import Folder, translated
from sre_core.errors import ConnectorError, UnavailableError


@pytest.fixture(params=[True, False], ids=["by-descriptor", "by-path"])
def folder(request, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    with Folder.root(root, by_descriptor=request.param) as opened:
        yield opened


def write(folder, name, data):
    descriptor = folder.open(name, os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, data)
    os.close(descriptor)


def test_files_are_made_moved_and_removed(folder):
    with folder.folder("below", create=True) as below:
        write(folder, "a", b"1")
        folder.replace("a", below, "b")
        assert (folder.path / "below/b").read_bytes() == b"1"
        assert below.names() == ["b"]
        below.unlink("b")
        below.sync()
        assert below.names() == []


def test_what_is_made_belongs_to_its_owner_alone(folder):
    folder.folder("below", create=True).close()
    write(folder, "file", b"")
    assert (folder.path / "below").stat().st_mode & 0o777 == 0o700
    assert (folder.path / "file").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_exists_is_opened(folder):
    folder.folder("below", create=True).close()
    folder.folder("below", create=True).close()


def test_a_missing_folder_is_not_made_unasked(folder):
    with pytest.raises(FileNotFoundError):
        folder.folder("below")


def test_a_link_to_a_folder_is_not_entered(folder, tmp_path):
    (tmp_path / "outside").mkdir()
    (folder.path / "link").symlink_to(tmp_path / "outside")
    for create in (False, True):
        with pytest.raises(ConnectorError, match="'link' in its path is a link"), translated("test", folder.path):
            folder.folder("link", create=create)


def test_a_link_to_a_file_is_neither_read_nor_written(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("secret")
    (folder.path / "link").symlink_to(outside)
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_CREAT):
        with pytest.raises(ConnectorError, match="is a link"), translated("test", folder.path):
            folder.open("link", flags)
    assert outside.read_text() == "secret"


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder.path / "pipe")
    with pytest.raises(ConnectorError, match="not what this storage put there"), translated("test", folder.path):
        folder.open("pipe", os.O_RDONLY)


def test_a_link_is_replaced_and_not_written_through(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("old")
    (folder.path / "link").symlink_to(outside)
    write(folder, "new", b"new")
    folder.replace("new", folder, "link")
    assert outside.read_text() == "old"
    assert (folder.path / "link").read_text() == "new"
    assert not (folder.path / "link").is_symlink()


def test_a_file_is_no_root(tmp_path):
    (tmp_path / "file").write_text("")
    for by_descriptor in (True, False):
        with pytest.raises(NotADirectoryError):
            Folder.root(tmp_path / "file", by_descriptor=by_descriptor)


def test_closing_twice_is_harmless(folder):
    folder.close()
    folder.close()


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, ConnectorError, "free some space"),
        (errno.EFBIG, ConnectorError, "free some space"),
        (errno.EACCES, ConnectorError, "needs to read and write"),
        (errno.EROFS, ConnectorError, "needs to read and write"),
        (errno.ELOOP, ConnectorError, "never followed"),
        (errno.EMFILE, UnavailableError, "fewer calls at once"),
        (errno.EIO, ConnectorError, "check the folder"),
    ],
)
def test_what_the_file_system_reports_is_an_error_with_a_hint(tmp_path, number, kind, words):
    with pytest.raises(kind, match="write of 'a' failed") as raised, translated("write of 'a'", tmp_path):
        raise OSError(number, os.strerror(number), "a@sre")
    assert words in raised.value.hint
    assert isinstance(raised.value.__cause__, OSError)
