"""Cuts a text into chunks that a model of embeddings can take in, where paragraphs, lines, sentences or words end.

The order of separators, from the strongest to the weakest, is that of the recursive splitter which LangChain made
common (RecursiveCharacterTextSplitter). It is applied from the left: a chunk ends at the strongest separator in its
last part. So the work grows with the text and no faster, and chunks are pieces of the text as it stands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sre_core.errors import ConfigError

__all__ = ["DEFAULT_OVERLAP", "DEFAULT_SIZE", "Chunk", "split"]

DEFAULT_SIZE = 1000
"""Characters in a chunk: most of what small models of embeddings take in, MiniLM's 256 pieces of words."""

DEFAULT_OVERLAP = 100
"""Characters that a chunk may share with the one before it."""

# Each matches the white space too, which stays with the chunk that it ends.
_SEPARATORS = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n\s*"),
    # Those of Chinese and Japanese need no white space after them: full stop, exclamation and question mark.
    re.compile(r"[.!?…][\"'”\u2019)\]]{0,3}\s+|[\u3002\uff01\uff1f]\s*"),
    re.compile(r"\s+"),
)
_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a text, and the position of its first character there."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self.start + len(self.text)


def split(text: str, *, size: int = DEFAULT_SIZE, overlap: int = DEFAULT_OVERLAP) -> Iterator[Chunk]:
    """Chunks of at most `size` characters, which share at most `overlap` with the one before them.

    Together they are the whole text. Raises ConfigError unless `overlap` is at most half of `size`.
    """
    if size < 1 or not 0 <= overlap <= size // 2:
        raise ConfigError(
            f"chunks of {size} characters cannot overlap by {overlap}",
            hint="the overlap may be up to half of the size, which is 1 or more",
        )
    return _chunks(text, size, overlap)


def _chunks(text: str, size: int, overlap: int) -> Iterator[Chunk]:
    start = 0
    while start < len(text):
        end = _end(text, start, size, overlap)
        yield Chunk(text[start:end], start)
        if end == len(text):
            return
        start = _next_start(text, end, overlap)


def _end(text: str, start: int, size: int, overlap: int) -> int:
    """Where the chunk that begins at `start` ends."""
    limit = start + size
    if limit >= len(text):
        return len(text)
    # Each chunk brings a quarter of its size or more that is new, or there would be no end of them.
    earliest = start + max(size // 2, overlap + size // 4, overlap + 1)
    for separator in _SEPARATORS:
        ends = [found.end() for found in separator.finditer(text, earliest - 1, limit) if found.end() >= earliest]
        if ends:
            return ends[-1]
    return limit


def _next_start(text: str, end: int, overlap: int) -> int:
    """Where the chunk after the one that ends at `end` begins: with a sentence or a word, if one begins there."""
    if not overlap:
        return end
    earliest = end - overlap
    for separator in _SEPARATORS[:_SENTENCES]:
        found = separator.search(text, earliest - 1, end - overlap // 2)
        if found is not None and found.end() >= earliest:
            return found.end()
    found = _SEPARATORS[-1].search(text, earliest - 1, end)
    return found.end() if found is not None and earliest <= found.end() < end else earliest
