"""Bodies of requests, one function for each way to make them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from pydantic_core import to_json

from sre_core.components.context import ComponentContext
from sre_core.components.files import is_file_value, read_file
from sre_core.components.node import Node
from sre_core.components.path import MISSING
from sre_core.components.smythfs import is_address
from sre_core.components.template import as_text, expand, look_up_name, pieces, placeholders
from sre_core.components.web.api_settings import BodyType
from sre_core.components.web.json_template import Bare, check_field, fill_json, parse_json_template
from sre_core.components.web.multipart import Part, encode_multipart
from sre_core.errors import ComponentError
from sre_core.messages import File

__all__ = ["Body", "build_body", "check_body"]

# What XML cannot hold in any form.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OBJECT = re.compile(r"\s*(\{(?!\{)|\[)")
_FILE_TYPES = frozenset({"binary", "image", "audio", "video", "file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is sent; None is no body at all. `fixed_type` says that no header of the author's may replace the type."""

    data: bytes | None = None
    content_type: str | None = None
    fixed_type: bool = False


async def build_body(
    kind: BodyType, body: Any, values: Mapping[str, Any], context: ComponentContext, *, node: Node
) -> Body:
    """The body of a request. Raises ComponentError, and what reading a file raises."""
    if body == "" or body is None:
        return Body()
    made = _Maker(values, context, node)
    match kind:
        case BodyType.JSON:
            return Body(data=to_json(await made.structure(body), fallback=str, inf_nan_mode="null"), content_type=kind)
        case BodyType.FORM:
            return Body(data=urlencode(await made.fields(body)).encode(), content_type=kind)
        case BodyType.MULTIPART:
            data, content_type = encode_multipart(await made.parts(body))
            return Body(data=data, content_type=content_type, fixed_type=True)
        case BodyType.BINARY:
            file = await made.file(body)
            return Body(data=file.data, content_type=file.media_type)
        case BodyType.XML:
            return Body(data=(await made.text(body, xml=True)).encode(), content_type=kind)
        case BodyType.TEXT:
            return Body(data=(await made.text(body)).encode(), content_type="text/plain; charset=utf-8")
    return Body(data=(await made.text(body)).encode())


def check_body(kind: BodyType, body: Any) -> None:
    """Raise ComponentError for a text that cannot be read as JSON, where it has to be, whatever the inputs bring."""
    if not isinstance(body, str) or not body:
        return
    if kind in {BodyType.JSON, BodyType.MULTIPART} or (kind is BodyType.FORM and not _is_query(body)):
        parse_json_template(body, what="the body")


@dataclass(frozen=True, slots=True)
class _Maker:
    """Fills bodies with the values of one run."""

    values: Mapping[str, Any]
    context: ComponentContext
    node: Node

    async def structure(self, body: Any) -> Any:
        """The body as JSON: read first, filled afterwards. One that is a single placeholder is the value itself."""
        parsed = parse_json_template(body, what="the body") if isinstance(body, str) else body
        return await fill_json(parsed, self.values, self.context, node=self.node)

    async def fields(self, body: Any) -> list[tuple[str, str]]:
        """Names and values of a form, from a JSON object or from `a=1&b={{b}}`. A list is a field for each item."""
        if isinstance(body, str) and _is_query(body):
            pairs = parse_qsl(body.strip(), keep_blank_values=True)
            return await self._pairs(pairs)
        structure = await self.structure(body)
        if isinstance(structure, str):
            return parse_qsl(structure, keep_blank_values=True)
        filled = _object(structure)
        return [(name, as_text(item)) for name, value in filled.items() for item in _items(value)]

    async def _pairs(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The fields of `a=1&b={{b}}`; an author may give one of them twice."""
        own = {name for name, _ in pairs}
        filled: list[tuple[str, str]] = []
        for written, value in pairs:
            name = await self._expand(written)
            check_field(name, written, own, [known for known, _ in filled])
            filled.append((name, await self._expand(value)))
        return filled

    async def parts(self, body: Any) -> list[Part]:
        """The parts of a multipart form, from a JSON object. Values that are files are sent as such."""
        parsed = parse_json_template(body, what="the body") if isinstance(body, str) else body
        if isinstance(parsed, Bare):
            # What an input brings is no template, and nothing in it is the author's.
            given = _object(await self.structure(parsed))
            return [await self._part(item, name, parsed) for name, value in given.items() for item in _items(value)]
        parts: list[Part] = []
        given = _object(parsed)
        for key, value in given.items():
            name = await self._expand(key)
            check_field(name, key, [part.name for part in parts], given)
            parts += [await self._part(item, name, value) for item in _items(await self._value(value))]
        return parts

    async def file(self, body: Any) -> File:
        """The one file that a binary body is."""
        filled = await self._value(body)
        if filled is None or filled == "":
            raise ComponentError("there is nothing to send", hint="the body of a binary request is one input: {{file}}")
        return await read_file(filled, self.context, from_caller=not _is_literal(body))

    async def text(self, body: Any, *, xml: bool = False) -> str:
        """The body as text; values are escaped for XML. A body that is one placeholder is the document itself."""
        template = body if isinstance(body, str) else to_json(body).decode()
        quote = _escape_xml if xml and not _is_placeholder(template) else None
        return await expand(template, self.values, self.context, node=self.node, quote=quote, missing="empty")

    async def _expand(self, text: str) -> str:
        return await expand(text, self.values, self.context, node=self.node, quote=as_text, missing="empty")

    async def _value(self, written: Any) -> Any:
        """What a value of a form is: a placeholder alone is what the input is, whatever its type."""
        alone = written.placeholder if isinstance(written, Bare) else written
        if _is_placeholder(alone):
            name = next(iter(placeholders(alone)), "")
            found = look_up_name(name, self.values) if name else MISSING
            if found is not MISSING:
                return found
        return await fill_json(written, self.values, self.context, node=self.node)

    def _names_file(self, written: Any) -> bool:
        """Whether a placeholder stands for an input that its author made one for files."""
        alone = written.placeholder if isinstance(written, Bare) else written
        names = placeholders(alone) if _is_placeholder(alone) else []
        port = self.node.input(names[0]) if names else None
        return port is not None and (port.is_file or port.type.lower() in _FILE_TYPES)

    async def _part(self, item: Any, name: str, written: Any) -> Part:
        if (isinstance(item, str) and is_address(item)) or is_file_value(item) or self._names_file(written):
            file = await read_file(item, self.context, name=name, from_caller=not _is_literal(written))
            return Part(name=name, value=file)
        return Part(name=name, value=as_text(item))


def _is_query(body: str) -> bool:
    """Whether a form is written as `a=1&b=2`, and not as JSON or as one placeholder."""
    return not _is_placeholder(body) and not _OBJECT.match(body)


def _is_literal(written: Any) -> bool:
    """Whether the author wrote all of it."""
    return not isinstance(written, Bare) and "{{" not in as_text(written)


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ComponentError(
        f"the body of a form is a JSON object, not {type(value).__name__}", hint='as {"name": "{{name}}"}'
    )


def _items(value: Any) -> list[Any]:
    """None is no field, a list one for each item."""
    return [item for item in (value if isinstance(value, list) else [value]) if item is not None]


def _is_placeholder(text: Any) -> bool:
    return isinstance(text, str) and [is_one for _, is_one in pieces(text.strip())] == [True]


def _escape_xml(value: Any) -> str:
    return escape(_NOT_XML.sub("", as_text(value)), {'"': "&quot;", "'": "&apos;"})
