"""Which ids in a prompt stand for which picture, and stores for what is made of pictures."""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from sre_core.messages import File

__all__ = ["Gallery", "Layout", "Picture", "Store"]

T = TypeVar("T")

# Ids are handed out in blocks of so many, so that an id leads to its picture without a search.
_BLOCK = 1 << 12
# Ids are kept in 32 bits.
_BLOCKS = (1 << 31) // _BLOCK
# Pictures that are recognised when they come again.
_KNOWN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What stands for a picture in a prompt: `ids` with the model's mark at every place of a view.

    A view is a part of a picture that is looked at by itself; `views` are their numbers of marks, in order.
    """

    ids: tuple[int, ...]
    views: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Picture:
    """A picture in a prompt. Whoever has its ids read must hold it until then.

    In `ids` the marks of the model are replaced by negative ids of its own: the same for the same bytes, never those
    of another picture, so that sequences with other pictures differ. `key` names it in stores.
    """

    file: File
    key: int
    ids: tuple[int, ...]
    views: tuple[int, ...]

    def view(self, offset: int) -> tuple[int, int]:
        """The view in which the mark number `offset` lies, and its place in there."""
        for number, size in enumerate(self.views):
            if offset < size:
                return number, offset
            offset -= size
        raise LookupError(f"the picture {self.file.name!r} has no mark {offset} behind its last one")


class Gallery:
    """Numbers pictures. Safe to use from several threads.

    Only pictures that somebody holds can be found; the numbers of the last ones are remembered beyond that.
    """

    def __init__(self, mark: int) -> None:
        self._mark = mark
        self._known: OrderedDict[bytes, tuple[int, array[int], tuple[int, ...]]] = OrderedDict()
        self._held: WeakValueDictionary[int, Picture] = WeakValueDictionary()
        self._next = 0
        self._lock = threading.Lock()

    def recall(self, digest: bytes, file: File) -> Picture | None:
        """The picture whose bytes have this digest, None when it is not known any more."""
        with self._lock:
            found = self._known.get(digest)
            if found is None:
                return None
            self._known.move_to_end(digest)
            key, ids, views = found
            # One object for all who hold it, so that it can be found as long as any of them does.
            return self._held.get(key) or self._hold(Picture(file=file, key=key, ids=tuple(ids), views=views))

    def add(self, digest: bytes, file: File, layout: Layout) -> Picture:
        """Number a picture that was not known; if it came in meanwhile, that one."""
        known = self.recall(digest, file)
        if known is not None:
            return known
        with self._lock:
            key = self._free(layout.views)
            marks = iter(range(key * _BLOCK, key * _BLOCK + sum(layout.views)))
            ids = tuple(-1 - next(marks) if token == self._mark else token for token in layout.ids)
            self._known[digest] = (key, array("i", ids), layout.views)
            if len(self._known) > _KNOWN:
                self._known.popitem(last=False)
            return self._hold(Picture(file=file, key=key, ids=ids, views=layout.views))

    def find(self, token: int) -> tuple[Picture, int]:
        """The picture of a negative id, and the number of its mark. Raises LookupError when nobody holds it."""
        place = -1 - token
        picture = self._held[place // _BLOCK]
        return picture, place - picture.key * _BLOCK

    def _hold(self, picture: Picture) -> Picture:
        for block in _blocks(picture.key, picture.views):
            self._held[block] = picture
        return picture

    def _free(self, views: tuple[int, ...]) -> int:
        """The first of enough blocks that stand for no picture now; when all were handed out, they begin anew."""
        used = set(self._held)
        for key, _, others in self._known.values():
            used.update(_blocks(key, others))
        while True:
            wanted = _blocks(self._next, views)
            if wanted.stop > _BLOCKS:
                self._next = 0
            elif used.isdisjoint(wanted):
                self._next = wanted.stop
                return wanted.start
            else:
                self._next += 1


def _blocks(key: int, views: tuple[int, ...]) -> range:
    """The blocks of a picture that begins with the block `key`."""
    return range(key, key + max(1, -(-sum(views) // _BLOCK)))


class Store(Generic[T]):
    """Keeps things by key within `limit` bytes, the least recently used goes first. For any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.nbytes = 0

    def get(self, key: Hashable) -> T | None:
        """What is kept under `key`."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T, nbytes: int) -> None:
        """Keep `value`, unless it is larger than the limit."""
        with self._lock:
            self._drop(key)
            if nbytes > self._limit:
                return
            self._entries[key] = (value, nbytes)
            self.nbytes += nbytes
            while self.nbytes > self._limit:
                self._drop(next(iter(self._entries)))

    def take(self, key: Hashable) -> T | None:
        """What is kept under `key`, and not any longer."""
        with self._lock:
            return self._drop(key)

    def _drop(self, key: Hashable) -> T | None:
        value, size = self._entries.pop(key, (None, 0))
        self.nbytes -= size
        return value
