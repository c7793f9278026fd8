"""Stop sequences, and marks within replies, for what a model or its server does not stop at itself."""

from collections.abc import Sequence

__all__ = ["StopFilter"]


class StopFilter:
    """Lets text through up to the first mark, holding back what may become one.

    Once a mark is complete, `found` is it and `rest` the text after it; then nothing more goes through. Empty marks do
    not count.
    """

    __slots__ = ("_held", "_marks", "found", "rest")

    def __init__(self, marks: Sequence[str]) -> None:
        """Begin without text."""
        self._marks = tuple(mark for mark in marks if mark)
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
        """How many characters at the end may be the beginning of a mark."""
        longest = max((len(mark) for mark in self._marks), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(mark.startswith(self._held[-size:]) for mark in self._marks):
                return size
        return 0
