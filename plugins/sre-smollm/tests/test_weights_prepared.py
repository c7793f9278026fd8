"""That what is made of weights is made once, is whole or absent, and outlives killed processes."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sre_core.errors import ConfigError
from sre_smollm.weights import convert as converting
from sre_smollm.weights.convert import converted
from sre_smollm.weights.prepared import content_key, prepared

# Makes files as old as weights are that were not written just now.
OLD = 1_700_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"GGUF and more")
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def contents(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock" and path.name != ".keys")


def text(path: Path) -> None:
    path.write_text("made")


def never(_path: Path) -> None:
    raise AssertionError("made again")


def test_a_file_is_made_once_and_found_again(source, cache):
    place = prepared(source, cache, "int4-1", text)
    assert place.read_text() == "made"
    assert prepared(source, cache, "int4-1", never) == place
    assert contents(cache) == [place.name]


def test_another_form_and_another_content_are_made_beside_it(source, cache):
    first = prepared(source, cache, "int4-1", text)
    second = prepared(source, cache, "int4-2", text)
    source.write_bytes(b"GGUF and less")
    third = prepared(source, cache, "int4-1", text)
    assert len({first, second, third}) == 3
    assert all(place.exists() for place in (first, second, third))


def test_a_folder_is_known_by_its_weights_and_config(tiny_folder, tmp_path, cache):
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "v1.0"))
    place = prepared(folder, cache, "packed", text)
    assert place.name.startswith("v1.0-packed-")
    (folder / "chat_template.jinja").write_text("another")
    assert prepared(folder, cache, "packed", never) == place
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert prepared(folder, cache, "packed", text) != place


def test_what_fails_half_way_leaves_nothing(source, cache):
    def half(folder: Path) -> None:
        folder.mkdir()
        (folder / "part").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared(source, cache, "x", half)
    assert contents(cache) == []
    assert prepared(source, cache, "x", text).read_text() == "made"


def test_what_is_no_longer_whole_is_made_again(source, cache):
    place = prepared(source, cache, "x", text)
    place.write_text("")
    assert prepared(source, cache, "x", text, whole=lambda path: path.stat().st_size > 0) == place
    assert place.read_text() == "made"


def test_a_cache_that_is_a_file_is_told_in_words(source, cache):
    cache.write_text("")
    with pytest.raises(ConfigError, match="cache"):
        prepared(source, cache, "x", text)


def test_what_is_in_a_cache_that_cannot_be_written_is_taken(source, cache, monkeypatch):
    monkeypatch.setattr("sre_smollm.weights.prepared._SETTLED_SECONDS", -1.0)
    place = prepared(source, cache, "int4-1", text)
    # A file in the place of the notes is in the way even of one who may write everywhere.
    shutil.rmtree(cache / ".keys")
    (cache / ".keys").write_text("")
    assert prepared(source, cache, "int4-1", never) == place


def test_a_disk_that_takes_no_more_is_told_in_words(source, cache):
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ConfigError, match="No space left") as error:
        prepared(source, cache, "x", full)
    assert "cache_folder" in str(error.value.hint)
    assert contents(cache) == []


def test_a_key_is_remembered_until_the_file_changes(source, cache, monkeypatch):
    cache.mkdir()
    monkeypatch.setattr("sre_smollm.weights.prepared._SETTLED_SECONDS", -1.0)
    key = content_key(source, cache)
    # Nothing of the file can be read any more, and its length and times are the same.
    monkeypatch.setattr("sre_smollm.weights.prepared._digest", never)
    assert content_key(source, cache) == key
    os.utime(source, (OLD, OLD))
    with pytest.raises(AssertionError, match="made again"):
        content_key(source, cache)


def test_a_key_of_a_file_that_was_just_written_is_not_remembered(source, cache):
    cache.mkdir()
    key = content_key(source, cache)
    assert not (cache / ".keys").exists()
    about = source.stat()
    source.write_bytes(b"GGUF and MORE")
    os.utime(source, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert content_key(source, cache) != key


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"seen": 1}', b'{"seen": [], "key": 3}'])
def test_a_damaged_note_costs_only_the_reading(source, cache, monkeypatch, note):
    cache.mkdir()
    monkeypatch.setattr("sre_smollm.weights.prepared._SETTLED_SECONDS", -1.0)
    key = content_key(source, cache)
    (file,) = (cache / ".keys").iterdir()
    file.write_bytes(note)
    assert content_key(source, cache) == key


@pytest.mark.parametrize("content", [b"", b"GG", b"not a gguf file at all", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_a_damaged_gguf_leaves_nothing_behind(source, cache, content):
    source.write_bytes(content)
    with pytest.raises(ConfigError, match="GGUF file") as error:
        converted(source, cache)
    assert str(source) in str(error.value)
    assert error.value.hint
    assert not cache.exists() or contents(cache) == []


def test_a_converted_folder_that_was_damaged_since_is_made_again(source, cache, tiny_folder, monkeypatch):
    monkeypatch.setattr(
        converting, "_convert", lambda _file, folder: shutil.copytree(tiny_folder, folder, dirs_exist_ok=True)
    )
    folder = converted(source, cache)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    assert converted(source, cache) == folder
    assert weights.read_bytes() == whole


_AT_WORK = """
import shutil, sys
from pathlib import Path
from sre_smollm.weights import convert, prepared
class Lock(prepared.FileLock):
    def acquire(self, *args, **options):
        print("at the lock", flush=True)
        return super().acquire(*args, **options)
prepared.FileLock = Lock
source, cache, model = map(Path, sys.argv[1:])
def slowly(file, folder):
    (folder / "half").write_text("half")
    print("converting", flush=True)
    sys.stdin.readline()
    shutil.copytree(model, folder, dirs_exist_ok=True)
convert._convert = slowly
print(convert.converted(source, cache), flush=True)
"""


def at_work(source: Path, cache: Path, model: Path) -> subprocess.Popen[str]:
    start = [sys.executable, "-c", _AT_WORK, str(source), str(cache), str(model)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.Popen(start, **pipes)


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert line in iter(lambda: process.stdout.readline().strip(), "")


def test_two_processes_convert_a_file_once(source, cache, tiny_folder):
    with at_work(source, cache, tiny_folder) as first:
        wait_for(first, "converting")
        # The first one holds the lock until it is told to go on, so the second one can only wait.
        with at_work(source, cache, tiny_folder) as second:
            wait_for(second, "at the lock")
            first_out, _ = first.communicate("go\n", timeout=300)
            second_out, _ = second.communicate("go\n", timeout=300)
    assert first_out == second_out
    assert "converting" not in second_out
    assert contents(cache) == [Path(first_out.strip()).name]


def test_what_a_killed_process_left_is_neither_taken_nor_kept(source, cache, tiny_folder):
    with at_work(source, cache, tiny_folder) as first:
        wait_for(first, "converting")
        first.send_signal(signal.SIGKILL)
        first.wait(60)
        first.stdin.close()
    assert [name.startswith(".making-") for name in contents(cache)] == [True]
    with at_work(source, cache, tiny_folder) as second:
        out, _ = second.communicate("go\n", timeout=300)
    assert "converting" in out
    folder = Path(out.split()[-1])
    assert contents(cache) == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*os.listdir(tiny_folder), "half"])  # noqa: PTH208


def test_what_a_killed_process_left_of_another_file_is_removed_but_not_what_is_being_made(
    source, cache, tiny_folder, tmp_path
):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF of another")
    (cache / ".making-gone-x-1").mkdir(parents=True)
    with at_work(source, cache, tiny_folder) as busy:
        wait_for(busy, "converting")
        place = prepared(other, cache, "x", text)
        left = contents(cache)
        busy.communicate("go\n", timeout=300)
    assert [name for name in left if not name.startswith(".making-weights-")] == [place.name]
    assert len(left) == 2
