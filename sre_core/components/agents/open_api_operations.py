"""The operations of an OpenAPI document: what each is called, takes, and where it is sent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal
from urllib.parse import urljoin

from sre_core.components.agents.open_api_schemas import Schemas, mapping
from sre_core.errors import ComponentError

__all__ = ["Argument", "Operation", "Place", "read_operations"]

Place = Literal["body", "field", "header", "path", "query"]
"""Where an argument goes; a "field" is one of the body's, "body" the whole of it."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
# These are the client's, or the author's to set; the document's own standard says to ignore the first three.
_OWN_HEADERS = frozenset({"accept", "authorization", "content-type", "cookie", "host", "proxy-authorization"})
_FORM = "application/x-www-form-urlencoded"
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]+")
_WORDS = re.compile(r"[^a-zA-Z0-9-]+")
_VARIABLE = re.compile(r"\{([^{}]+)\}")
_MOST_OPERATIONS = 2000
_MOST_TYPES = 100
_LONGEST_NAME = 64
_LONGEST_TEXT = 1024
"""Characters of a text that are read: there may be thousands, which are one and the same in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument: `name` is what the model calls it, `key` what the service does."""

    name: str
    key: str
    place: Place
    schema: Mapping[str, Any]
    required: bool = False
    style: str = ""
    explode: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. `base` is the URL that `path` follows, `body_type` the media type of the body, if it takes one."""

    name: str
    description: str
    method: str
    base: str
    path: str
    arguments: tuple[Argument, ...] = ()
    body_type: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """One JSON schema for all arguments."""
        return {
            "type": "object",
            "properties": {argument.name: argument.schema for argument in self.arguments},
            "required": [argument.name for argument in self.arguments if argument.required],
            "additionalProperties": False,
        }


def read_operations(document: Mapping[str, Any], url: str) -> list[Operation]:
    """The operations of a document that was found at `url`, each with a name of its own.

    One whose body is neither JSON nor a form is left out. Raises ComponentError for what is no OpenAPI 3 document.
    """
    if not _text(document.get("openapi")).startswith("3."):
        what = "an older form, Swagger" if "swagger" in document else "something else"
        raise ComponentError(f"this is no document of OpenAPI 3, but {what}", hint="convert it to OpenAPI 3")
    schemas = Schemas(document)
    taken: dict[str, int] = {}
    operations: list[Operation] = []
    for path, item, method, operation in _all(document, schemas):
        if len(operations) == _MOST_OPERATIONS:
            raise ComponentError(
                f"the document has more than {_MOST_OPERATIONS} operations", hint="leave out those of no use here"
            )
        body = _body(operation, schemas)
        if body is None:
            continue
        servers = operation.get("servers") or item.get("servers") or document.get("servers")
        operations.append(
            Operation(
                name=_unique(_text(operation.get("operationId")) or _WORDS.sub("_", f"{method}{path}"), taken),
                description=_text(operation.get("description")) or _text(operation.get("summary")),
                method=method.upper(),
                base=_base(servers, url),
                path=path,
                arguments=tuple(_distinct([*_parameters(item, operation, schemas), *body[1]])),
                body_type=body[0],
            )
        )
    return operations


def _all(
    document: Mapping[str, Any], schemas: Schemas
) -> Iterator[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]]:
    for path, entry in mapping(document.get("paths")).items():
        item = schemas.resolve(entry)
        for method in _METHODS:
            if isinstance(item.get(method), Mapping) and str(path).startswith("/"):
                yield str(path), item, method, item[method]


def _unique(text: str, taken: dict[str, int]) -> str:
    """A legal name of a skill, like `text`, that no other operation has. `taken` counts how often each was wanted."""
    plain = _ILLEGAL.sub("_", text[:_LONGEST_TEXT]).strip("_")[:_LONGEST_NAME] or "operation"
    name = plain
    while name in taken:
        taken[plain] += 1
        number = str(taken[plain])
        name = f"{plain[: _LONGEST_NAME - len(number) - 1]}_{number}"
    taken[name] = 1
    return name


def _base(servers: Any, url: str) -> str:
    server = mapping(servers[0]) if isinstance(servers, list) and servers else {}
    variables = mapping(server.get("variables"))

    def default(found: re.Match[str]) -> str:
        return _text(mapping(variables[found[1]]).get("default")) if found[1] in variables else found[0]

    # Once: what stands for a variable is no place for others, which could stand for a billion characters.
    base = _VARIABLE.sub(default, _text(server.get("url")) or "/")[:_LONGEST_TEXT]
    try:
        return urljoin(url, base).partition("?")[0].rstrip("/")
    except ValueError as error:
        raise ComponentError(f"the document has a server with an illegal URL: {base!r:.120}") from error


def _parameters(item: Mapping[str, Any], operation: Mapping[str, Any], schemas: Schemas) -> Iterator[Argument]:
    # Those of the operation take the place of those of its path.
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for owner in (item, operation):
        given = owner.get("parameters")
        for entry in given if isinstance(given, list) else []:
            parameter = schemas.resolve(entry)
            found[_text(parameter.get("name")), _text(parameter.get("in"))] = parameter
    for (key, place), parameter in found.items():
        if place not in {"header", "path", "query"} or not key:
            continue
        if place == "header" and key.lower() in _OWN_HEADERS:
            continue
        style = _text(parameter.get("style")) or ("form" if place == "query" else "simple")
        yield Argument(
            name=key,
            key=key,
            place=place,  # type: ignore[arg-type]  # one of the three, as was just checked
            schema=_described(_schema_of(parameter, schemas), parameter.get("description")),
            required=place == "path" or parameter.get("required") is True,
            style=style,
            explode=bool(parameter.get("explode", style == "form")),
        )


def _schema_of(parameter: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    """A parameter has its schema itself, or within the one media type of its content."""
    content: Any = next(iter(mapping(parameter.get("content")).values()), None)
    return schemas.inline(parameter.get("schema", mapping(content).get("schema", {})))


def _body(operation: Mapping[str, Any], schemas: Schemas) -> tuple[str, list[Argument]] | None:
    """The type of the body and its arguments; None where one is demanded that cannot be sent."""
    body = schemas.resolve(operation.get("requestBody"))
    content: Mapping[str, Any] = mapping(body.get("content"))
    names = list(islice(content, _MOST_TYPES))
    types = [str(name) for name in names if _JSON.match(str(name))] or [name for name in names if name == _FORM]
    if not types:
        return None if content and body.get("required") is True else ("", [])
    schema = schemas.inline(mapping(content[types[0]]).get("schema", {}))
    required = body.get("required") is True
    properties = schema.get("properties")
    if isinstance(properties, dict) and properties and not {"allOf", "anyOf", "oneOf"} & schema.keys():
        demanded = frozenset(schema.get("required", ()) if required else ())
        fields = [
            Argument(name=name, key=name, place="field", schema=inner, required=name in demanded)
            for name, inner in properties.items()
        ]
        return types[0], fields
    whole = _described(schema, body.get("description") or "The body of the request.")
    return types[0], [Argument(name="body", key="", place="body", schema=whole, required=required)]


def _described(schema: dict[str, Any], description: Any) -> dict[str, Any]:
    return {**schema, "description": description} if isinstance(description, str) and description else schema


def _distinct(arguments: list[Argument]) -> Iterator[Argument]:
    """The arguments under names that models may use, each once: a path and a body may both have an `id`."""
    taken: dict[str, int] = {}
    for argument in arguments:
        name = _ILLEGAL.sub("_", argument.name[:_LONGEST_TEXT]).strip("_") or argument.place
        if name in taken:
            name = f"{name}_{argument.place}"
        name = _unique(name, taken)
        yield Argument(
            name=name,
            key=argument.key,
            place=argument.place,
            schema=argument.schema,
            required=argument.required,
            style=argument.style,
            explode=argument.explode,
        )


def _text(value: Any) -> str:
    """The beginning of a text, or a number as one; anything may stand anywhere in a document."""
    return str(value)[:_LONGEST_TEXT] if isinstance(value, str | int | float) else ""
