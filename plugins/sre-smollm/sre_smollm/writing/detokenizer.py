"""From tokens to text, piece by piece: whole characters only."""

import codecs
from collections.abc import Callable

__all__ = ["Detokenizer"]


class Detokenizer:
    """Bytes of tokens in, whole characters out; an unfinished character waits for its rest."""

    def __init__(self, bytes_of: Callable[[int], bytes]) -> None:
        self._bytes_of = bytes_of
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """The text that is complete with this token; empty in the middle of a character."""
        return self._decoder.decode(self._bytes_of(token))
