"""Messages as the API takes them."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from sre_aws.bedrock.files import file_block
from sre_aws.bedrock.state import unpack
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import Message, MessageRole, SkillCall

__all__ = ["Block", "Wire", "whole", "wire"]

Block = dict[str, Any]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_KEPT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What a message is on the wire: its role and its blocks, none if it says nothing.

    `unthinking` are the blocks without thoughts, and `plain` those without calls and results too, which are told in
    words.
    """

    role: str
    blocks: tuple[Block, ...]
    unthinking: tuple[Block, ...]
    plain: tuple[Block, ...]

    @property
    def thinks(self) -> bool:
        """Whether there are thoughts."""
        return len(self.blocks) > len(self.unthinking)

    @property
    def uses_tools(self) -> bool:
        """Whether there are calls or results."""
        return any("toolUse" in block or "toolResult" in block for block in self.blocks)


def wire(message: Message, family: str) -> Wire:
    """A message that is not of the system, as the API takes it; `family` is whose model is to read it.

    Raises UnsupportedError for files that it does not take, ConfigError for the result of no call.
    """
    if message.role is MessageRole.ASSISTANT:
        return _assistant(message, family)
    if message.role is MessageRole.SKILL:
        return _result(message)
    blocks = tuple(_content(message))
    return Wire(role="user", blocks=blocks, unthinking=blocks, plain=blocks)


def whole(text: str) -> str:
    """Text without lone halves of characters, which UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _content(message: Message) -> Iterator[Block]:
    """The API refuses text without letters, and documents without text."""
    taken: set[str] = set()
    blocks = [file_block(file, taken) for file in message.files]
    yield from blocks
    if message.text.strip():
        yield {"text": whole(message.text)}
    elif taken:
        yield {"text": ", ".join(sorted(taken))}


def _result(message: Message) -> Wire:
    if not message.call_id:
        raise ConfigError("the result of a skill does not say of which call", hint="make it with Message.result")
    content = list(_content(message)) or [{"text": "(nothing)"}]
    block: Block = {"toolResult": {"toolUseId": _fit(message.call_id, _ID), "content": content}}
    if message.is_error:
        block["toolResult"]["status"] = "error"
    told = {"text": whole(f"[{message.name or 'The skill'} {'failed' if message.is_error else 'returned'}]")}
    return Wire(role="user", blocks=(block,), unthinking=(block,), plain=(told, *content))


def _assistant(message: Message, family: str) -> Wire:
    if message.files:
        raise UnsupportedError(
            f"the assistant's own message holds the file {message.files[0].name!r}, which Bedrock does not take back",
            hint="pass the file in a message of the user",
        )
    layout = unpack(message, family)
    calls = iter(message.skill_calls)
    start = 0
    thinking: list[Block] = []
    plain: list[Block] = []
    silent: list[Block] = []
    for part in layout or [{"text": len(message.text)}, *({"call": True} for _ in message.skill_calls)]:
        if "thought" in part:
            told = {"text": part["thought"], "signature": part["signature"]}
            thinking.append({"reasoningContent": {"reasoningText": told}})
            continue
        if "redacted" in part:
            thinking.append({"reasoningContent": {"redactedContent": base64.b64decode(part["redacted"])}})
            continue
        if "call" in part:
            call = next(calls)
            block: Block = {
                "toolUse": {"toolUseId": _fit(call.id, _ID), "name": _fit(call.name, _NAME), "input": _arguments(call)}
            }
            plain.append({"text": whole(f"[calls {call.name} with {call.arguments}]")})
        else:
            text, start = message.text[start : start + part["text"]], start + part["text"]
            if not text.strip():
                continue
            block = {"text": whole(text)}
            plain.append(block)
        thinking.append(block)
        silent.append(block)
    return Wire(role="assistant", blocks=tuple(thinking), unthinking=tuple(silent), plain=tuple(plain))


def _arguments(call: SkillCall) -> dict[str, Any]:
    if not call.arguments.strip():
        return {}
    try:
        found = json.loads(whole(call.arguments), parse_constant=_no_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # Of a call that was cut, so that the model sees its mistake.
        return {"INVALID_JSON": whole(call.arguments)}
    if "\\u" in call.arguments:
        # Half a character may be written as an escape, too.
        found = dict(json.loads(whole(json.dumps(found, ensure_ascii=False))))
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _fit(text: str, wanted: re.Pattern[str]) -> str:
    """An id or a name that the API accepts: ids of other providers differ, and models call what there is not."""
    if wanted.fullmatch(text):
        return text
    return f"{_FOREIGN.sub('_', text)[:_KEPT]}_{crc32(text.encode(errors='surrogatepass')):08x}"
