"""Server-sent events, cut out of bytes as they come (HTML standard, section 9.2.6)."""

__all__ = ["LARGEST_EVENT", "EventParser"]

LARGEST_EVENT = 64 << 20
"""Bytes. What goes on for longer without an end is no event."""

_DATA = b"data: "
_END = b"\n\n"
_MARK = b"\xef\xbb\xbf"


class EventParser:
    """Takes pieces of a stream, wherever they were cut, and gives the data of the events that they complete.

    Lines end with LF, CR or CRLF. Comments and all fields but `data` are passed over: the data of our servers says what
    it is. An event that the end of the stream cuts off is none.
    """

    __slots__ = ("_after_cr", "_marked", "_rest", "_size")

    def __init__(self) -> None:
        # What has no end yet, in the pieces that came: to join them each time would cost much for a large event.
        self._rest: list[bytes] = []
        self._size = 0
        self._marked = True
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that end in `piece`. Raises ValueError when one is larger than LARGEST_EVENT."""
        if self._after_cr or b"\r" in piece:
            piece = self._plain(piece)
        if not self._rest and piece.startswith(_DATA) and piece.endswith(_END):
            # Nearly all pieces are whole events, and nearly all events one line.
            events = piece[len(_DATA) : -len(_END)].split(_END + _DATA)
            if piece.count(b"\n") == len(_END) * len(events):
                self._marked = False
                return events
        text = piece
        if rest := self._rest:
            if _END not in piece and not (piece.startswith(b"\n") and rest[-1].endswith(b"\n")):
                self._keep(piece)
                return []
            text = b"".join((*rest, piece))
            rest.clear()
            self._size = 0
        if self._marked:
            if len(text) < len(_MARK) and _MARK.startswith(text):
                self._keep(text)
                return []
            self._marked = False
            text = text.removeprefix(_MARK)
        *blocks, tail = text.split(_END)
        self._keep(tail)
        return [event for block in blocks for event in _data(block)]

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._rest.append(piece)
            self._size += len(piece)
            if self._size > LARGEST_EVENT:
                raise ValueError("an event of the stream does not end")

    def _plain(self, piece: bytes) -> bytes:
        """`piece` with LF at the end of all lines; a CR at its own end may be half of a CRLF."""
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        if piece.endswith(b"\r"):
            self._after_cr = True
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data(block: bytes) -> list[bytes]:
    """The data of an event of any lines; nothing if it has none, as a comment has."""
    if block.startswith(_DATA) and b"\n" not in block:
        return [block[len(_DATA) :]]
    lines = [
        line[6:] if line.startswith(b" ", 5) else line[5:]
        for line in block.split(b"\n")
        if line.startswith(b"data:") or line == b"data"
    ]
    return [b"\n".join(lines)] if lines else []
