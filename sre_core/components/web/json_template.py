"""JSON with placeholders: read before it is filled, so that no value can become anything but a value."""

import json
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from sre_core.components.context import ComponentContext
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import Node
from sre_core.components.path import MISSING
from sre_core.components.template import as_text, expand, look_up_name, pieces, placeholders
from sre_core.errors import ComponentError

__all__ = ["Bare", "check_field", "fill_json", "parse_json_template"]

# Characters for private use stand for placeholders while JSON is read.
_MARK, _BARE = "\uf8fe", "\uf8ff"
_TOKEN = re.compile(f"{_MARK}([0-9]+){_MARK}")
_QUOTES = re.compile(r"\\.|[\"']", re.DOTALL)
_TEXTS = frozenset({"string", "text"})


@dataclass(frozen=True, slots=True)
class Bare:
    """A placeholder outside of quotes, `{"count": {{n}}}`, which becomes a value of JSON and not a text."""

    placeholder: str


def parse_json_template(text: str, *, what: str) -> Any:
    """The structure of a JSON text with placeholders: texts keep theirs, those outside of quotes become `Bare`.

    Raises ComponentError that names `what` the text is.
    """
    found: list[str] = []
    parts: list[str] = []
    quote = ""
    for piece, is_placeholder in pieces(text.replace(_MARK, "").replace(_BARE, "")):
        if is_placeholder:
            token = f"{_MARK}{len(found)}{_MARK}"
            found.append(piece)
            parts.append(token if quote else f'"{_BARE}{token}"')
        else:
            parts.append(piece)
            quote = _open_quote(piece, quote)
    return _restored(_decoded("".join(parts), what), found)


async def fill_json(structure: Any, values: Mapping[str, Any], context: ComponentContext, *, node: Node) -> Any:
    """The structure with its placeholders filled; one that names nothing becomes "", or null outside of quotes.

    A text that is inserted outside of quotes is read as JSON if it is some, unless it comes from an input of type
    String or Text; else it is a text of JSON.
    """
    if isinstance(structure, Bare):
        return await _bare(structure.placeholder, values, context, node)
    if isinstance(structure, str):
        return await expand(structure, values, context, node=node, quote=as_text, missing="empty")
    if isinstance(structure, Mapping):
        filled: dict[str, Any] = {}
        for key, item in structure.items():
            name = await expand(key, values, context, node=node, quote=as_text, missing="empty")
            check_field(name, key, filled, structure)
            filled[name] = await fill_json(item, values, context, node=node)
        return filled
    if isinstance(structure, list):
        return [await fill_json(item, values, context, node=node) for item in structure]
    return structure


def check_field(name: str, written: str, *taken: Container[str]) -> None:
    """Raise ComponentError if an input made of `written` the name of a field that is there, whose value it would take.

    `taken` are the names of those that are there.
    """
    if name != written and any(name in names for names in taken):
        raise ComponentError(f"an input names the field {name!r}, which is there already")


def _open_quote(piece: str, quote: str) -> str:
    """The quote that a text is in after `piece`, or "", if it was in `quote` before."""
    for match in _QUOTES.finditer(piece):
        if not quote and match[0] in {'"', "'"}:
            quote = match[0]
        elif match[0] == quote:
            quote = ""
    return quote


def _decoded(text: str, what: str) -> Any:
    try:
        # Line breaks inside of texts are no JSON, and editors let authors type them.
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
    try:
        return parse_loose_json(text, repair=False)
    except ComponentError:
        raise ComponentError(f"{what} is no JSON{place}", hint='as {"name": "{{text}}", "count": {{number}}}') from None


async def _bare(placeholder: str, values: Mapping[str, Any], context: ComponentContext, node: Node) -> Any:
    name = next(iter(placeholders(placeholder)), "")
    value = look_up_name(name, values) if name else MISSING
    if value is MISSING or value is None:
        filled = await expand(placeholder, values, context, node=node, quote=as_text, missing="empty")
        return _read(filled) if filled else None
    port = node.input(re.split(r"[.\[]", name, maxsplit=1)[0])
    is_text = port is not None and port.type.lower() in _TEXTS
    return _read(value) if isinstance(value, str) and not is_text else value


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _restored(value: Any, found: list[str]) -> Any:
    if isinstance(value, str):
        bare = _TOKEN.fullmatch(value.removeprefix(_BARE)) if value.startswith(_BARE) else None
        return Bare(found[int(bare[1])]) if bare else _with_placeholders(value, found)
    if isinstance(value, dict):
        return {_with_placeholders(key, found): _restored(item, found) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, found) for item in value]
    return value


def _with_placeholders(text: str, found: list[str]) -> str:
    return _TOKEN.sub(lambda match: found[int(match[1])], text.removeprefix(_BARE))
