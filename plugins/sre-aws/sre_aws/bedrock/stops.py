"""Stop sequences of white space, which models on Bedrock do not take."""

from collections.abc import Sequence

__all__ = ["StopText"]


class StopText:
    """Passes text on up to the first of some sequences; holds back an end that may be the beginning of one."""

    __slots__ = ("_kept", "_sequences", "found")

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = tuple(sequences)
        self._kept = ""
        self.found = False
        """Whether one of them came."""

    def more(self, text: str) -> str:
        """What of the text so far can be passed on now; nothing any more once a sequence came."""
        if self.found:
            return ""
        text = self._kept + text
        ends = [end for end in map(text.find, self._sequences) if end >= 0]
        if ends:
            self.found, self._kept = True, ""
            return text[: min(ends)]
        end = len(text) - max(_beginning(text, one) for one in self._sequences)
        self._kept = text[end:]
        return text[:end]

    def last(self) -> str:
        """What was held back, when no more text comes."""
        text, self._kept = self._kept, ""
        return text


def _beginning(text: str, sequence: str) -> int:
    """How many characters at the end of `text` begin `sequence`."""
    return next((size for size in range(len(sequence) - 1, 0, -1) if text.endswith(sequence[:size])), 0)
