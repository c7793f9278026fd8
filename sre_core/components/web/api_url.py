"""URLs of requests: an author's text with values in it, which stay where they were put."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import quote, unquote

from sre_core.components.context import ComponentContext
from sre_core.components.files import is_file_value
from sre_core.components.node import Node
from sre_core.components.smythfs import is_address
from sre_core.components.template import Quote, as_text, expand, look_up_name, pieces, placeholders
from sre_core.errors import ComponentError

__all__ = ["RequestURL", "ShareFile", "build_url", "fill_own"]

_HOST = re.compile(r"[^\s/?#@\\%\[\]<>{}|^`\"']*")
_MASK = "x"
# Stands for an input where it counts where it stands; no URL has it.
_INPUT = "\0"
_PORT = re.compile(r":[0-9\0]*$")
_OWN_END = re.compile(r"(\.[^.]+){2,}\.?")
_OWN_FILE = re.compile(r"(?<==)smythfs://[^&#{}\s]+", re.IGNORECASE)


class ShareFile(Protocol):
    """Makes a public link to a file that lives as long as the request."""

    async def __call__(self, value: Any, *, from_caller: bool) -> str:
        """The link. Raises ComponentError where the storage has none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestURL:
    """Where a request goes.

    `trusted` if scheme, host and port are those of the author's own text; `foreign` if an input can make the host one
    of somebody else's: it may fill in what stands before ".example.com", and the port.
    """

    text: str
    trusted: bool
    foreign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Three parts of a URL, which together are the whole, without its fragment."""

    head: str
    path: str
    query: str


async def build_url(
    template: str, values: Mapping[str, Any], context: ComponentContext, *, node: Node, share: ShareFile
) -> RequestURL:
    """The URL of a request. Raises ComponentError for a value that cannot stand where the author put it.

    Values are encoded as one segment of the path, or as one part of the query; in the host they may hold only what
    hosts hold. An input that is all of the URL's beginning is taken as it is. Files of `smythfs:` in the query become
    links that `share` makes.
    """
    parts = _split(await fill_own(template.strip(), values, context, node=node, spread=_author_parts))
    head = await _head(parts.head, values, context)
    path = await _path(parts.path, values, context)
    query = await _query(parts.query, values, context, share)
    # A plus in a value is encoded by now.
    text = (head + (path + query).replace("+", "%20")).replace(" ", "%20")
    return RequestURL(
        text=text,
        trusted=not any(is_placeholder for _, is_placeholder in pieces(parts.head)),
        foreign=_is_foreign(parts.head),
    )


async def fill_own(
    text: str,
    values: Mapping[str, Any],
    context: ComponentContext,
    *,
    node: Node,
    spread: Callable[[str], list[tuple[str, Quote]]] | None = None,
) -> str:
    """`text` with what is the author's filled in, variables and secrets, and with the placeholders of inputs in place.

    `spread` says how values are written in which part of the text.
    """
    # An input hides a variable of the same name.
    variables = {name: value for name, value in context.agent.variables.items() if name not in values}
    alone = replace(context, agent=replace(context.agent, variables=variables))
    parts = spread(text) if spread else [(text, as_text)]
    return "".join([await expand(part, {}, alone, node=node, quote=how) for part, how in parts])


def _author_parts(text: str) -> list[tuple[str, Quote]]:
    """Where the author's own values are encoded, and how: in a user, a password and a query all, in a host nothing."""
    parts = _split(text)
    at = _masked(parts.head).rfind("@") + 1
    return [
        (parts.head[:at], _encode),
        (parts.head[at:], as_text),
        (parts.path, lambda value: quote(as_text(value), safe="/")),
        (parts.query, _encode),
    ]


def _masked(text: str, of: str = "") -> str:
    """The text with letters for its placeholders, or for the signs `of` in them: only the author's own signs count."""
    return "".join(
        (piece.replace(of, _MASK) if of else _MASK * len(piece)) if is_placeholder else piece
        for piece, is_placeholder in pieces(text)
    )


def _split(text: str) -> _Parts:
    """Split where the author's own text has its delimiters, not where a placeholder has one."""
    masked = _masked(text)
    begin = masked.find("://")
    begin = begin + 3 if begin >= 0 and not re.search(r"[/?#]", masked[:begin]) else 0
    end = masked.find("#")
    end = len(masked) if end < 0 else end
    query = masked.find("?", begin, end)
    query = end if query < 0 else query
    path = next((at for at in range(begin, query) if masked[at] in "/\\"), query)
    return _Parts(head=text[:path], path=text[path:query], query=text[query:end])


async def _head(head: str, values: Mapping[str, Any], context: ComponentContext) -> str:
    if all(is_placeholder for _, is_placeholder in pieces(head)):
        # The author lets an input choose all of it. The request is not trusted then.
        return (await expand(head, values, context, quote=_plain, missing="empty")).strip()
    return await expand(head, values, context, quote=_in_host, missing="empty")


def _is_foreign(head: str) -> bool:
    """Whether an input has a say in whose host it is: only the author's own end of a name, ".example.com", tells."""
    marked = "".join(_INPUT if is_placeholder else piece for piece, is_placeholder in pieces(head))
    host = _PORT.sub("", marked.partition("://")[2].rpartition("@")[2])
    own = host.rpartition(_INPUT)[2]
    return not own or (own != host and not _OWN_END.fullmatch(own))


async def _path(path: str, values: Mapping[str, Any], context: ComponentContext) -> str:
    filled = await expand(path, values, context, quote=_encode, missing="empty")
    # Encoded values hold no slash, so that both have the same segments.
    for before, after in zip(_masked(path, "/").split("/"), filled.split("/"), strict=False):
        if before != after and unquote(after) in {".", ".."}:
            raise ComponentError(
                "an input of the URL is '.' or '..', which would lead to another path", hint="check the input"
            )
    return filled


async def _query(query: str, values: Mapping[str, Any], context: ComponentContext, share: ShareFile) -> str:
    shared: dict[str, Any] = {}
    for name in placeholders(query):
        value = look_up_name(name, values)
        address = value.get("url") if isinstance(value, Mapping) and is_file_value(value) else value
        if isinstance(address, str) and is_address(address):
            shared[name] = await share(value, from_caller=True)
        elif isinstance(value, Mapping) and address is not value:
            shared[name] = address
    links = [_encode(await share(unquote(own), from_caller=False)) for own in _OWN_FILE.findall(query)]
    query = _OWN_FILE.sub(lambda _: links.pop(0), query)
    return await expand(query, {**values, **shared}, context, quote=_encode, missing="empty")


def _encode(value: Any) -> str:
    return quote(as_text(value), safe="")


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise ComponentError(f"a URL is a text, not {type(value).__name__}")
    return value


def _in_host(value: Any) -> str:
    text = as_text(value)
    if not _HOST.fullmatch(text):
        raise ComponentError(
            "an input that is part of the URL's host has a character that no host has", hint="check the input"
        )
    return text
