"""PDF: the text of its pages, each of them a section."""

import time
from io import BytesIO
from typing import TYPE_CHECKING

from sre_core.documents.document import Document, DocumentLimits, Section, broken_files
from sre_core.errors import ConfigError

if TYPE_CHECKING:
    from pypdf import PdfReader

__all__ = ["read_pdf"]

_BETWEEN = "\n\n"


def read_pdf(data: bytes, name: str, limits: DocumentLimits) -> Document:
    """The text that is in the file as text; pictures of text have none.

    Raises ConfigError for a file that is broken, has too many pages, takes too long, or asks for a password.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    with broken_files(name, "PDF", PyPdfError):
        reader = PdfReader(BytesIO(data))
        # Many files are encrypted with an empty password, to forbid printing: those open for anybody.
        locked = reader.is_encrypted and not reader.decrypt("")
        count = 0 if locked else len(reader.pages)
        title = None if locked or reader.metadata is None else reader.metadata.title
    if locked:
        raise ConfigError(f"the PDF {name!r} asks for a password", hint="save it without one")
    if count > limits.pages:
        raise ConfigError(f"the PDF {name!r} has {count} pages, more than {limits.pages}", hint="split it")
    with broken_files(name, "PDF", PyPdfError):
        text, sections = _pages(reader, name, limits)
    return Document(text=text, media_type="application/pdf", title=(title or "").strip(), sections=sections)


def _pages(reader: "PdfReader", name: str, limits: DocumentLimits) -> tuple[str, tuple[Section, ...]]:
    """The text of all pages, until it is longer than anybody may ask for. Raises ConfigError when it takes too long."""
    end = time.thread_time() + limits.seconds
    texts: list[str] = []
    sections: list[Section] = []
    length = 0
    for number, page in enumerate(reader.pages, 1):
        # Fonts without a table of characters give NUL and the like.
        text = page.extract_text().replace("\0", "").strip()
        if text:
            sections.append(Section(title=f"page {number}", start=length))
            texts.append(text)
            length += len(text) + len(_BETWEEN)
        if length > limits.characters:
            break
        if time.thread_time() > end:
            raise ConfigError(f"the PDF {name!r} takes more than {limits.seconds:g} seconds to read", hint="split it")
    return _BETWEEN.join(texts), tuple(sections)
