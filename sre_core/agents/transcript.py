"""Messages as JSON lines and back, in a form that people can read and that stays stable."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from sre_core.messages import File, Message, MessageRole, ProviderState, SkillCall

__all__ = ["decode_message", "encode_message"]


def encode_message(message: Message) -> str:
    """One line of JSON, without what is empty."""
    data: dict[str, Any] = {"role": message.role.value}
    if message.text:
        data["text"] = message.text
    if message.files:
        data["files"] = [
            {"name": file.name, "media_type": file.media_type, "data": base64.b64encode(file.data).decode()}
            for file in message.files
        ]
    if message.skill_calls:
        data["skill_calls"] = [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in message.skill_calls
        ]
    if message.call_id is not None:
        data["call_id"] = message.call_id
    if message.name is not None:
        data["name"] = message.name
    if message.is_error:
        data["is_error"] = True
    if message.state is not None:
        data["state"] = {"connector": message.state.connector, "data": message.state.data}
    # Lone surrogates, which models do produce in their JSON, cannot be UTF-8; escaped they survive.
    return json.dumps(data, ensure_ascii=not _is_utf8(message))


def decode_message(data: Any) -> Message:
    """The message that `encode_message` wrote. Raises ValueError that says what is wrong."""
    known = {"role", "text", "files", "skill_calls", "call_id", "name", "is_error", "state"}
    fields = _mapping(data, "a message", known)
    role = fields.get("role")
    if role not in list(MessageRole):
        raise ValueError(f"unknown role {role!r}")
    is_error = fields.get("is_error", False)
    if not isinstance(is_error, bool):
        raise ValueError(f"'is_error' is {is_error!r}, not true or false")  # noqa: TRY004
    return Message(
        role=MessageRole(role),
        text=_text(fields, "text", default=""),
        files=tuple(_file(item) for item in _list(fields, "files")),
        skill_calls=tuple(_call(item) for item in _list(fields, "skill_calls")),
        call_id=_text(fields, "call_id") if "call_id" in fields else None,
        name=_text(fields, "name") if "name" in fields else None,
        is_error=is_error,
        state=_state(fields["state"]) if "state" in fields else None,
    )


def _is_utf8(message: Message) -> bool:
    texts = [message.text, message.call_id or "", message.name or ""]
    texts += [text for call in message.skill_calls for text in (call.id, call.name, call.arguments)]
    texts += [text for file in message.files for text in (file.name, file.media_type)]
    texts += [message.state.connector, message.state.data] if message.state is not None else []
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _file(data: Any) -> File:
    fields = _mapping(data, "a file", {"name", "media_type", "data"})
    try:
        content = base64.b64decode(_text(fields, "data"), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the data of a file is not base64: {error}") from error
    return File(name=_text(fields, "name"), media_type=_text(fields, "media_type"), data=content)


def _state(data: Any) -> ProviderState:
    fields = _mapping(data, "a state", {"connector", "data"})
    return ProviderState(connector=_text(fields, "connector"), data=_text(fields, "data"))


def _call(data: Any) -> SkillCall:
    fields = _mapping(data, "a skill call", {"id", "name", "arguments"})
    return SkillCall(id=_text(fields, "id"), name=_text(fields, "name"), arguments=_text(fields, "arguments"))


def _mapping(data: Any, what: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"{what} is {type(data).__name__}, not an object")  # noqa: TRY004 -- it is bad data
    unknown = sorted(data.keys() - known)
    if unknown:
        # Dropping what a newer version wrote would lose it at the next save.
        raise ValueError(f"{what} has the unknown key {unknown[0]!r}")
    return data


def _list(fields: Mapping[str, Any], key: str) -> list[Any]:
    value = fields.get(key, [])
    if not isinstance(value, list):
        raise ValueError(f"{key!r} is {type(value).__name__}, not a list")  # noqa: TRY004
    return value


def _text(fields: Mapping[str, Any], key: str, *, default: str | None = None) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key!r} is missing" if value is None else f"{key!r} is {value!r:.40}, not text")  # noqa: TRY004
    return value
