"""The objects of a folder in order of their keys, with one folder's names in memory at a time.

Names that this storage never gives are passed over in silence; a damaged object, a link, or a file in the place of
a folder is logged and left out, so that it hides nothing else. Reading such an object by its key says what is wrong.
"""

from collections.abc import Callable, Generator, Iterator
from itertools import islice

from sre_core import logs
from sre_core.builtin.local_folder import Folder
from sre_core.builtin.local_object import ObjectReader, expired
from sre_core.builtin.local_paths import OBJECT, decode_name, encode_part
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConnectorError

__all__ = ["Listing", "open_folder"]

log = logs.get_logger(__name__)


def open_folder(root: Folder, names: tuple[str, ...], *, create: bool = False) -> Folder:
    """Open the folder at `names` below `root`, which is closed. Raises FileNotFoundError, OSError."""
    folder = root
    for name in names:
        with folder as above:
            folder = above.folder(name, create=create)
    return folder


class Listing:
    """Goes through a tree of folders, a few objects at a time."""

    def __init__(self, start: Callable[[], Folder], prefix: str) -> None:
        """`start` opens the folder that holds the objects below `prefix`; it is called by the first `take`."""
        self._objects = _start(start, prefix)

    def take(self, count: int) -> list[ObjectInfo]:
        """The next objects, at most `count`; empty at the end. Raises OSError."""
        return list(islice(self._objects, count))

    def close(self) -> None:
        """Close every folder; twice is harmless."""
        self._objects.close()


def _start(start: Callable[[], Folder], prefix: str) -> Generator[ObjectInfo]:
    try:
        folder = start()
    except FileNotFoundError:
        return
    yield from _below(folder, f"{prefix}/" if prefix else "")


def _below(folder: Folder, prefix: str) -> Generator[ObjectInfo]:
    with folder:
        for part, names in sorted(set(_entries(folder))):
            try:
                if not part.endswith("/"):
                    found = _info(folder, names, prefix + part)
                    if not expired(found):
                        yield found
                    continue
                inside = open_folder(folder.folder(names[0]), names[1:])
            except FileNotFoundError:
                # Removed since the names were read.
                continue
            except (OSError, ConnectorError) as error:
                log.warning("storage_file_skipped", path=str(folder.path.joinpath(*names)), error=str(error))
                continue
            yield from _below(inside, prefix + part)


def _info(folder: Folder, names: tuple[str, ...], key: str) -> ObjectInfo:
    if len(names) > 1:
        with open_folder(folder.folder(names[0]), names[1:-1]) as inside:
            return _info(inside, names[-1:], key)
    reader = ObjectReader(key)
    try:
        return reader.open(folder, names[0])
    finally:
        reader.close()


def _entries(folder: Folder) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The parts of keys in `folder` with the names that stand for them; "a" is an object, "a/" a folder.

    In this form their order as text is the order of the keys.
    """
    for data, names in _names(folder):
        try:
            part = data.decode()
        except UnicodeDecodeError:
            continue
        is_object = names[-1].endswith(OBJECT)
        expected = encode_part(part)
        if is_object:
            expected = (*expected[:-1], expected[-1] + OBJECT)
        # A file system may give names back in other capitals. Where it minds them, a foreign name that differs in
        # them alone leads to a file that is listed already, or to none.
        if [name.lower() for name in names] == [name.lower() for name in expected]:
            yield (part if is_object else f"{part}/"), expected


def _names(folder: Folder) -> Iterator[tuple[bytes, tuple[str, ...]]]:
    for name in folder.names():
        decoded = decode_name(name.removesuffix(OBJECT))
        if decoded is None:
            continue
        piece, goes_on = decoded
        if not goes_on:
            yield piece, (name,)
            continue
        try:
            with folder.folder(name) as inside:
                for rest, names in _names(inside):
                    yield piece + rest, (name, *names)
        except OSError as error:
            log.warning("storage_file_skipped", path=str(folder.path / name), error=str(error))
