"""The HTTP request of one call of an OpenAPI operation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

from sre_core.components.agents.open_api_operations import Argument, Operation
from sre_core.components.template import as_text
from sre_core.errors import SkillError

__all__ = ["OpenAPIRequest", "build_request"]

_IN_PATH = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAPIRequest:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    data: bytes | None = None


def build_request(operation: Operation, arguments: Mapping[str, Any]) -> OpenAPIRequest:
    """The request for arguments that a model gave. Raises SkillError for one that would change the path."""
    given = [
        (argument, arguments[argument.name])
        for argument in operation.arguments
        if arguments.get(argument.name) is not None
    ]
    query = [pair for argument, value in given if argument.place == "query" for pair in _query(argument, value)]
    url = operation.base + _path(operation, given)
    headers = {argument.key: _joined(value) for argument, value in given if argument.place == "header"}
    data = _body(operation, given)
    if data is not None:
        headers["Content-Type"] = operation.body_type
    return OpenAPIRequest(
        method=operation.method,
        url=f"{url}?{urlencode(query, quote_via=quote)}" if query else url,
        headers={"Accept": "application/json, text/*;q=0.9, */*;q=0.1", **headers},
        data=data,
    )


def _path(operation: Operation, given: list[tuple[Argument, Any]]) -> str:
    values = {argument.key: _joined(value) for argument, value in given if argument.place == "path"}
    path = _IN_PATH.sub(lambda match: quote(values.get(match[1], ""), safe=""), operation.path)
    # Clients and servers take such parts out, and the part before with them: another operation would be called.
    if any(unquote(part) in {".", ".."} for part in path.split("/")):
        raise SkillError(f"an argument of {operation.name!r} may not be '.' or '..': it is a part of the path")
    return path


def _query(argument: Argument, value: Any) -> list[tuple[str, str]]:
    """The pairs of one parameter, in the styles that OpenAPI has for queries."""
    if isinstance(value, Mapping):
        if argument.style == "deepObject":
            return [(f"{argument.key}[{name}]", as_text(item)) for name, item in value.items()]
        if argument.explode:
            return [(str(name), as_text(item)) for name, item in value.items()]
    if isinstance(value, list) and argument.explode:
        return [(argument.key, as_text(item)) for item in value]
    separator = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(argument.style, ",")
    return [(argument.key, _joined(value, separator))]


def _body(operation: Operation, given: list[tuple[Argument, Any]]) -> bytes | None:
    whole = [value for argument, value in given if argument.place == "body"]
    fields = {argument.key: value for argument, value in given if argument.place == "field"}
    takes_fields = any(argument.place == "field" for argument in operation.arguments)
    if not operation.body_type or not (whole or takes_fields):
        return None
    value = whole[0] if whole else fields
    if "json" in operation.body_type.lower():
        return json.dumps(value, ensure_ascii=False).encode()
    pairs = value.items() if isinstance(value, Mapping) else ()
    texts = [(str(key), as_text(one)) for key, item in pairs for one in (item if isinstance(item, list) else [item])]
    return urlencode(texts).encode()


def _joined(value: Any, separator: str = ",") -> str:
    if isinstance(value, Mapping):
        return separator.join(as_text(part) for pair in value.items() for part in pair)
    return separator.join(as_text(item) for item in value) if isinstance(value, list) else as_text(value)
