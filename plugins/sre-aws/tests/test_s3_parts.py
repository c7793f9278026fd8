"""Parts of large objects."""

import hashlib

import pytest

from sre_aws.s3.parts import LARGEST_PART, MOST_PARTS, copy_ranges, entity_tag, other_form, part_size
from sre_aws.s3.upload import cut

_MIB = 1 << 20


@pytest.mark.parametrize("base", [5 * _MIB, 8 * _MIB, 512 * _MIB])
def test_all_parts_together_hold_the_largest_object(base: int) -> None:
    sizes = [part_size(number, base) for number in range(1, MOST_PARTS + 1)]
    # With the smallest parts that S3 takes, a little less than its 5 TiB.
    assert sum(sizes) >= (3.4 if base < 8 * _MIB else 5) * (1 << 40)
    assert max(sizes) <= LARGEST_PART
    assert sizes == sorted(sizes)


def test_parts_are_of_one_size_up_to_ten_gibibytes() -> None:
    assert sum(8 * _MIB for number in range(1, MOST_PARTS) if part_size(number, 8 * _MIB) == 8 * _MIB) > 10 << 30


@pytest.mark.parametrize(
    ("size", "ranges"),
    [
        (0, []),
        (1, [(0, 0)]),
        (1 << 30, [(0, (1 << 30) - 1)]),
        ((1 << 30) + 1, [(0, (1 << 30) - 1), (1 << 30, 1 << 30)]),
    ],
)
def test_a_copy_is_made_in_ranges(size: int, ranges: list[tuple[int, int]]) -> None:
    assert copy_ranges(size) == ranges


def test_an_object_of_five_tebibytes_can_be_copied() -> None:
    ranges = copy_ranges(5 << 40)
    assert len(ranges) <= MOST_PARTS
    assert ranges[-1][1] == (5 << 40) - 1


def test_entity_tags_are_those_that_s3_gives() -> None:
    def md5(data: bytes) -> bytes:
        return hashlib.md5(data).digest()

    assert entity_tag(b"hello", None) == "5d41402abc4b2a76b9719d911017c592"
    assert entity_tag(b"hello", 4) == f"{md5(md5(b'hell') + md5(b'o')).hex()}-2"
    assert entity_tag(b"hello", 5) == f"{md5(md5(b'hello')).hex()}-1"
    assert entity_tag(b"", 1) == f"{md5(md5(b'')).hex()}-1"


@pytest.mark.parametrize(("data", "part"), [(b"", None), (b"hello", None), (b"hello", 2)])
def test_the_same_bytes_are_written_in_another_form(data: bytes, part: int | None) -> None:
    tag = entity_tag(data, part)
    other = entity_tag(data, other_form(data, tag, part))
    assert other != tag
    # And back: the next write of the same bytes finds the other tag there.
    assert other_form(data, other, part) == part


def test_other_bytes_are_written_as_always() -> None:
    assert other_form(b"hello", entity_tag(b"world", None), None) is None
    assert other_form(b"hello", "tag of another kind", 8 * _MIB) == 8 * _MIB


@pytest.mark.anyio
@pytest.mark.parametrize(
    "chunks", [[], [b""], [b"abc"], [b"abcd"], [b"abcde"], [b"ab", b"", b"cdefgh", b"i"], [b"a" * 13]]
)
async def test_chunks_are_cut_into_full_parts_and_a_last_one(chunks: list[bytes]) -> None:
    async def source():
        for chunk in chunks:
            yield chunk

    parts = [part async for part in cut(source(), 4)]
    assert b"".join(part for part, _ in parts) == b"".join(chunks)
    assert [last for _, last in parts] == [False] * (len(parts) - 1) + [True]
    assert all(len(part) == 4 for part, last in parts if not last)
    assert 0 < len(parts[-1][0]) <= 4 or len(parts) == 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
