"""How an object is cut into parts for an upload, and which entity tag it will have for that."""

import hashlib

from sre_core.errors import ConfigError

__all__ = ["LARGEST_PART", "MOST_PARTS", "copy_ranges", "entity_tag", "other_form", "part_size"]

MOST_PARTS = 10_000
LARGEST_PART = 5 << 30
"""Bytes; also the most that one plain upload takes."""

_EQUAL_PARTS = 650
_COPIED_AT_ONCE = 1 << 30
"""Bytes; more would take S3 longer than a client waits for an answer."""

_MEBIBYTE = 1 << 20


def part_size(number: int, base: int) -> int:
    """The bytes of part `number`, which counts from 1, of an object whose size is not known.

    The first 1,299 have `base` bytes; then they grow with the square. With a `base` of 8 MiB that makes 10 GiB of equal
    parts, and more than the 5 TiB that an object may have in all 10,000, with little memory for each.
    """
    return min(LARGEST_PART, base * max(1, number // _EQUAL_PARTS) ** 2)


def copy_ranges(size: int) -> list[tuple[int, int]]:
    """First and last byte of each part in which S3 itself copies an object of `size` bytes; none if it is empty."""
    return [(begin, min(begin + _COPIED_AT_ONCE, size) - 1) for begin in range(0, size, _COPIED_AT_ONCE)]


def entity_tag(data: bytes, part: int | None) -> str:
    """The tag of an object uploaded plainly, or in parts of `part` bytes."""
    if part is None:
        return _digest(data).hex()
    view = memoryview(data)
    digests = [_digest(view[begin : begin + part]) for begin in range(0, max(len(data), 1), part)]
    return f"{_digest(b''.join(digests)).hex()}-{len(digests)}"


def other_form(data: bytes, tag: str, part: int | None) -> int | None:
    """The size of parts to upload `data` in so that its tag is not `tag`: `part` if that will do; None for plainly.

    The tag of an object is a digest of its bytes: that of a write of the same bytes would not change, and who
    compares tags would not see that write. But the tag depends on the form of the upload, too.
    """
    if entity_tag(data, part) != tag:
        return part
    if part is None:
        # One part, as large as it must be.
        return max(len(data), 1)
    if part + _MEBIBYTE > LARGEST_PART:
        raise ConfigError("parts of this size have no other form", hint="choose a smaller part_size")
    return part + _MEBIBYTE


def _digest(data: bytes | memoryview) -> bytes:
    # S3's own choice, and no secret depends on it.
    return hashlib.md5(data, usedforsecurity=False).digest()
