"""DOCX files are read with their headings, and hostile ones not at all."""

import time
import tracemalloc
import zlib
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from sre_core.documents import Section, parse
from sre_core.errors import ConfigError
from tests.unit.sre_core.documents.samples import BOMB, docx, file, paragraph


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


async def test_a_packed_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = docx(paragraph("x" * 80_000_000))
    assert len(bomb) < 200_000
    began = time.process_time()
    with pytest.raises(ConfigError, match="unpacks to"):
        await parse(file(bomb))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("method", [ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA], ids=["deflate", "bzip2", "lzma"])
async def test_a_part_that_is_larger_than_it_says_is_not_unpacked(method: int) -> None:
    honest = b"<a/>"
    packed = BytesIO()
    with ZipFile(packed, "w", method) as package:
        package.writestr("word/document.xml", honest + b" " * 100_000_000)
        part = package.getinfo("word/document.xml")
        # What its list of contents says, which is written at the end.
        part.file_size, part.CRC = len(honest), zlib.crc32(honest)
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="cannot be read as DOCX"):
            await parse(file(packed.getvalue()))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "body",
    ["<w:p/>" * 2_000_000, "<w:p>" * 100_000 + "</w:p>" * 100_000, paragraph("&#55296;"), paragraph("&nothing;")],
    ids=["many", "nested", "surrogate", "entity"],
)
async def test_hostile_xml_is_refused_soon(body: str) -> None:
    began = time.process_time()
    with pytest.raises(ConfigError, match=r"unpacks to|cannot be read as DOCX"):
        await parse(file(docx(body)))
    assert time.process_time() - began < 60


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
