"""Processes that do what one JSON line tells them, and answer with another: each side of a comparison is one."""

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.peers import ROOT

__all__ = ["Workers", "environment"]

Answer = dict[str, Any]


class Workers:
    """The processes of a scenario, by the name of their side, while the block lasts."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start(
        self, side: str, python: str | Path, module: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a process that answers for `side`; `wait` until it has loaded before asking it anything."""
        process = subprocess.Popen(
            [str(python), "-m", module, *arguments],
            cwd=ROOT,
            env=environment() | dict(variables or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(_end, process)
        self._processes[side] = process
        return process

    def wait(self) -> None:
        """Until all have loaded: else the one that is asked first would work while the others still load."""
        for side, process in self._processes.items():
            _read(side, process)

    def ask(self, job: str, *, first: int = 0, **options: object) -> dict[str, Answer]:
        """One round: each side does the job, one after the other, beginning with side number `first`."""
        sides = list(self._processes)
        first %= len(sides)
        return {side: self.ask_one(side, job, **options) for side in sides[first:] + sides[:first]}

    def ask_one(self, side: str, job: str, **options: object) -> Answer:
        """Let one side do a job."""
        process = self._processes[side]
        assert process.stdin is not None
        process.stdin.write(json.dumps({"job": job, **options}) + "\n")
        process.stdin.flush()
        return _read(side, process)


def _read(side: str, process: subprocess.Popen[str]) -> Answer:
    assert process.stdout is not None
    for line in process.stdout:
        # Some libraries write to standard output, too.
        if line.startswith("{"):
            answer: Answer = json.loads(line)
            return answer
    raise SystemExit(f"the side {side!r} broke; its own words are above")


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    with process:
        process.wait()


def environment() -> dict[str, str]:
    """Ours, without settings of the runtime: the user's configuration must not decide over the results."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "PYTEST_", "COV_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "AGNO_TELEMETRY": "false"}
