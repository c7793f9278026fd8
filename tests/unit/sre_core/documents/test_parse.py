"""A file becomes a text, whatever says what it is; what cannot be read says why."""

import json

import pytest

from sre_core.documents import DocumentLimits, parse
from sre_core.documents.docx import DOCX
from sre_core.errors import ConfigError
from sre_core.messages import File
from tests.unit.sre_core.documents.samples import BOMB, docx, file, paragraph, pdf


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (file("hello"), "text/plain"),
        (file("A PDF begins with %PDF-1.7"), "text/plain"),
        (file("a,b\n1,2", "x.csv", "text/csv"), "text/csv"),
        (file('{"a": 1}', "x", "application/json; charset=utf-8"), "application/json"),
        (file('{"a": 1}', "x", "application/vnd.api+json"), "application/vnd.api+json"),
        (file("# Hi", "read.md"), "text/markdown"),
        (file("# Hi", "read.md", "text/plain"), "text/markdown"),
        (file("# Hi", "x", "text/markdown"), "text/markdown"),
        (file("<p>Hi", "x", "text/html; charset=utf-8"), "text/html"),
        (file("<p>Hi", "page.HTML", "application/octet-stream"), "text/html"),
        (file(" <!-- c --> <!DOCTYPE html><p>Hi"), "text/html"),
        (file("<!---->" * 200 + "<html><p>Hi"), "text/html"),
        # Of each row of comments, a reader may take some for one: that is tried in no second way, or it would not end.
        (file("<!---->" * 200 + "<p>Hi"), "text/plain"),
        (file(pdf("Hi"), "wrong.txt", "text/plain"), "application/pdf"),
        (file(docx(paragraph("Hi")), "wrong.zip", "application/zip"), DOCX),
    ],
)
async def test_bytes_then_media_type_then_name_say_what_a_file_is(given: File, expected: str) -> None:
    assert (await parse(given)).media_type == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (file(pdf("Secret", password="word")), "asks for a password"),
        (file(pdf("Hello")[:200]), "cannot be read as PDF"),
        (file("no pdf", "x.pdf"), "cannot be read as PDF"),
        (file(b"%PDF-1.7\n" + bytes(range(256)) * 40), "cannot be read as PDF"),
        (file(docx(paragraph("Hello"))[:300], "x.docx"), "cannot be read as DOCX"),
        (file(docx("<w:p>", doctype="")), "cannot be read as DOCX"),
        (file(docx(paragraph("&b;"), doctype=BOMB)), "cannot be read as DOCX"),
        (file(docx(paragraph("Hi"), parts={"word/styles.xml": f"{BOMB}<x/>"})), "cannot be read as DOCX"),
        (file(b"\x89PNG\r\n\x1a\n\0\0\0", "a.png", "image/png"), "no text can be read"),
        (file(b"\x89PNG\r\n\x1a\n\0\0\0", "a.txt", "text/plain"), "no text can be read"),
        (file(b"\x00\x01\x02"), "no text can be read"),
        (file("some", "x", "application/msword"), "no text can be read"),
        (file(b"{\\rtf1 text}", "x.rtf"), "no text can be read"),
        (file(b"PK\x03\x04 not really", "x.xlsx"), "no text can be read"),
        (file(""), "holds no text"),
        (file(" \n\t"), "holds no text"),
        (file(pdf("", "")), "holds no text"),
        (file("<script>x</script>", "x.html"), "holds no text"),
    ],
)
async def test_what_cannot_be_read_says_why(given: File, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        await parse(given)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("given", "limits", "message"),
    [
        (file("x" * 11), DocumentLimits(file_bytes=10), "11 bytes, more than 10"),
        (file("x" * 11), DocumentLimits(characters=10), "more than 10 characters"),
        (file(pdf("a", "b", "c")), DocumentLimits(pages=2), "3 pages, more than 2"),
        (file(pdf("a", "b", "c")), DocumentLimits(seconds=0), "more than 0 seconds"),
        (file("<div></span>" * 10_000, "x.html"), DocumentLimits(seconds=0), "more than 0 seconds"),
        (file(docx(paragraph("x" * 9000))), DocumentLimits(unpacked_bytes=5000), "unpacks to"),
        (file(docx(paragraph("x") * 50)), DocumentLimits(elements=100), "unpacks to"),
    ],
)
async def test_limits_hold(given: File, limits: DocumentLimits, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        await parse(given, limits=limits)


async def test_ten_megabytes_of_text_are_read() -> None:
    text = json.dumps([{"number": i} for i in range(550_000)])
    assert len(text) > 9_000_000
    assert (await parse(file(text, "x.json", "application/json"))).text == text
