"""A trace: all that happened in one call, as a JSON file."""

import json
import time
from pathlib import Path
from typing import Any

from sre_core.events import Event

__all__ = ["Trace"]


class Trace:
    """Collects events; `write` puts them into a file, with what came of the call."""

    def __init__(self, agent: str, skill: str, arguments: Any) -> None:
        self._head = {"agent": agent, "skill": skill, "arguments": arguments, "time": time.time()}
        self._started = time.perf_counter()
        self._events: list[Event] = []

    async def hear(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def write(self, path: Path, *, result: Any = None, error: str | None = None) -> None:
        """Write the file. Raises OSError."""
        end = {"seconds": time.perf_counter() - self._started, "result": result, "error": error}
        document = {**self._head, **end, "events": [event.to_dict() for event in self._events]}
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
