"""Stop sequences, for what a server does not stop at itself."""

from collections.abc import Sequence

__all__ = ["StopCutter"]


class StopCutter:
    """Lets text through as it comes, up to the first stop sequence; holds back what may be the beginning of one."""

    __slots__ = ("_held", "_stops", "stopped")

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False
        """Whether a stop sequence was found."""

    def feed(self, text: str) -> str:
        """What may be shown of the text up to here; nothing once it has stopped."""
        if self.stopped:
            return ""
        text = self._held + text
        place = min((place for stop in self._stops if (place := text.find(stop)) >= 0), default=-1)
        if place >= 0:
            self.stopped = True
            self._held = ""
            return text[:place]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """What was held back, now that nothing more comes."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """How much of the end of `text` is a beginning of `stop`."""
    for size in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
