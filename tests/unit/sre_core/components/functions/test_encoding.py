"""FEncDec encodes and decodes."""

import pytest

from sre_core.errors import ComponentError
from sre_core.testing.bench import bench

PAIRS = [
    ("hex", "hello world", "68656c6c6f20776f726c64"),
    ("base64", "hello?>é", "aGVsbG8/PsOp"),
    ("base64url", "hello?>é", "aGVsbG8_PsOp"),
    ("latin1", "é", "Ã©"),
    ("binary", "é", "Ã©"),
    ("utf8", "é", "é"),
    ("ucs2", "ab", "\u6261"),
]


@pytest.mark.parametrize(("encoding", "plain", "encoded"), PAIRS)
async def test_a_text_is_encoded(encoding, plain, encoded):
    async with bench() as b:
        found = await b.run("FEncDec", {"action": "Encode", "encoding": encoding}, inputs={"Data": plain})
    assert found == {"Output": encoded}


@pytest.mark.parametrize(("encoding", "plain", "encoded"), PAIRS)
async def test_an_encoded_text_is_decoded(encoding, plain, encoded):
    async with bench() as b:
        found = await b.run("FEncDec", {"action": "Decode", "encoding": encoding}, inputs={"Data": encoded})
    assert found == {"Output": plain}


async def test_text_that_is_not_hex_decodes_to_nothing_and_still_fires():
    async with bench() as b:
        found = await b.run("FEncDec", {"action": "Decode", "encoding": "hex"}, inputs={"Data": "hello world"})
    assert found == {"Output": ""}


async def test_it_encodes_to_hex_where_nothing_is_set():
    async with bench() as b:
        assert await b.run("FEncDec", {}, inputs={"Data": "A"}) == {"Output": "41"}


async def test_bytes_are_encoded_as_they_are():
    async with bench() as b:
        assert await b.run("FEncDec", {}, inputs={"Data": b"\xff\x00"}) == {"Output": "ff00"}


async def test_what_is_no_text_is_refused():
    async with bench() as b:
        with pytest.raises(ComponentError, match="'list'"):
            await b.run("FEncDec", {}, inputs={"Data": ["a"]})
