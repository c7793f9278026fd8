"""Files that go from node to node: by address in a workflow's values, as bytes where a component needs them.

Who may read an address is the guard's to say, and it is asked for the caller: an address that came with a request
opens nothing that its sender could not open. What components of the same run stored is read as the agent.
"""

import base64
import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sre_core.access.candidate import Candidate
from sre_core.components import encoded_files, media_types, smythfs
from sre_core.components.context import ComponentContext
from sre_core.components.kinds import kind_of
from sre_core.components.smythfs import Address
from sre_core.connectors import Storage
from sre_core.errors import ComponentError
from sre_core.messages import File

__all__ = [
    "MAX_FILE_BYTES",
    "TEMPORARY",
    "describe_file",
    "is_file_value",
    "is_url",
    "read_file",
    "safe_name",
    "store_file",
]

MAX_FILE_BYTES = 64 * 2**20
"""Size of the largest file that is read or downloaded into memory."""

TEMPORARY = 86_400.0
"""How long a temporary file is kept, in seconds, where the storage can expire."""

_URL = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_BLANK = re.compile(r"\s")
_UNSAFE = re.compile(r"[^\w.-]+")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")
_MAX_NAME = 200


def is_file_value(value: Any) -> bool:
    """Whether a value has the form that files have in a workflow: a mapping with `url`, `mimetype` and `size`."""
    if not isinstance(value, Mapping):
        return False
    size = value.get("size")
    return (
        all(isinstance(value.get(key), str) and value[key] for key in ("url", "mimetype"))
        and isinstance(size, int | float)
        and not isinstance(size, bool)
    )


def is_url(value: Any) -> bool:
    """Whether a value is an address alone that a file can be read from: `http:`, `https:`, `smythfs:` or `data:`."""
    if not isinstance(value, str):
        return False
    if encoded_files.is_data_url(value):
        return True
    return (_URL.match(value) is not None or smythfs.is_address(value)) and _BLANK.search(value) is None


async def read_file(value: Any, context: ComponentContext, *, name: str = "file", from_caller: bool = True) -> File:
    """The file that `value` means: a file value, an address (`smythfs:`, `http:`, `data:`), base64, text or bytes.

    With `from_caller`, the usual case, a `smythfs:` address is read as `context.caller`, unless this run stored the
    file itself; without it, which is for addresses that the author wrote, as the agent. `name` is for what has none.
    Raises ComponentError that says what `value` is, NotFoundError, AccessDeniedError.
    """
    if isinstance(value, File):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return _named(name, bytes(value))
    if isinstance(value, Mapping) and isinstance(value.get("url"), str):
        return await _read_value(value, context, name=name, from_caller=from_caller)
    if not isinstance(value, str):
        raise _no_file(value, name)
    # Written out as text, a file is longer than it is; one that cannot be small enough is not decoded in vain.
    _check_size(len(value) // 3, name)
    raw, address = _utf8(value, name), value.strip()
    if smythfs.is_address(address):
        return await _read_stored(Address.parse(address), context, from_caller=from_caller)
    if is_url(address):
        return await _download(address, context, name=name)
    data = encoded_files.decode_base64(value)
    return _named(name, raw, "text/plain") if data is None else _named(name, data)


async def store_file(file: File, context: ComponentContext, *, ttl: float | None = TEMPORARY) -> dict[str, Any]:
    """Keep a file among the agent's temporary ones, and return its value: `{"mimetype", "size", "url", "name"}`.

    It lies in the home of the agent's team, so that the members of the team may read it. `ttl` in seconds, where the
    storage can expire; None keeps it. Raises AccessDeniedError if the agent is no member of its team.
    """
    media_type = media_types.guess_media_type(file.data, declared=file.media_type, name=file.name)
    unique = base64.b32encode(secrets.token_bytes(10)).decode()
    stored_name = safe_name(f"{unique}-{safe_name(file.name, media_type)}", media_type)
    home = Candidate.team(context.agent.team)
    address = Address(home, f"{context.agent.id}/_temp/{quote(stored_name)}")
    storage = context.storage.of(home)
    await storage.write(address.path, file.data, content_type=media_type)
    if ttl is not None and "expire" in storage.capabilities:
        await storage.expire(address.path, ttl)
    context.stored.add(str(address))
    return {"mimetype": media_type, "size": len(file.data), "url": str(address), "name": stored_name}


async def describe_file(address: str, context: ComponentContext, *, from_caller: bool = True) -> dict[str, Any]:
    """The value of a stored file, without its bytes. Raises as `read_file` does."""
    place = Address.parse(address)
    info = await _storage(place, context, from_caller=from_caller).stat(place.path)
    media_type = media_types.clean_media_type(info.content_type)
    if media_type == media_types.UNKNOWN:
        media_type = media_types.guess_media_type(b"", name=place.name)
    return {"mimetype": media_type, "size": info.size, "url": str(place), "name": place.name}


def safe_name(name: str, media_type: str = media_types.UNKNOWN) -> str:
    """`name` as one part of a path, whatever it held, and with the ending of `media_type` if it has none."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    clean = _UNSAFE.sub("_", last).strip("._") or "file"
    stem, dot, ending = clean.rpartition(".")
    if not (dot and _ENDING.fullmatch(dot + ending)):
        stem, ending = clean, media_types.extension(media_type).removeprefix(".")
    stem = stem[:_MAX_NAME]
    while len(quote(stem)) > _MAX_NAME:
        stem = stem[: -max(1, len(stem) // 10)]
    return f"{stem}.{ending}" if ending else stem


async def _read_value(value: Mapping[str, Any], context: ComponentContext, *, name: str, from_caller: bool) -> File:
    """What a file value points at, under the name that it gives. Its type is a claim, and only fills a gap."""
    if not is_url(value["url"]):
        raise _no_file(value, name)
    found = await read_file(value["url"], context, name=name, from_caller=from_caller)
    given, claimed = value.get("name"), value.get("mimetype")
    return File(
        name=safe_name(given) if isinstance(given, str) and given else found.name,
        media_type=media_types.guess_media_type(b"", declared=claimed if isinstance(claimed, str) else "")
        if found.media_type == media_types.UNKNOWN
        else found.media_type,
        data=found.data,
    )


async def _read_stored(place: Address, context: ComponentContext, *, from_caller: bool) -> File:
    storage = _storage(place, context, from_caller=from_caller)
    info = await storage.stat(place.path)
    _check_size(info.size, str(place))
    data = await storage.read(place.path)
    return File(
        name=place.name,
        media_type=media_types.guess_media_type(data, declared=info.content_type, name=place.name),
        data=data,
    )


def _storage(place: Address, context: ComponentContext, *, from_caller: bool) -> Storage:
    """Whose eyes read an address: the one place where that is decided."""
    as_agent = not from_caller or str(place) in context.stored
    return (context.storage if as_agent else context.caller_storage).of(place.home)


async def _download(url: str, context: ComponentContext, *, name: str) -> File:
    if encoded_files.is_data_url(url):
        media_type, data = encoded_files.decode_data_url(url)
        return _named(name, data, media_type)
    reply = await context.host.http.request("GET", url, max_bytes=MAX_FILE_BYTES)
    if not 200 <= reply.status < 300:
        # Not its query: it may hold a key.
        shown = urlsplit(url)._replace(query="", fragment="").geturl()
        raise ComponentError(f"{name!r} cannot be read: {shown!r} answered {reply.status}")
    found = unquote(urlsplit(reply.url or url).path.rpartition("/")[2]) or name
    return _named(found, reply.body, reply.headers.get("content-type", ""))


def _named(name: str, data: bytes, media_type: str = "") -> File:
    _check_size(len(data), name)
    media_type = media_types.guess_media_type(data, declared=media_type, name=name)
    return File(name=safe_name(name, media_type), media_type=media_type, data=data)


def _check_size(size: int, name: str) -> None:
    if size > MAX_FILE_BYTES:
        raise ComponentError(
            f"the file {name!r} has {size} bytes, or more", hint=f"files of up to {MAX_FILE_BYTES} bytes are read"
        )


def _utf8(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ComponentError(f"the text at {name!r} holds half a character", hint="send whole texts") from error


def _no_file(value: Any, name: str) -> ComponentError:
    return ComponentError(
        f"{name!r} is no file, but {kind_of(value)}",
        hint='give an address, a data URL, base64, text, bytes or {"url", "mimetype", "size"}',
    )
