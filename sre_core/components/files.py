"""Files that go from node to node: by address in a workflow's values, as bytes where a component needs them."""

from typing import Any

from sre_core.components.context import ComponentContext
from sre_core.messages import File

__all__ = ["is_file_value", "read_file", "store_file"]


def is_file_value(value: Any) -> bool:
    """Whether a value has the form that files have in a workflow: a mapping with `url`, `mimetype` and `size`."""
    raise NotImplementedError


async def read_file(value: Any, context: ComponentContext, *, name: str = "file", from_caller: bool = True) -> File:
    """The file that `value` means: a file value, an address (`smythfs:`, `http:`, `data:`), base64, text or bytes.

    With `from_caller`, the usual case, a `smythfs:` address is read as `context.caller`; without it, which is for
    addresses that the author or a component of this run wrote, as the agent. Raises ComponentError that says what
    `value` is, NotFoundError, AccessDeniedError.
    """
    raise NotImplementedError


async def store_file(file: File, context: ComponentContext, *, ttl: float | None = None) -> dict[str, Any]:
    """Keep a file among the agent's temporary ones, and return its value: `{"mimetype", "size", "url", "name"}`.

    `ttl` in seconds, where the storage can expire.
    """
    raise NotImplementedError
