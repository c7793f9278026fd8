"""How large values are when somebody writes them out, or copies them.

A list may be in another one many times. It is in memory once, but whoever writes the other one out does it each time:
of forty lists, each of which has the one before it twice, the last one would have a million millions of values.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["MAX_SIZE", "outputs_size", "size_of"]

MAX_SIZE: Final = 10_000_000
"""Largest size of what a node gives, of what comes together at one input, and of what a loop keeps."""

_CHARACTERS = 32
_PATIENCE = 2_000_000
"""So far all values are counted, also those that are the same, which is fast."""
_PARTS = 100_000
"""Of so many lists and mappings a value may consist that is looked at in the slow way."""
_SMALL = frozenset({bool, float, int, type(None)})
_LISTS = (list, tuple, set, frozenset)
_TEXTS = (str, bytes, bytearray)


def size_of(value: Any, *, limit: int = MAX_SIZE, characters: int = _CHARACTERS) -> int:
    """One for the value and each that is in it, however deep, and one more for each 32 `characters` of texts.

    What is in there several times counts each time. A size above `limit` is any number above it, so that also a value
    that contains itself has one.
    """
    size = 1
    patience = _PATIENCE
    # What is still to look into: the depth of a value must not be that of calls here.
    pending = [value]
    while pending and size <= limit:
        size += _own_size(pending.pop(), characters, pending)
        if size > patience:
            patience = limit
            # Large since the same things are in there many times, or by itself: then there is no faster way than this.
            of_parts = _size_of_parts(value, limit, characters)
            if of_parts is not None:
                return of_parts
    return size


def _own_size(item: Any, characters: int, inner: list[Any]) -> int:
    """What an item adds to the size of what it is in; those of its members that are to be looked into join `inner`."""
    members: Iterable[Any]
    own = 0
    if isinstance(item, dict) or isinstance(item, Mapping):  # noqa: SIM101 -- the second takes ten times as long
        members = item.values()
        for key in item:
            if type(key) is str and len(key) >= characters:
                own += len(key) // characters
    elif isinstance(item, _LISTS):
        members = item
    else:
        return len(item) // characters if isinstance(item, _TEXTS) else 0
    for member in members:
        kind = type(member)
        if kind is str:
            if len(member) >= characters:
                own += len(member) // characters
        elif kind not in _SMALL:
            inner.append(member)
    return own + len(item)


def _size_of_parts(value: Any, limit: int, characters: int) -> int | None:
    """The same, with one look at each list and mapping, however often it is in there; None for too many of them."""
    found: dict[int, int] = {}
    begun: dict[int, tuple[int, list[Any]]] = {}
    pending = [value]
    while pending:
        item = pending[-1]
        key = id(item)
        if key in found:
            pending.pop()
        elif key in begun:
            own, inner = begun.pop(key)
            # What is not found even now contains itself.
            found[key] = min(own + sum(found.get(id(one), limit) for one in inner), limit)
            pending.pop()
        else:
            inner = []
            begun[key] = _own_size(item, characters, inner), inner
            pending += inner
        if len(found) > _PARTS:
            return None
    return 1 + found[id(value)]


def outputs_size(outputs: Mapping[str, Any]) -> int:
    """What `size_of` says of them; fast for the few small values that most nodes give."""
    for value in outputs.values():
        kind = type(value)
        if kind not in _SMALL and (kind is not str or len(value) >= _CHARACTERS):
            return size_of(outputs)
    return 1 + len(outputs)
