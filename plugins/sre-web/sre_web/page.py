"""From the bytes of a web page to its title and its main text."""

from dataclasses import dataclass
from email.message import Message
from typing import Literal

from sre_core.documents.text import is_text_encoding
from sre_core.errors import ComponentError

__all__ = ["Page", "read_page"]

_HTML = frozenset({"application/xhtml+xml", "text/html"})
_TEXT = frozenset({"application/json", "application/ld+json", "application/xml"})
_PDF = b"%PDF-"
_TAGS = 200_000
"""Most tags of a page that is read: pages that people read have fewer, and more take longer than some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was read."""

    title: str
    content: str


def read_page(
    body: bytes, content_type: str, url: str, *, output: Literal["markdown", "text"] = "markdown", links: bool = False
) -> Page:
    """The main text of a page, without menus and the like; text that is no HTML stays as it is.

    A page without a type is taken for HTML. Takes its time: use it in a thread. Raises ComponentError for what is no
    text, and for a page that has none.
    """
    header = Message()
    header["Content-Type"] = content_type or "text/html"
    kind = header.get_content_type()
    if body.lstrip()[:5] == _PDF or kind == "application/pdf":
        raise ComponentError(
            "this is a PDF, and only web pages and plain text are read here", hint="take the text out of it elsewhere"
        )
    if kind not in _HTML | _TEXT and not kind.startswith("text/"):
        raise ComponentError(f"this is of type {kind!r}, and only web pages and plain text are read here")
    text = _decoded(body, header.get_content_charset())
    if kind not in _HTML:
        return Page(title="", content=text)
    return _from_html(text, url, output=output, links=links)


def _decoded(body: bytes, charset: str | None) -> str:
    """The text in the encoding that the server names, else in the one that the page has."""
    # Not at the top: it takes a while to load, and no more is needed of it than here and below.
    from trafilatura.utils import decode_file

    if charset is not None and is_text_encoding(charset):
        return body.decode(charset, errors="replace")
    return decode_file(body)


def _from_html(html: str, url: str, *, output: Literal["markdown", "text"], links: bool) -> Page:
    if html.count("<") > _TAGS:
        raise ComponentError(f"the page has more than {_TAGS} tags", hint="it may be made to be slow")
    import trafilatura

    name = "markdown" if output == "markdown" else "txt"
    content = trafilatura.extract(html, url=url, output_format=name, include_links=links, include_comments=False)
    content = content or trafilatura.html2txt(html)
    if not content.strip():
        raise ComponentError("the page has no text of its own", hint="scripts may make it, which are not run here")
    title = trafilatura.extract_metadata(html, default_url=url, extensive=False).title
    return Page(title=title or "", content=content)
