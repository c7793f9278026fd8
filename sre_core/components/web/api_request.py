"""What a node that calls an API sends: made of its settings and the inputs, and of nothing else."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import PydanticSerializationError

from sre_core.components.context import ComponentContext
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import Node
from sre_core.components.path import MISSING
from sre_core.components.template import as_text, expand, look_up_name, placeholders
from sre_core.components.web.api_body import Body, build_body
from sre_core.components.web.api_settings import APICallSettings
from sre_core.components.web.api_url import ShareFile, build_url, fill_own
from sre_core.components.web.json_template import Bare, fill_json, parse_json_template
from sre_core.errors import ComponentError

__all__ = ["APIRequest", "build_request", "parse_headers", "pick_proxy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class APIRequest:
    """One request, ready to be sent; `trusted` and `foreign` are as in RequestURL. Its repr shows no secret."""

    method: str
    url: str = field(repr=False)
    trusted: bool
    foreign: bool
    headers: Mapping[str, str] = field(repr=False)
    data: bytes | None = field(default=None, repr=False)


async def build_request(
    settings: APICallSettings,
    values: Mapping[str, Any],
    context: ComponentContext,
    *,
    node: Node,
    share: ShareFile,
) -> APIRequest:
    """The request that the settings mean with these inputs. It sends nothing; it reads files and secrets.

    Raises ComponentError for what cannot be sent, NotFoundError and AccessDeniedError for files and secrets.
    """
    try:
        url = await build_url(settings.url, values, context, node=node, share=share)
        headers = await _headers(settings.headers, values, context, node)
        body = await build_body(settings.content_type, settings.body, values, context, node=node)
    except (UnicodeError, PydanticSerializationError):
        # JSON can hold halves of characters; UTF-8 cannot.
        raise ComponentError("an input holds half of a character, which cannot be sent") from None
    return APIRequest(
        method=settings.method,
        url=url.text,
        trusted=url.trusted,
        foreign=url.foreign,
        headers=_with_type(headers, body),
        data=None if settings.method == "HEAD" else body.data,
    )


def parse_headers(headers: str | Mapping[str, Any]) -> Mapping[str, Any] | Bare:
    """The headers as written, with their placeholders, or the one placeholder that stands for all of them.

    Raises ComponentError for what is neither that nor a JSON object.
    """
    parsed = headers
    if isinstance(headers, str):
        parsed = parse_json_template(headers, what="the setting 'headers'") if headers.strip() else {}
    if not isinstance(parsed, Mapping | Bare):
        raise ComponentError("the setting 'headers' is no JSON object", hint='as {"Accept": "application/json"}')
    return parsed


async def pick_proxy(
    proxies: str,
    values: Mapping[str, Any],
    context: ComponentContext,
    *,
    node: Node,
    choose: Callable[[Sequence[str]], str],
) -> str | None:
    """One of the proxies, or None if there are none. Raises ComponentError if an input is part of one."""
    listed = [line.strip() for line in proxies.splitlines() if line.strip()]
    if not listed:
        return None
    proxy = await fill_own(choose(listed), values, context, node=node)
    if "{{" in proxy:
        raise ComponentError(
            "a proxy is named by the author, not by an input", hint="use variables of the agent and secrets"
        )
    return proxy if "://" in proxy else f"http://{proxy}"


async def _headers(
    headers: str | Mapping[str, Any], values: Mapping[str, Any], context: ComponentContext, node: Node
) -> dict[str, str]:
    written = parse_headers(headers)
    if isinstance(written, Bare):
        # What an input brings is no template, and where the request goes is not its to say.
        found = _cleaned(_object(await fill_json(written, values, context, node=node)).items())
        return {name: value for name, value in found.items() if name != "host"}
    named = [(await expand(key, values, context, node=node, missing="empty"), key) for key in written]
    # An input that is a name gives no header that the author sets, and says no more than others to whom it goes.
    taken = {"host", *(name.strip().lower() for name, key in named if not _is_input(key, values))}
    for name, key in named:
        if _is_input(key, values) and name.strip().lower() in taken:
            raise ComponentError(f"an input names the header {name!r}, which is not its to set", hint="check the input")
    return _cleaned([(name, await fill_json(written[key], values, context, node=node)) for name, key in named])


def _is_input(name: str, values: Mapping[str, Any]) -> bool:
    """Whether an input has a say in a name, and not the author's variables alone."""
    return any(look_up_name(one, values) is not MISSING for one in placeholders(name))


def _object(value: Any) -> Mapping[str, Any]:
    """Headers that an input or a variable brought, as an object or as its JSON text; nothing is none."""
    found = value or {}
    if isinstance(found, str):
        found = parse_loose_json(found, repair=False) if found.strip() else {}
    if not isinstance(found, Mapping):
        raise ComponentError("the headers that came in are no object", hint='as {"Accept": "application/json"}')
    return found


def _cleaned(headers: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Names in lower case, and values as text. Secrets often end with the line break of the file they came from."""
    found = [(name.strip().lower(), value) for name, value in headers]
    return {name: as_text(value).strip() for name, value in found if name and value is not None}


def _with_type(headers: dict[str, str], body: Body) -> dict[str, str]:
    if body.content_type is None or body.data is None:
        return headers
    if body.fixed_type or "content-type" not in headers:
        headers["content-type"] = body.content_type
    return headers
