"""Server-sent events: cut out of a stream of bytes, and read as JSON."""

import json
from typing import Any

__all__ = ["EventReader"]

_LARGEST = 64 << 20


class EventReader:
    """Takes a stream piece by piece, wherever it was cut, and gives the events that are whole.

    Only the data of an event counts, since that of this API says itself what it is. Data over several lines is joined.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def more(self, piece: bytes) -> list[dict[str, Any]]:
        """The events that `piece` completes. Raises ValueError for data that is no JSON object, or does not end."""
        text = self._rest + piece
        if b"\r" in text:
            # A carriage return at the very end may be half of a line break.
            held = b"\r" if text.endswith(b"\r") else b""
            text = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        *blocks, self._rest = text.split(b"\n\n")
        if len(self._rest) > _LARGEST:
            raise ValueError("an event does not end")
        return [event for block in blocks if (event := _read(block)) is not None]


def _read(block: bytes) -> dict[str, Any] | None:
    lines = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
    if not lines:
        return None
    event = json.loads(b"\n".join(lines))
    if not isinstance(event, dict):
        raise ValueError("an event is no object")  # noqa: TRY004 -- it is bad data
    return event
