"""Token counts of both APIs, and of the servers that count in their own way."""

import math
from collections.abc import Mapping
from typing import Any

from sre_core.messages import Usage

__all__ = ["usage_of"]


def usage_of(data: Any) -> Usage | None:
    """The usage in a `usage` object; None if it is none."""
    if not isinstance(data, Mapping):
        return None
    given = _count(data, "prompt_tokens", "input_tokens")
    written = _count(data, "completion_tokens", "output_tokens")
    if len(data) == 3 and given and written:
        # Nothing but these and their sum.
        return Usage(input_tokens=given, output_tokens=written)
    inputs = _details(data, "prompt_tokens_details", "input_tokens_details")
    outputs = _details(data, "completion_tokens_details", "output_tokens_details")
    cached = _count(inputs, "cached_tokens") or _count(data, "prompt_cache_hit_tokens", "cached_tokens")
    thought = _count(outputs, "reasoning_tokens") or _count(data, "reasoning_tokens")
    if thought and _count(data, "total_tokens") == given + written + thought:
        # Some count thoughts beside what was written.
        written += thought
    cached = min(cached, given)
    return Usage(
        input_tokens=given,
        output_tokens=written,
        cached_tokens=cached,
        reasoning_tokens=min(thought, written),
        cache_write_tokens=min(_count(inputs, "cache_write_tokens"), given - cached),
    )


def _details(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        if isinstance(found := data.get(name), Mapping):
            return found
    return {}


def _count(data: Mapping[str, Any], *names: str) -> int:
    for name in names:
        found = data.get(name)
        # True is an int, and infinity has none.
        if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < math.inf:
            return int(found)
    return 0
