"""A trace: all that happened in one call, as a JSON file."""

import json
import time
from pathlib import Path
from typing import Any

import click

from sre_cli.job_ends import JobEnds
from sre_core.events import Event

__all__ = ["Trace", "check_place"]


class Trace:
    """Collects events; `write` puts them into a file, with what came of the call."""

    def __init__(self, agent: str, skill: str, arguments: Any) -> None:
        self._head = {"agent": agent, "skill": skill, "arguments": arguments, "time": time.time()}
        self._started = time.perf_counter()
        self._events: list[Event] = []
        self.result: Any = None
        self.error: str | None = None
        self.failures: list[str] = []
        self.waiting: list[str] = []
        self.jobs = JobEnds()

    async def hear(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)
        await self.jobs.hear(event)

    def write(self, path: Path) -> None:
        """Write the file. Raises OSError."""
        end = {
            "seconds": time.perf_counter() - self._started,
            "result": self.result,
            "error": self.error,
            "failures": [*self.failures, *self.jobs.failures],
            "waiting": [*self.waiting, *self.jobs.waiting],
        }
        document = {**self._head, **end, "events": [event.to_dict() for event in self._events]}
        text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
        # A model or a skill may give half of a surrogate pair, which no encoding has.
        path.write_text(text + "\n", encoding="utf-8", errors="replace")


def check_place(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """Refuse, before anything is called, a file that cannot be written. A callback of click."""
    if path is not None and not path.absolute().parent.is_dir():
        raise click.BadParameter(f"No such folder: {str(path.parent)!r}.", context, option)
    return path
