"""Text from files, models and nodes, made safe to show: a terminal obeys control characters."""

import re

__all__ = ["escaped", "one_line"]

# The controls of C0 and C1 but newline and tab, and those that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""`text` with what a terminal would obey written out, as in `\x1b`; newlines and tabs stay."""
    return _CONTROL.sub(_written, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`text` escaped, and on one line."""
    return escaped(" ".join(text.split()))


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
