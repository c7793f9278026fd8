"""Keeps what was made of weights once, in a cache that processes share: whole, or not at all."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sre_core import logs
from sre_core.errors import ConfigError

__all__ = ["content_key", "prepared"]

log = logs.get_logger(__name__)

_SCRATCH = ".making-"
_KEYS = ".keys"
_DIGITS = 16
# Files younger than this may change again without a change of their times, as clocks of file systems are coarse.
_SETTLED_SECONDS = 2.0


def prepared(
    source: Path,
    cache: Path,
    form: str,
    write: Callable[[Path], None],
    *,
    whole: Callable[[Path], bool] = Path.exists,
) -> Path:
    """The file or folder that `write` makes of `source`, made if it is not in `cache` yet.

    `source` is a file, or a folder with safetensors. `form` names what is made, with a number that is raised when
    the way it is written changes: `"int4-1"`. `write` gets a path where nothing is yet, and makes a file or folder
    there. Two processes never make the same thing twice; what a killed process left is removed. What is there but
    not `whole` is made again.

    Raises ConfigError when the cache cannot be written, and what `write` raises.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        place = cache / f"{source.name if source.is_dir() else source.stem}-{form}-{content_key(source, cache)}"
        if place.exists() and whole(place):
            return place
        with FileLock(_lock(cache, place.name)):
            _sweep(cache, own=place.name)
            if place.exists() and whole(place):
                return place
            if place.exists():
                log.warning("prepared_weights_damaged", place=str(place))
                _remove(place)
            _make(place, cache / f"{_SCRATCH}{place.name}", write)
    except OSError as error:
        raise ConfigError(
            f"the cache folder {str(cache)!r} cannot be used: {error}",
            hint="free some room, or set cache_folder to a folder that can be written",
        ) from error
    return place


def content_key(source: Path, cache: Path) -> str:
    """16 hexadecimal digits that change with the content of a file, or with a folder's config and safetensors.

    Everything is read once; then the key is remembered in `cache` for as long as sizes and times stay the same.
    """
    files = [source] if source.is_file() else sorted([*source.glob("config.json"), *source.glob("*.safetensors")])
    seen = [[file.name, *_signature(file)] for file in files]
    note = cache / _KEYS / hashlib.sha256(os.fsencode(source.resolve())).hexdigest()[:_DIGITS]
    try:
        known = json.loads(note.read_bytes())
        if known["seen"] == seen and isinstance(known["key"], str):
            return known["key"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a note that is missing or cut only costs the reading
    key = _digest(files)
    newest = max(max(file.stat().st_mtime, file.stat().st_ctime) for file in files)
    if time.time() - newest > _SETTLED_SECONDS and seen == [[file.name, *_signature(file)] for file in files]:
        # A cache that cannot be written may still hold all that is needed.
        with suppress(OSError):
            _write_note(note, json.dumps({"source": str(source), "seen": seen, "key": key}))
    return key


def _signature(file: Path) -> list[int]:
    about = file.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
        digest.update(file.name.encode() if len(files) > 1 else b"")
    return digest.hexdigest()[:_DIGITS]


def _write_note(note: Path, text: str) -> None:
    note.parent.mkdir(exist_ok=True)
    scratch = note.with_name(f"{note.name}.{os.getpid()}")
    scratch.write_text(text)
    scratch.replace(note)


def _make(place: Path, scratch: Path, write: Callable[[Path], None]) -> None:
    try:
        write(scratch)
        _to_disk(scratch)
        scratch.rename(place)
    except BaseException:
        _remove(scratch)
        raise


def _to_disk(path: Path) -> None:
    """Before the rename: else a power cut leaves files of the right name and length, full of zeros."""
    for file in [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]:
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())


def _sweep(cache: Path, *, own: str) -> None:
    """Remove what killed processes left. Whoever is still at work holds the lock of its scratch."""
    for scratch in cache.glob(f"{_SCRATCH}*"):
        name = scratch.name.removeprefix(_SCRATCH)
        if name == own:
            _remove(scratch)
            continue
        try:
            with FileLock(_lock(cache, name), timeout=0):
                _remove(scratch)
        except Timeout:
            continue


def _lock(cache: Path, name: str) -> Path:
    return cache / f"{name}.lock"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
