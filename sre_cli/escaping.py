"""Text from files, models and nodes, made safe to show: a terminal obeys control characters."""

import json
import re
from typing import Any

__all__ = ["escaped", "json_text", "one_line"]

# The controls of C0 and C1 but newline and tab, and those that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""`text` with what a terminal would obey written out, as in `\x1b`; newlines and tabs stay."""
    return _CONTROL.sub(_written, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`text` escaped, and on one line."""
    return escaped(" ".join(text.split()))


def json_text(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON in which a terminal obeys nothing: what it would obey is written as JSON has it, and means that.

    What JSON does not have is written as text.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
