"""What a value becomes at an input of type Binary, Image, Audio or Video: a file's value, or a list of them."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from sre_core.components import smythfs
from sre_core.components.context import ComponentContext
from sre_core.components.files import describe_file, is_file_value, is_url, read_file, store_file
from sre_core.errors import ComponentError

__all__ = ["MAX_FILES", "to_files"]

MAX_FILES = 100
"""Most files that come in at one input."""

_BETWEEN = re.compile(r"[\s,]+")


async def to_files(value: Any, name: str, context: ComponentContext) -> Any:
    """The value of the file that `value` means, or a list of values where it means several.

    What is not stored yet is stored, under `name` if it has none; an address in our storage stays where it is. A text
    is several files only if it holds nothing but addresses: one that mentions a link is a text. Raises what
    `read_file` raises.
    """
    several = _several(value)
    if several is None:
        return await _to_file(value, name, context)
    if len(several) > MAX_FILES:
        raise ComponentError(f"{len(several)} files came in at {name!r}", hint=f"send up to {MAX_FILES} at a time")
    return [await _to_file(item, name, context) for item in several]


async def _to_file(value: Any, name: str, context: ComponentContext) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _file_in(value)
    if is_file_value(value):
        return value
    if isinstance(value, Mapping) and set(value) <= {"url", "name", "mimetype", "size"} and "url" in value:
        value = value["url"]
    if isinstance(value, str) and smythfs.is_address(value.strip()):
        return await describe_file(value.strip(), context)
    return await store_file(await read_file(value, context, name=name), context)


def _several(value: Any) -> list[Any] | None:
    """The items of a list, of a list in JSON, or of a text of addresses; None for what is one file."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        return None
    if value.lstrip().startswith("["):
        try:
            items = from_json(value.encode())
        except ValueError:
            return None
        return items if items and all(is_url(item) or is_file_value(item) for item in items) else None
    # A data URL has a comma, and stands alone.
    if not is_url(_BETWEEN.split(value.strip(), maxsplit=1)[0]) or value.strip().lower().startswith("data:"):
        return None
    parts = [part for part in _BETWEEN.split(value) if part]
    return parts if len(parts) > 1 and all(is_url(part) for part in parts) else None


def _file_in(text: str) -> Any:
    """A file's value that was written out as JSON; any other text as it is."""
    try:
        parsed = from_json(text.encode())
    except ValueError:
        return text
    return parsed if is_file_value(parsed) else text
