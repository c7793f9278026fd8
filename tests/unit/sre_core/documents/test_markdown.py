"""Markdown stays as it is, and its headings are sections."""

from sre_core.documents import Section, parse
from tests.unit.sre_core.documents.samples import file


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
