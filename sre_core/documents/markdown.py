"""Markdown: its text as it is, with the headings as sections."""

from dataclasses import replace
from itertools import accumulate, pairwise

from sre_core.documents.document import Document, Section
from sre_core.documents.text import read_text

__all__ = ["read_markdown"]

_LONGEST = 1_000_000
"""Characters above which headings are not looked for: it would take many seconds, and most books have fewer."""


def read_markdown(data: bytes, charset: str | None = None) -> Document:
    """The text, by headings as CommonMark defines them; the first is the title."""
    document = read_text(data, "text/markdown", charset)
    sections = _sections(document.text) if len(document.text) <= _LONGEST else ()
    return replace(document, sections=sections, title=sections[0].title if sections else "")


def _sections(text: str) -> tuple[Section, ...]:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark")
    # Only what lines are is asked for, not what stands in them.
    reader.core.ruler.disable("inline")
    tokens = reader.parse(text)
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    return tuple(
        Section(title=inside.content.strip(), start=starts[opening.map[0]])
        for opening, inside in pairwise(tokens)
        if opening.type == "heading_open" and opening.map and inside.content.strip()
    )
