import json
import time

import pytest

from sre_core.documents import DocumentLimits, Section, parse
from sre_core.documents.docx import DOCX
from sre_core.errors import ConfigError
from sre_core.messages import File
from tests.unit.sre_core.documents.samples import docx, paragraph, pdf


def file(data: bytes | str, name: str = "file", media_type: str = "") -> File:
    return File(name=name, media_type=media_type, data=data if isinstance(data, bytes) else data.encode())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (file("hello"), "text/plain"),
        (file("a,b\n1,2", "x.csv", "text/csv"), "text/csv"),
        (file('{"a": 1}', "x", "application/json; charset=utf-8"), "application/json"),
        (file('{"a": 1}', "x", "application/vnd.api+json"), "application/vnd.api+json"),
        (file("# Hi", "read.md"), "text/markdown"),
        (file("# Hi", "read.md", "text/plain"), "text/markdown"),
        (file("# Hi", "x", "text/markdown"), "text/markdown"),
        (file("<p>Hi", "x", "text/html; charset=utf-8"), "text/html"),
        (file("<p>Hi", "page.HTML", "application/octet-stream"), "text/html"),
        (file(" <!-- c --> <!DOCTYPE html><p>Hi"), "text/html"),
        (file(pdf("Hi"), "wrong.txt", "text/plain"), "application/pdf"),
        (file(docx(paragraph("Hi")), "wrong.zip", "application/zip"), DOCX),
    ],
)
async def test_bytes_then_media_type_then_name_say_what_a_file_is(given: File, expected: str) -> None:
    assert (await parse(given)).media_type == expected


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
        ("Grüße".encode(), "text/plain; charset=no-such\r\nx: y"),
    ],
)
async def test_text_is_decoded_by_its_mark_or_charset(data: bytes, media_type: str) -> None:
    assert (await parse(file(data, media_type=media_type))).text == "Grüße"


async def test_text_in_an_old_encoding_is_recognised() -> None:
    sentence = "Die Grüße der Bürgermeisterin wurden über das Öffentliche Straßennetz geschickt. " * 20
    assert (await parse(file(sentence.encode("cp1252")))).text == sentence


async def test_headings_of_markdown_are_sections_but_not_those_in_code() -> None:
    source = "intro\n\n# One *x*\n\ntext\n\n```\n# no\n```\n\nTwo\n===\n\nend\n"
    document = await parse(file(source, "a.md"))
    assert document.text == source
    assert document.title == "One *x*"
    assert document.sections == (
        Section(title="One *x*", start=source.index("# One")),
        Section(title="Two", start=source.index("Two")),
    )
    assert document.section_at(0) == ""
    assert document.section_at(source.index("end")) == "Two"


async def test_in_a_very_long_markdown_no_headings_are_looked_for() -> None:
    document = await parse(file("# A\n\n" + "word " * 300_000, "a.md"))
    assert (document.title, document.sections) == ("", ())


async def test_pages_of_a_pdf_are_sections() -> None:
    document = await parse(file(pdf("First page", "", "Third page", title="Report")))
    assert document.text == "First page\n\nThird page"
    assert document.title == "Report"
    assert document.sections == (Section(title="page 1", start=0), Section(title="page 3", start=12))


async def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    assert (await parse(file(pdf("Open", password="")))).text == "Open"


async def test_headings_tables_and_title_of_a_docx_are_read() -> None:
    row = "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in ("Ann", "7"))
    body = paragraph("Intro", "Heading1") + paragraph("Fish &amp; chips") + f"<w:tbl><w:tr>{row}</w:tr></w:tbl>"
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>'
    )
    document = await parse(file(docx(body, title="Menu", parts={"word/styles.xml": styles})))
    assert document.text == "Intro\n\nFish & chips\n\nAnn | 7"
    assert document.title == "Menu"
    assert document.sections == (Section(title="Intro", start=0),)


BOMB = '<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


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
        (file(docx(paragraph("x" * 9000))), DocumentLimits(unpacked_bytes=5000), "unpacks to"),
        (file(docx(paragraph("x") * 50)), DocumentLimits(elements=100), "unpacks to"),
    ],
)
async def test_limits_hold(given: File, limits: DocumentLimits, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        await parse(given, limits=limits)


async def test_a_packed_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = docx(paragraph("x" * 80_000_000))
    assert len(bomb) < 200_000
    began = time.process_time()
    with pytest.raises(ConfigError, match="unpacks to"):
        await parse(file(bomb))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "body",
    ["<w:p/>" * 2_000_000, "<w:p>" * 100_000 + "</w:p>" * 100_000, paragraph("&#55296;"), paragraph("&nothing;")],
    ids=["many", "nested", "surrogate", "entity"],
)
async def test_hostile_xml_is_refused_soon(body: str) -> None:
    began = time.process_time()
    with pytest.raises(ConfigError, match=r"unpacks to|cannot be read as DOCX"):
        await parse(file(docx(body)))
    assert time.process_time() - began < 10


async def test_a_part_that_nobody_looked_at_is_not_read() -> None:
    office = "http://schemas.openxmlformats.org"
    rels = (
        f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" Target="word/evil.bin" '
        f'Type="{office}/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    )
    evil = docx(paragraph("Hi"), parts={"_rels/.rels": rels, "word/evil.bin": f"{BOMB}<x>&b;</x>"})
    assert (await parse(file(evil))).text == "Hi"


async def test_a_picture_in_a_docx_has_no_text() -> None:
    drawing = (
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
        'wordprocessingDrawing"><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        '<a:graphicData><pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill>'
        '<a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="r5"/>'
        "</pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    office = "http://schemas.openxmlformats.org"
    rels = (
        f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r5" Target="media/image1.png" '
        f'Type="{office}/officeDocument/2006/relationships/image"/></Relationships>'
    )
    given = docx(
        paragraph("Before") + drawing + paragraph("After"),
        parts={"word/_rels/document.xml.rels": rels, "word/media/image1.png": "no picture"},
    )
    assert (await parse(file(given))).text == "Before\n\nAfter"


async def test_a_packed_bomb_in_a_pdf_does_not_fill_the_memory() -> None:
    given = file(pdf("x" * 200_000_000, packed=True))
    assert len(given.data) < 500_000
    with pytest.raises(ConfigError, match="cannot be read as PDF"):
        await parse(given)


async def test_ten_megabytes_of_text_are_read() -> None:
    text = json.dumps([{"number": i} for i in range(550_000)])
    assert len(text) > 9_000_000
    assert (await parse(file(text, "x.json", "application/json"))).text == text
