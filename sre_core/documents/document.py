"""What is read from a file: its text, and where pages and sections begin in it."""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sre_core.errors import ConfigError

__all__ = ["Document", "DocumentLimits", "Section", "broken_files"]

# What readers of foreign formats raise, besides errors of their own, when a file is not what it says. RuntimeError is
# also RecursionError and NotImplementedError, ValueError also UnicodeError.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """What a document may be at most: its bytes, its pages and its characters.

    `unpacked_bytes` and `elements` are of the XML that is packed in it, which takes much more memory once it is read.
    `seconds` is what its pages, or its HTML, may take of a processor: a small file can have all of its pages show the
    same large drawing.
    """

    file_bytes: int = 64 * 2**20
    unpacked_bytes: int = 64 * 2**20
    elements: int = 1_000_000
    pages: int = 5_000
    characters: int = 50_000_000
    seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A page, or what lies below a heading: from the character `start` of the text to the next section."""

    title: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The text of a file. `sections` are in order of the text; a text that knows of none has none.

    `media_type` is what the file was read as, `title` what it calls itself, if it does.
    """

    text: str
    media_type: str
    title: str = ""
    sections: tuple[Section, ...] = ()

    def section_at(self, position: int) -> str:
        """The title of the section that the character at `position` lies in; empty before the first."""
        index = bisect_right(self.sections, position, key=lambda section: section.start)
        return self.sections[index - 1].title if index else ""


@contextmanager
def broken_files(name: str, kind: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a reader of `kind` files raises, `errors` of its own among it, into a ConfigError."""
    failures: tuple[type[Exception], ...] = (*_FAILURES, *errors)
    try:
        yield
    except failures as error:
        raise ConfigError(
            f"{name!r} cannot be read as {kind}: {type(error).__name__}", hint="it may be damaged, or cut short"
        ) from error
