"""Text is decoded as it was meant."""

import pytest

from sre_core.documents import parse
from tests.unit.sre_core.documents.samples import file


async def test_text_stays_as_it_is_but_for_line_ends() -> None:
    assert (await parse(file("a,b\r\n 1,2\r"))).text == "a,b\n 1,2\n"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        ("Grüße".encode("utf-8-sig"), ""),
        ("Grüße".encode("utf-16"), ""),
        ("Grüße".encode("utf-32"), "text/plain"),
        ("Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("Grüße".encode(), "text/plain; charset=zip"),
        ("Grüße".encode(), "text/plain; charset=punycode"),
        ("Grüße".encode(), "text/plain; charset=no-such\r\nx: y"),
    ],
)
async def test_text_is_decoded_by_its_mark_or_charset(data: bytes, media_type: str) -> None:
    assert (await parse(file(data, media_type=media_type))).text == "Grüße"


async def test_text_in_an_old_encoding_is_recognised() -> None:
    sentence = "Die Grüße der Bürgermeisterin wurden über das Öffentliche Straßennetz geschickt. " * 20
    assert (await parse(file(sentence.encode("cp1252")))).text == sentence
