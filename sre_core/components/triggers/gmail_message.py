"""Mails as Gmail's API gives them, as payloads; pure functions.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any

from sre_core.documents.text import is_text_encoding

__all__ = ["read_mail"]

_HEADERS = {
    "from": "from",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "subject": "subject",
    "date": "date",
    "message-id": "messageId",
}


def read_mail(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message in its full format as `{"email": {...}}`; what is not in it is empty."""
    payload = _mapping(message.get("payload"))
    labels = message.get("labelIds") or []
    body = {"text": "", "html": ""}
    attachments: list[dict[str, Any]] = []
    for part in _parts(payload):
        kind = {"text/plain": "text", "text/html": "html"}.get(str(part.get("mimeType", "")).lower())
        content = _mapping(part.get("body"))
        if part.get("filename"):
            attachments.append(_attachment(part, content))
        elif kind and content.get("data"):
            body[kind] += _text(str(content["data"]), part)
    return {
        "email": {
            "id": message.get("id", ""),
            "threadId": message.get("threadId", ""),
            "labelIds": labels,
            "snippet": message.get("snippet", ""),
            "sizeEstimate": message.get("sizeEstimate", 0),
            "internalDate": message.get("internalDate", ""),
            "headers": _headers(payload),
            "body": body,
            "attachments": attachments,
            "isUnread": "UNREAD" in labels,
        }
    }


def _headers(payload: Mapping[str, Any]) -> dict[str, str]:
    found = dict.fromkeys(_HEADERS.values(), "")
    for entry in payload.get("headers") or []:
        name = _HEADERS.get(str(entry.get("name", "")).lower())
        if name and not found[name]:
            found[name] = str(entry.get("value", ""))
    return found


def _parts(payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The parts that hold something, in order, however deep."""
    waiting = [payload]
    while waiting:
        part = waiting.pop()
        inner = [found for found in part.get("parts") or [] if isinstance(found, Mapping)]
        if inner:
            waiting.extend(reversed(inner))
        else:
            yield part


def _attachment(part: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "filename": part.get("filename"),
        "mimeType": part.get("mimeType", ""),
        "size": content.get("size", 0),
        "attachmentId": content.get("attachmentId", ""),
    }


def _text(data: str, part: Mapping[str, Any]) -> str:
    """Gmail gives bytes in base64 of URLs, nearly always of UTF-8; else the part says of what."""
    try:
        raw = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return ""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        charset = _charset(part)
        return raw.decode(charset if is_text_encoding(charset) else "utf-8", errors="replace")


def _charset(part: Mapping[str, Any]) -> str:
    kind = Message()
    for entry in part.get("headers") or []:
        if str(entry.get("name", "")).lower() == "content-type":
            kind["Content-Type"] = str(entry.get("value", ""))
    return kind.get_content_charset("utf-8")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
