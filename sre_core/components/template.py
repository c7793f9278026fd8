"""Templates: texts of an author with placeholders, `{{city}}`, `{{weather.days[0]}}` or `{{KEY(my-secret)}}`.

Only the author's own text is a template: the settings of a node, the agent's variables, and what a component template
was filled in with. What a request, a model or another node brings is inserted as it is and never read again, so that
it cannot name a variable or a secret.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

from pydantic_core import PydanticSerializationError, to_json

from sre_core.components.context import ComponentContext
from sre_core.components.javascript import number_text
from sre_core.components.kinds import kind_of
from sre_core.components.node import Node
from sre_core.components.path import MISSING, look_up, split_path
from sre_core.components.secret import find_secret
from sre_core.components.size import size_of
from sre_core.errors import ComponentError, SREError

__all__ = [
    "MAX_CHARACTERS",
    "VARIABLE_DEPTH",
    "Quote",
    "as_text",
    "expand",
    "expand_value",
    "look_up_name",
    "pieces",
    "placeholders",
    "read_secret",
]

MAX_CHARACTERS: Final = 64 * 2**20
"""Longest text that is made of a template, and of a value that is none."""
VARIABLE_DEPTH: Final = 5
"""How many variables with placeholders may be in each other, from one that a template names."""

Quote = Callable[[Any], str]
"""Makes text of a value that is inserted, fit for the place where it goes, as URLs and JSON need it."""

T = TypeVar("T")

# What stands behind a label is JSON: of an object the braces must match, of a list it must not reach the next "{{".
# No part can be read in two ways, so that no text takes longer than its length.
_FLAT = r"[^{}\r\n]"
_OBJECT = rf"\{{(?:{_FLAT}|\{{(?:{_FLAT}|\{{{_FLAT}*+\}})*+\}})*+\}}"
_LIST = r"\[(?:(?!\{\{)[^\r\n])*?\]"
_PLACEHOLDER = re.compile(
    rf"\{{\{{[A-Z]+:(?P<label>[\w\s]++):[ \t]*+(?:{_OBJECT}|{_LIST})\}}\}}|\{{\{{(?P<name>{_FLAT}++)\}}\}}"
)
_SECRET = re.compile(r"KEY\(([^()]*)\)")
_TEAM = "teamid"
"""The one name that is no secret."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where placeholders of one text get their values."""

    values: Mapping[str, Any]
    context: ComponentContext
    node: Node | None
    quote: Quote
    missing: Literal["keep", "empty"]
    secrets: bool
    known: dict[tuple[str, int], str] = field(default_factory=dict)
    """What texts of variables and labels become, at each depth: filled once, however often others name them."""


async def expand(
    text: str,
    values: Mapping[str, Any],
    context: ComponentContext,
    *,
    node: Node | None = None,
    quote: Quote | None = None,
    missing: Literal["keep", "empty"] = "keep",
    secrets: bool = True,
) -> str:
    """`text` with its placeholders filled: from `values`, else from the agent's variables, secrets from the vault.

    Texts are inserted as they are, all else as JSON; `quote` says otherwise, also for secrets. A placeholder that names
    nothing, or None, stays, or goes with `missing="empty"`. Placeholders of a component template, which need `node`,
    are looked up by their label. Without `secrets` all of them are empty, also those that variables name. Raises
    AccessDeniedError and NotFoundError for a secret, ComponentError for a variable that contains itself, and for what
    would be longer than MAX_CHARACTERS.
    """
    if "{{" not in text:
        return text
    usual = _escaped if context.compat.escaped_quotes else as_text
    return await _expand(text, _Source(values, context, node, quote or usual, missing, secrets), VARIABLE_DEPTH)


async def expand_value(
    value: T,
    values: Mapping[str, Any],
    context: ComponentContext,
    *,
    node: Node | None = None,
    secrets: bool = True,
) -> T | Any:
    """Like `expand`, but a text that is one placeholder alone becomes the value itself, whatever its type.

    Goes through mappings and lists; what is no text is returned as it is.
    """
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        name = whole["name"] if whole and not _SECRET.fullmatch(whole["name"] or "") else None
        found = look_up_name(name, values) if name else MISSING
        if name and (found is MISSING or found is None):
            variable = look_up_name(name, context.agent.variables)
            # A variable that is text is a template itself.
            found = found if isinstance(variable, str) or variable is MISSING else variable
        return await expand(value, values, context, node=node, secrets=secrets) if found is MISSING else found
    if isinstance(value, Mapping):
        return {
            key: await expand_value(item, values, context, node=node, secrets=secrets) for key, item in value.items()
        }
    if isinstance(value, list):
        return [await expand_value(item, values, context, node=node, secrets=secrets) for item in value]
    return value


def pieces(text: str) -> list[tuple[str, bool]]:
    """A text in order, split at its placeholders of all kinds; True marks a piece that is one."""
    found: list[tuple[str, bool]] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        found += [(text[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [piece for piece in (*found, (text[end:], False)) if piece[0]]


def placeholders(text: str) -> list[str]:
    """The names in a text's placeholders, in order, secrets and those of component templates not among them."""
    names = [match["name"] for match in _PLACEHOLDER.finditer(text)]
    return [name for name in names if name and not _SECRET.fullmatch(name)]


def look_up_name(name: str, values: Mapping[str, Any]) -> Any:
    """The value of exactly that name, else of that path, else MISSING."""
    return values[name] if name in values else look_up(values, split_path(name))


def as_text(value: Any) -> str:
    """A text as it is, bytes as the UTF-8 that they are, 5.0 as 5, all else as JSON.

    Raises ComponentError for what is no text of at most MAX_CHARACTERS, unless it is a text already.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return number_text(value)
    # No JSON is shorter than this: looked at first, so that what is much too long is never written.
    is_long = size_of(value, limit=MAX_CHARACTERS, characters=1) > MAX_CHARACTERS
    text = "" if is_long else _json(value)
    if is_long or len(text) > MAX_CHARACTERS:
        raise ComponentError(
            f"{kind_of(value)} of more than {MAX_CHARACTERS:,} characters is too large for a text",
            hint="use a part of it, as in {{name.items[0]}}, or store it as a file first",
        )
    return text


def _json(value: Any) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else to_json(value, fallback=str).decode()
    except (UnicodeDecodeError, PydanticSerializationError) as error:
        raise ComponentError(
            f"a value of type {type(value).__name__} cannot be written as text", hint="store it as a file first"
        ) from error


def _escaped(value: Any) -> str:
    return as_text(value).replace('\\"', '"').replace('"', '\\"') if isinstance(value, str) else as_text(value)


async def _expand(text: str, source: _Source, depth: int) -> str:
    if "{{" not in text:
        return text
    parts: list[str] = []
    end = 0
    length = len(text)
    for match in _PLACEHOLDER.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        name, label = match["name"], match["label"]
        filled = await (_named(name, source, depth) if name else _labelled(label.strip(), source, depth))
        if filled is None:
            filled = match[0] if source.missing == "keep" else ""
        length += len(filled) - len(match[0])
        if length > MAX_CHARACTERS:
            raise ComponentError(
                f"the text is longer than {MAX_CHARACTERS:,} characters with {match[0]!r}",
                hint="insert less, as in {{name.items[0]}}, or store it as a file",
            )
        parts.append(filled)
    parts.append(text[end:])
    return "".join(parts)


async def _named(name: str, source: _Source, depth: int) -> str | None:
    secret = _SECRET.fullmatch(name)
    if secret is not None:
        is_open = source.secrets or secret[1].strip() == _TEAM
        return source.quote(await read_secret(secret[1], source.context)) if is_open else ""
    found = look_up_name(name, source.values)
    if found is not MISSING and found is not None:
        return _quoted(found, name, source)
    variable = look_up_name(name, source.context.agent.variables)
    if variable is MISSING or variable is None:
        return None
    return await _again(variable, name, source, depth)


async def _labelled(label: str, source: _Source, depth: int) -> str | None:
    """What a component template was filled in with under a label."""
    if source.node is None:
        return None
    filled = source.node.data.get("_templateVars")
    for id_, entry in source.node.template.items():
        if str(entry.get("label", "")).strip() == label:
            given = filled.get(id_) if isinstance(filled, Mapping) else None
            given = entry.get("value") if given is None else given
            return None if given is None else await _again(given, label, source, depth)
    return None


async def _again(value: Any, name: str, source: _Source, depth: int) -> str:
    """A value that its author wrote: itself a template."""
    if not isinstance(value, str) or "{{" not in value:
        return _quoted(value, name, source)
    if not depth:
        raise ComponentError(
            f"the variable {name!r} contains itself, or {VARIABLE_DEPTH} others in each other",
            hint="write out what it means",
        )
    key = (value, depth)
    if key not in source.known:
        # Its own placeholders are filled as plain text, and the whole is quoted once.
        plain = replace(source, quote=as_text)
        source.known[key] = await _expand(value, plain, depth - 1)
    return source.quote(source.known[key])


def _quoted(value: Any, name: str, source: _Source) -> str:
    try:
        return source.quote(value)
    except ComponentError as error:
        raise ComponentError(f"{{{{{name}}}}}: {error.message}", hint=error.hint) from error


async def read_secret(name: str, context: ComponentContext) -> str:
    """A secret of the agent or of its team, as text. Raises ComponentError without a name, else as `find_secret`."""
    name = name.strip()
    if not name:
        raise ComponentError("there is no name of a secret in {{KEY()}}", hint="name one, as in {{KEY(my-key)}}")
    if name == _TEAM:
        return context.agent.team
    try:
        return (await find_secret(name, context)).value.get_secret_value()
    except SREError as error:
        error.add_note(f"asked for by {{{{KEY({name})}}}}")
        raise
