"""Arguments and ids of skill calls, as servers want them back."""

import hashlib
import json
from typing import Any

__all__ = ["argument_text", "call_id", "valid_arguments"]

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHORT = 9


def argument_text(arguments: Any) -> str:
    """Arguments as text; a few servers send the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments)


def valid_arguments(text: str) -> str:
    """Arguments that a server can parse: what is no JSON object goes into one, since many servers fail on it."""
    if not text.strip():
        return "{}"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return text if isinstance(found, dict) else json.dumps({"invalid": text})


def call_id(name: str | None, *, short: bool) -> str:
    """The id of a call; with `short`, as nine letters and digits, the same for the same id."""
    name = name or "call"
    if not short or (len(name) == _SHORT and name.isascii() and name.isalnum()):
        return name
    number = int.from_bytes(hashlib.sha256(name.encode(errors="replace")).digest()[:8])
    letters = []
    for _ in range(_SHORT):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(letters)
