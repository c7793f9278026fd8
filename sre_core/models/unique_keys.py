"""JSON objects that say each thing once, for files that people write and that decide something."""

from collections.abc import Iterable
from typing import Any

__all__ = ["unique_keys"]


def unique_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An `object_pairs_hook` for `json.loads`. Raises ValueError that names a key which stands there twice."""
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"{key!r} stands there twice")
        table[key] = value
    return table
