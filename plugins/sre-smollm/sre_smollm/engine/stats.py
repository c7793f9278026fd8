"""What an engine has done so far, in numbers."""

from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Counters", "EngineStats"]


@dataclass(slots=True, kw_only=True)
class Counters:
    """Counts that only go up. The engine's thread writes, anyone may read."""

    steps: int = 0
    rows: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    forced_tokens: int = 0
    hits: int = 0
    misses: int = 0
    preemptions: int = 0
    shrinks: int = 0

    def values(self) -> dict[str, Any]:
        """All counts by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStats:
    """One look at an engine.

    `waiting` and `running` count jobs, `kept` and `kept_bytes` what the prefix cache holds, `live_bytes` what
    sequences at work hold. The rest counts since the start: `steps` of the network with `rows` in all,
    `prompt_tokens` that were given, of which `cached_tokens` were not computed, `written_tokens`, of which
    `forced_tokens` had no alternative; sequences that began with a known prefix (`hits`) or without (`misses`);
    `evictions` from the prefix cache, `preemptions` of sequences at work, and `shrinks` for want of memory.
    """

    loaded: bool = False
    waiting: int = 0
    running: int = 0
    kept: int = 0
    kept_bytes: int = 0
    live_bytes: int = 0
    steps: int = 0
    rows: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    forced_tokens: int = 0
    hits: int = 0
    misses: int = 0
    evictions: int = 0
    preemptions: int = 0
    shrinks: int = 0
