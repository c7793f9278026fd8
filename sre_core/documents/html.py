"""HTML: the text that a reader sees, block by block, with the headings as sections."""

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sre_core.documents.document import Document, DocumentLimits, Section, broken_files
from sre_core.documents.text import decode
from sre_core.errors import ConfigError

__all__ = ["html_document", "read_html"]

_UNSEEN = frozenset(
    {"head", "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "nav", "select", "textarea"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PARAGRAPHS = _HEADINGS | {
    *("address", "article", "aside", "blockquote", "body", "details", "dl", "fieldset", "figure", "footer", "form"),
    *("header", "hr", "main", "ol", "p", "pre", "section", "table", "ul"),
}
_LINES = frozenset({"br", "caption", "dd", "div", "dt", "figcaption", "legend", "li", "summary", "tr"})
_CELLS = frozenset({"td", "th"})
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_META_WITHIN = 4096
_PIECE = 64 * 1024


def read_html(data: bytes, name: str, charset: str | None = None, *, limits: DocumentLimits | None = None) -> Document:
    """The text of a page; `charset` wins over what the page says of itself. Raises ConfigError."""
    if charset is None and (said := _META_CHARSET.search(data[:_META_WITHIN])) is not None:
        charset = said[1].decode()
    return html_document(decode(data, charset), name, limits=limits)


def html_document(source: str, name: str, *, limits: DocumentLimits | None = None) -> Document:
    """The text of HTML that is decoded already. Raises ConfigError, also when it takes too long."""
    from lxml import etree  # type: ignore[import-untyped]  # it has no types of its own

    reader = _Reader()
    seconds = (limits or DocumentLimits()).seconds
    end = time.thread_time() + seconds
    # Events and no tree, so that ten thousand elements in each other cost no more than beside each other. No DTD is
    # loaded and no entity is taken from one: that is what HTML says.
    with broken_files(name, "HTML", etree.LxmlError):
        parser = etree.HTMLParser(target=reader, no_network=True)
        # A NUL would end the text for the parser.
        source = source.replace("\0", "")
        for start in range(0, len(source), _PIECE):
            parser.feed(source[start : start + _PIECE])
            # An end that nothing began makes the parser look through all that is open, a million times in a few MB.
            if time.thread_time() > end:
                raise ConfigError(f"the HTML {name!r} takes more than {seconds:g} seconds to read", hint="split it")
        if source.strip():
            parser.close()
    return reader.document()


class _Reader:
    """Hears of elements and text in their order, and writes down what is seen."""

    def __init__(self) -> None:
        self._text = _Text()
        self._sections: list[Section] = []
        self._heading: _Heading | None = None
        self._title: list[str] = []
        self._in_title = False
        self._unseen: list[str] = []
        # How often each stands in that list, which may be long.
        self._unseen_tags: Counter[str] = Counter()
        self._preformatted = 0

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        """An element begins."""
        if tag == "title" and not self._title:
            self._in_title = True
        if tag == "body":
            # A head that nobody closed hides nothing more.
            self._unseen.clear()
            self._unseen_tags.clear()
        if self._unseen or tag in _UNSEEN:
            self._unseen.append(tag)
            self._unseen_tags[tag] += 1
            return
        self._preformatted += tag == "pre"
        self._text.begin(tag)
        if tag in _HEADINGS:
            self._heading = _Heading()

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "title":
            self._in_title = False
        if self._unseen:
            # What encloses it ends as well, when that was never closed.
            while self._unseen_tags[tag] and self._pop_unseen() != tag:
                pass
            return
        if tag in _HEADINGS and self._heading is not None:
            if self._heading.start is not None:
                self._sections.append(Section(title=_plain("".join(self._heading.words)), start=self._heading.start))
            self._heading = None
        self._preformatted -= tag == "pre"
        self._text.end(tag)

    def _pop_unseen(self) -> str:
        tag = self._unseen.pop()
        self._unseen_tags[tag] -= 1
        return tag

    def data(self, text: str) -> None:
        """Text, which may come in pieces."""
        if self._in_title:
            self._title.append(text)
        if self._unseen:
            return
        start = self._text.write(text, as_is=self._preformatted > 0)
        if self._heading is not None:
            self._heading.words.append(text)
            if self._heading.start is None:
                self._heading.start = start

    def close(self) -> None:
        """Nothing more comes."""

    def document(self) -> Document:
        """What was heard."""
        title = _plain("".join(self._title)) or (self._sections[0].title if self._sections else "")
        return Document(text=self._text.whole(), media_type="text/html", title=title, sections=tuple(self._sections))


@dataclass(slots=True)
class _Heading:
    """A heading that has begun; `start` is where its first word stands."""

    start: int | None = None
    words: list[str] = field(default_factory=list)


class _Text:
    """Text in the making: what separates two pieces of it is known when the second one comes."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._newlines = 0
        self._space = False
        self._first_cell = True
        self._next_cell = False
        self._in_new_cell = False
        self._bullet = False

    def begin(self, tag: str) -> None:
        """A visible element begins."""
        if tag in _CELLS:
            if not self._first_cell:
                self._next_cell, self._newlines = True, 0
            self._first_cell, self._in_new_cell = False, True
        elif tag == "tr":
            self._first_cell, self._newlines = True, max(self._newlines, 1)
        elif not self._in_new_cell:
            # A paragraph that a cell begins with stays in the line of the row.
            self._break(tag)
        self._bullet = self._bullet or tag == "li"

    def end(self, tag: str) -> None:
        """A visible element ends."""
        if tag == "tr":
            self._next_cell, self._in_new_cell, self._newlines = False, False, 1
        elif not self._in_new_cell:
            self._break(tag)

    def write(self, text: str, *, as_is: bool) -> int | None:
        """Add text, with its white space or with single blanks; returns where it begins, if it is more than blanks."""
        words = text if as_is else " ".join(text.split())
        if not words:
            self._space = self._space or bool(text)
            return None
        if self._length:
            blank = self._space or (not as_is and text[0].isspace())
            self._add("\n" * self._newlines or (" | " if self._next_cell else " " if blank else ""))
        if self._bullet:
            self._add("- ")
        self._newlines, self._next_cell, self._in_new_cell, self._bullet = 0, False, False, False
        start = self._length
        self._add(words)
        self._space = not as_is and text[-1].isspace()
        return start

    def whole(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._newlines = 2
        elif tag in _LINES:
            self._newlines = max(self._newlines, 1)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)


def _plain(text: str) -> str:
    return " ".join(text.split())
