"""Server-sent events, cut out of bytes as they come (HTML standard, section 9.2.6)."""

__all__ = ["LARGEST_EVENT", "EventParser"]

LARGEST_EVENT = 64 << 20
"""Bytes. What goes on for longer without an end is no event."""

_MARK = b"\xef\xbb\xbf"


class EventParser:
    """Takes pieces of a stream, wherever they were cut, and gives the data of the events that they complete.

    Lines end with LF, CR or CRLF. Comments and all fields but `data` are passed over: the data of our servers says what
    it is. An event that the end of the stream cuts off is none.
    """

    __slots__ = ("_after_cr", "_data", "_marked", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._marked = True
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that end in `piece`. Raises ValueError when one is larger than LARGEST_EVENT."""
        text = self._rest + piece
        if self._marked:
            if len(text) < len(_MARK) and _MARK.startswith(text):
                self._rest = text
                return []
            self._marked = False
            text = text.removeprefix(_MARK)
        if self._after_cr and text:
            # The line ended with the carriage return; this is the rest of a CRLF.
            text = text.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in text:
            self._after_cr = text.endswith(b"\r")
            lines = text.splitlines()
            self._rest = b"" if text.endswith((b"\r", b"\n")) else lines.pop()
        else:
            lines = text.split(b"\n")
            self._rest = lines.pop()
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._add(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif line == b"data":
                self._add(b"")
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
                self._size = 0
        if len(self._rest) > LARGEST_EVENT:
            raise ValueError("a line of the stream does not end")
        return events

    def _add(self, data: bytes) -> None:
        self._data.append(data)
        self._size += len(data)
        if self._size > LARGEST_EVENT:
            raise ValueError("an event of the stream does not end")
