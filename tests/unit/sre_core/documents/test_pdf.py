"""PDF files are read page by page."""

import pytest

from sre_core.documents import Section, parse
from sre_core.errors import ConfigError
from tests.unit.sre_core.documents.samples import file, pdf


async def test_pages_of_a_pdf_are_sections() -> None:
    document = await parse(file(pdf("First page", "", "Third page", title="Report")))
    assert document.text == "First page\n\nThird page"
    assert document.title == "Report"
    assert document.sections == (Section(title="page 1", start=0), Section(title="page 3", start=12))


async def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    assert (await parse(file(pdf("Open", password="")))).text == "Open"


async def test_a_packed_bomb_in_a_pdf_does_not_fill_the_memory() -> None:
    given = file(pdf("x" * 200_000_000, packed=True))
    assert len(given.data) < 500_000
    with pytest.raises(ConfigError, match="cannot be read as PDF"):
        await parse(given)


async def test_what_a_mail_server_put_before_a_pdf_is_skipped() -> None:
    assert (await parse(file(b"Received: yes\r\n" + pdf("Hello"), "a.pdf"))).text == "Hello"
