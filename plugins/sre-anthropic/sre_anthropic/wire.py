"""Messages and files as the API takes them: JSON, as bytes that can be kept and sent again."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from sre_anthropic.state import unpack
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, MessageRole, SkillCall

__all__ = ["Wire", "dump", "tool_name", "unwrap", "wire", "wrap"]

_IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
_TEXTS = frozenset(
    {"application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml"}
)
_ID = re.compile(r"[A-Za-z0-9_-]+")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KEPT_OF_NAME = 100
_LONGEST_TITLE = 500
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A message on the wire; empty if it says nothing.

    `unthinking` is the same without thoughts, and `thinks` whether there are any. `is_result` is whether it is what a
    skill returned.
    """

    role: str
    message: bytes
    unthinking: bytes
    thinks: bool = False
    is_result: bool = False


def dump(data: Any) -> bytes:
    """JSON in UTF-8. A lone half of a character, which UTF-8 cannot hold, becomes a replacement character."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def wire(message: Message) -> Wire:
    """A message that is not of the system, as the API takes it.

    Raises UnsupportedError for files that it does not take, ConfigError for the result of no call.
    """
    if message.role is MessageRole.ASSISTANT:
        return _assistant(message)
    is_result = message.role is MessageRole.SKILL
    blocks = [_result(message)] if is_result else [dump(block) for block in _content(message)]
    written = wrap("user", blocks)
    return Wire(role="user", message=written, unthinking=written, is_result=is_result)


def wrap(role: str, blocks: Iterable[bytes]) -> bytes:
    """A message of these blocks; empty if there are none."""
    content = b",".join(blocks)
    return b'{"role":"%b","content":[%b]}' % (role.encode(), content) if content else b""


def unwrap(message: bytes) -> bytes:
    """The blocks of a message, joined with commas, as `wrap` takes several."""
    return message[message.index(b"[") + 1 : -2]


def _content(message: Message) -> Iterator[dict[str, Any]]:
    """Files first, as the provider advises. The API refuses blocks without letters."""
    for file in message.files:
        yield _file(file)
    if message.text.strip():
        yield {"type": "text", "text": message.text}


def _result(message: Message) -> bytes:
    if not message.call_id:
        raise ConfigError("the result of a skill does not say of which call", hint="make it with Message.result")
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": _id(message.call_id)}
    block["content"] = list(_content(message)) if message.files else message.text
    if message.is_error:
        block["is_error"] = True
    return dump(block)


def _assistant(message: Message) -> Wire:
    if message.files:
        name = message.files[0].name
        raise UnsupportedError(
            f"the assistant's own message holds the file {name!r}, which Anthropic does not take back",
            hint="pass the file in a message of the user",
        )
    layout = unpack(message)
    calls = iter(message.skill_calls)
    start = 0
    blocks: list[bytes] = []
    unthinking: list[bytes] = []
    for part in layout or [{"text": len(message.text)}, *({"call": True} for _ in message.skill_calls)]:
        if "type" in part:
            blocks.append(dump(part))
            continue
        if "call" in part:
            block = _call(next(calls))
        else:
            text, start = message.text[start : start + part["text"]], start + part["text"]
            if not text.strip():
                continue
            block = dump({"type": "text", "text": text})
        blocks.append(block)
        unthinking.append(block)
    written = wrap("assistant", blocks)
    thinks = len(blocks) > len(unthinking)
    silent = wrap("assistant", unthinking) if thinks else written
    return Wire(role="assistant", message=written, unthinking=silent, thinks=thinks)


def _call(call: SkillCall) -> bytes:
    head = dump({"type": "tool_use", "id": _id(call.id), "name": tool_name(call.name)})
    # As the model wrote it: what was thought after it was signed behind exactly this.
    return head[:-1] + b',"input":' + _arguments(call.arguments) + b"}"


def _arguments(text: str) -> bytes:
    if not text.strip():
        return b"{}"
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # What the provider advises for calls that were cut, so that the model sees its mistake.
        return dump({"INVALID_JSON": text})
    try:
        if "\\u" in text:
            # What it says must be text, too: half a character may be written as an escape.
            json.dumps(found, ensure_ascii=False).encode()
        return text.encode()
    except UnicodeEncodeError:
        return dump(found)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _id(id: str) -> str:  # noqa: A002 -- the field's own name
    """An id that the API accepts; others come from other providers."""
    return id if _ID.fullmatch(id) else _fit(id)


def tool_name(name: str) -> str:
    """A name of a skill that the API accepts; models also call what there is not, as "functions.add:0"."""
    return name if _NAME.fullmatch(name) else _fit(name, _KEPT_OF_NAME)


def _fit(text: str, longest: int | None = None) -> str:
    """Text in letters that the API accepts, so many at most, and a sum that tells it from another that looks alike."""
    return f"{_FOREIGN.sub('_', text)[:longest]}_{crc32(text.encode(errors='surrogatepass')):08x}"


def _file(file: File) -> dict[str, Any]:
    kind = file.media_type.partition(";")[0].strip().lower()
    kind = "image/jpeg" if kind == "image/jpg" else kind
    if kind in _IMAGES:
        return {"type": "image", "source": _base64(kind, file.data)}
    if kind == "application/pdf":
        return {"type": "document", "source": _base64(kind, file.data), **_title(file)}
    if kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml")):
        return {"type": "document", "source": _text(file), **_title(file)}
    raise UnsupportedError(
        f"Anthropic does not take the file {file.name!r} ({file.media_type})",
        hint="it takes PNG, JPEG, GIF and WebP images, PDF, and text",
    )


def _title(file: File) -> dict[str, str]:
    return {"title": file.name[:_LONGEST_TITLE]} if file.name.strip() else {}


def _base64(kind: str, data: bytes) -> dict[str, Any]:
    return {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}


def _text(file: File) -> dict[str, Any]:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnsupportedError(
            f"the file {file.name!r} ({file.media_type}) is no text in UTF-8", hint="convert it, or send a PDF"
        ) from error
    return {"type": "text", "media_type": "text/plain", "data": text if text.strip() else "(empty)"}
