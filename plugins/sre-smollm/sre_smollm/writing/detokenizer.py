"""From tokens to text, piece by piece: whole characters only, and never a part of a stop sequence."""

import codecs
from collections.abc import Callable, Sequence

__all__ = ["Detokenizer", "StopFilter"]


class Detokenizer:
    """Bytes of tokens in, whole characters out; an unfinished character waits for its rest."""

    def __init__(self, bytes_of: Callable[[int], bytes]) -> None:
        self._bytes_of = bytes_of
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """The text that is complete with this token; empty in the middle of a character."""
        return self._decoder.decode(self._bytes_of(token))


class StopFilter:
    """Lets text through up to the first mark, holding back what may become one.

    Once a mark is complete, `found` is it and `rest` the text after it; then nothing more goes through.
    """

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks = [mark for mark in marks if mark]
        self._held = ""
        self.found = ""
        self.rest = ""

    def push(self, text: str) -> str:
        """The part of what came so far that is safe to show."""
        if self.found:
            return ""
        self._held += text
        places = [(place, mark) for mark in self._marks if (place := self._held.find(mark)) >= 0]
        if places:
            place, self.found = min(places)
            shown, self.rest, self._held = self._held[:place], self._held[place + len(self.found) :], ""
            return shown
        keep = self._unsure()
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def flush(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return held

    def _unsure(self) -> int:
        longest = max((len(mark) for mark in self._marks), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(mark.startswith(self._held[-size:]) for mark in self._marks):
                return size
        return 0
