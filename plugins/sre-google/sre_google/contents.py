"""Messages as contents: who said what, in parts, and the results of skills beside their calls."""

import base64
import json
import re
import weakref
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, MessageRole, SkillCall
from sre_google.state import Part, unpack

__all__ = ["FUNCTION_NAME", "UNSIGNED", "PartsCache", "contents_of", "file_part", "system_of"]

FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
"""What Google accepts as the name of a function."""

UNSIGNED = "skip_thought_signature_validator"
"""Stands in Google's documentation for the signature of a call that its model did not make itself."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.:-]")
_KEPT_OF_NAME = 100
_BEGUN = "(The talk begins.)"
_TEXT_TYPES = ("json", "xml", "yaml", "toml", "javascript", "typescript", "sql", "x-sh", "x-python", "csv", "markdown")


class PartsCache:
    """The parts of messages, kept for as long as the message lives: it never changes, and comes with every turn."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, bool], tuple[weakref.ref[Message], list[Part]]] = {}

    def parts(self, message: Message, origin: str, *, signs: bool) -> list[Part]:
        """The parts of one message, which nobody may change; `origin` and `signs` are as in `contents_of`."""
        key = (id(message), origin, signs)
        known = self._known.get(key)
        if known is not None and known[0]() is message:
            return known[1]
        parts = _parts(message, origin, signs=signs)
        forget = self._known.pop
        self._known[key] = weakref.ref(message, lambda _: forget(key, None)), parts
        return parts


def system_of(messages: Sequence[Message]) -> Part | None:
    """The `systemInstruction`: all system messages, wherever they stand."""
    parts = [{"text": _whole(one.text)} for one in messages if one.role is MessageRole.SYSTEM and one.text]
    return {"parts": parts} if parts else None


def contents_of(messages: Sequence[Message], cache: PartsCache, origin: str, *, signs: bool) -> list[Part]:
    """The `contents`: neighbours of one role in one content, and results in the order of their calls.

    `origin` names API and model; `signs` says that this model wants its calls signed. Messages that say nothing are
    left out. Raises ConfigError when nothing is left, UnsupportedError for files that Google takes in no form.
    """
    found: list[Part] = []
    last: MessageRole | None = None
    calls: list[str] = []
    for message in messages:
        parts = () if message.role is MessageRole.SYSTEM else cache.parts(message, origin, signs=signs)
        if not parts:
            continue
        if message.role is last:
            found[-1]["parts"] += parts
        else:
            found.append({"role": "model" if message.role is MessageRole.ASSISTANT else "user", "parts": [*parts]})
            calls = [] if message.role is MessageRole.ASSISTANT else calls
        calls += [call.id for call in message.skill_calls]
        if message.role is MessageRole.SKILL and message.role is last:
            found[-1]["parts"].sort(key=lambda part, ids=calls: _place(part, ids))
        last = message.role
    if not found:
        raise ConfigError("the request has no message that says anything", hint="add one of the user")
    if found[0]["role"] == "model":
        # The assistant opened the talk; Google wants the user first.
        found.insert(0, {"role": "user", "parts": [{"text": _BEGUN}]})
    return found


def _parts(message: Message, origin: str, *, signs: bool) -> list[Part]:
    match message.role:
        case MessageRole.ASSISTANT:
            return [*_files(message), *_assistant_parts(message, origin, signs=signs)]
        case MessageRole.SKILL:
            if message.files:
                raise UnsupportedError("Google takes no files with the result of a skill", hint="let it return text")
            return [_result_part(message)]
        case _:
            return [*_files(message), *([{"text": _whole(message.text)}] if message.text else [])]


def _files(message: Message) -> list[Part]:
    return [file_part(file) for file in message.files]


def _assistant_parts(message: Message, origin: str, *, signs: bool) -> list[Part]:
    layout = unpack(message, origin)
    if layout is not None:
        return _signed_parts(message, layout, signs=signs)
    parts: list[Part] = [{"text": _whole(message.text)}] if message.text else []
    calls = [_call_part(call) for call in message.skill_calls]
    if calls and signs:
        calls[0]["thoughtSignature"] = UNSIGNED
    return parts + calls


def _signed_parts(message: Message, layout: Sequence[Mapping[str, Any]], *, signs: bool) -> list[Part]:
    parts: list[Part] = []
    start, calls = 0, iter(message.skill_calls)
    first = True
    for piece in layout:
        if "call" in piece:
            part = _call_part(next(calls))
            if first and signs:
                part["thoughtSignature"] = UNSIGNED
            first = False
        elif "thought" in piece:
            part = {"text": piece["thought"], "thought": True}
        else:
            part = {"text": _whole(message.text[start : start + piece["text"]])}
            start += piece["text"]
        if "signature" in piece:
            part["thoughtSignature"] = piece["signature"]
        parts.append(part)
    return parts


def _call_part(call: SkillCall) -> Part:
    return {"functionCall": {"id": _whole(call.id), "name": _function_name(call.name), "args": _arguments(call)}}


def _arguments(call: SkillCall) -> dict[str, Any]:
    text = _whole(call.arguments).strip()
    try:
        found = json.loads(text or "{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # Google's models write objects; another's may have written anything, and has been told that it was wrong.
        return {"arguments": text}
    if "\\u" in text:
        # Half a character may be written as an escape, too.
        found = dict(json.loads(_whole(json.dumps(found, ensure_ascii=False))))
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _function_name(name: str) -> str:
    """A name that Google accepts; models also call what there is not, by any name."""
    if FUNCTION_NAME.fullmatch(name):
        return name
    return f"_{_NOT_IN_NAMES.sub('_', name)[:_KEPT_OF_NAME]}_{crc32(name.encode(errors='surrogatepass')):08x}"


def _result_part(message: Message) -> Part:
    # As text, whatever it is: numbers in a structure would come out as floating point.
    response = {"error" if message.is_error else "output": _whole(message.text)}
    name = _function_name(message.name or "")
    return {"functionResponse": {"id": _whole(message.call_id or ""), "name": name, "response": response}}


def _whole(text: str) -> str:
    """Text without lone halves of characters, which Google takes for broken JSON."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _place(result: Part, calls: Sequence[str]) -> int:
    """Where a result stands among those of its neighbours: where its call stood."""
    call = result["functionResponse"]["id"]
    return calls.index(call) if call in calls else len(calls)


def file_part(file: File) -> Part:
    """A file as Google takes it: media and PDF as they are, text as text under its name.

    Raises UnsupportedError for other documents, and ConfigError for text that is not UTF-8.
    """
    media_type = file.media_type.partition(";")[0].strip().lower()
    main, _, kind = media_type.partition("/")
    if main in {"image", "audio", "video"} or media_type == "application/pdf":
        data = base64.b64encode(file.data).decode("ascii")
        return {"inlineData": {"mimeType": media_type, "data": data}}
    if main == "text" or kind.endswith(_TEXT_TYPES):
        try:
            return {"text": f"{file.name}:\n{file.data.decode()}"}
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"the file {file.name!r} is no UTF-8 text, though its type is {file.media_type!r}",
                hint="convert it, or name its real type",
            ) from error
    raise UnsupportedError(
        f"Google takes no files of type {file.media_type!r}, as {file.name!r} is",
        hint="it takes images, audio, video, PDF and text; convert the file",
    )
