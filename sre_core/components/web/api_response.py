"""What came back from an API, as values of a workflow."""

import json
import posixpath
import re
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from math import isfinite
from typing import Any
from urllib.parse import unquote, urlsplit

from sre_core.components.context import ComponentContext
from sre_core.components.files import store_file
from sre_core.components.http_client import HTTPReply
from sre_core.components.http_target import origin_text
from sre_core.documents.text import is_text_encoding
from sre_core.messages import File

__all__ = ["read_response"]

_TEXTS = re.compile(
    r"text/.*|application/([\w.+-]*\+)?xml|application/(x-)?(javascript|ecmascript|yaml|x-www-form-urlencoded|sql)"
    r"|application/(x-ndjson|jsonl|graphql|toml|x-sh)"
)
_JSON = re.compile(r"application/json|text/json|application/[\w.+-]+\+json")
# Doubles name no whole numbers one by one from here on.
_WHOLE = 2**53
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


async def read_response(reply: HTTPReply, context: ComponentContext) -> dict[str, Any]:
    """The outputs of a call: JSON as data, text as text, all else as a file; `_error` beside them if it failed."""
    outputs: dict[str, Any] = {"Response": await _value(reply, context), "Headers": dict(reply.headers)}
    if not 200 <= reply.status < 300:
        outputs["_error"] = f"{origin_text(reply.url)} answered {_status(reply.status)}"
    return outputs


async def _value(reply: HTTPReply, context: ComponentContext) -> Any:
    media_type, charset = _content_type(reply.headers.get("content-type", ""))
    if not reply.body:
        return ""
    if _JSON.fullmatch(media_type):
        try:
            return json.loads(reply.body, parse_float=_number, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            # Servers that fail often say so in plain words, under the type of what they meant to send.
            return reply.body.decode(errors="replace")
    if _TEXTS.fullmatch(media_type):
        return _decoded(reply.body, charset)
    if not media_type:
        try:
            return reply.body.decode()
        except UnicodeDecodeError:
            media_type = "application/octet-stream"
    file = File(name=_name(reply), media_type=media_type, data=reply.body)
    return await store_file(file, context)


def _number(text: str) -> int | float | None:
    """Without a point where it is whole, as JavaScript has it; None for one that is too large for JSON."""
    number = float(text)
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number


def _content_type(header: str) -> tuple[str, str]:
    media_type, _, rest = header.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([\w.:-]+)", rest, re.IGNORECASE)
    return media_type.strip().lower(), charset[1] if charset else "utf-8"


def _decoded(body: bytes, charset: str) -> str:
    return body.decode(charset if is_text_encoding(charset) else "utf-8", errors="replace")


def _name(reply: HTTPReply) -> str:
    """A name for the file: what the server says, or the end of the URL. `store_file` makes it safe."""
    return _disposition_name(reply.headers) or unquote(posixpath.basename(urlsplit(reply.url).path)) or "response"


def _disposition_name(headers: Mapping[str, str]) -> str:
    # The reader of the standard library knows all forms of the parameter.
    message = Message()
    message["Content-Disposition"] = _UNPRINTABLE.sub("", headers.get("content-disposition", ""))
    return message.get_filename() or ""


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
