"""What scenarios work with: how long to measure, the sides as processes, and the stub server."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.peers import ROOT, peer_python

__all__ = ["Bench", "Sides", "environment", "run_once"]


class Bench:
    """One run of the benchmarks. `quick` takes few samples: enough to see that all works, not to judge."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.peer = peer_python()

    def count(self, many: int) -> int:
        """How often to repeat something."""
        return max(1, many // 20) if self.quick else many

    def sides(self) -> "Sides":
        """The sides, each in a process of its own, for one scenario."""
        return Sides(self.peer)

    def rounds(self, job: str, *, count: int, rounds: int, fresh: bool = False) -> dict[str, list[dict[str, float]]]:
        """Let all sides do a job in turns; what each of them found in each round.

        With `fresh` each round starts new processes, for what can be measured once only.
        """
        found: dict[str, list[dict[str, float]]] = {}
        for start in range(rounds if fresh else 1):
            with self.sides() as sides:
                if not fresh:
                    sides.ask(job, max(1, count // 5))
                for turn in range(1 if fresh else rounds):
                    for side, answer in sides.ask(job, count, first=start + turn).items():
                        found.setdefault(side, []).append(answer)
        return found


class Sides:
    """The stub server and one process per side, while the block lasts."""

    def __init__(self, peer: Path | None) -> None:
        self._peer = peer
        self._stack = ExitStack()
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        server = self._start("server", Path(sys.executable), "benchmarks.stub_server")
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        modules = {"ours": (sys.executable, "benchmarks.sides.ours"), "bare": (sys.executable, "benchmarks.sides.bare")}
        if self._peer is not None:
            modules["agno"] = (str(self._peer), "benchmarks.sides.with_agno")
        for side, (python, module) in modules.items():
            self._processes[side] = self._start(side, Path(python), module, url)
        # Else the side that is asked first would work while the others still load.
        for side, process in self._processes.items():
            _read(side, process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def ask(self, job: str, count: int, *, first: int = 0) -> dict[str, dict[str, float]]:
        """One round: each side does the job, one after the other, beginning with side number `first`."""
        sides = list(self._processes)
        first %= len(sides)
        return {side: self._ask(side, self._processes[side], job, count) for side in sides[first:] + sides[:first]}

    def _ask(self, side: str, process: subprocess.Popen[str], job: str, count: int) -> dict[str, float]:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"job": job, "count": count}) + "\n")
        process.stdin.flush()
        return _read(side, process)

    def _start(self, name: str, python: Path, module: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(python), "-m", module, *arguments],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(_end, process)
        return process


def _read(side: str, process: subprocess.Popen[str]) -> dict[str, float]:
    assert process.stdout is not None
    for line in process.stdout:
        # Some libraries write to standard output, too.
        if line.startswith("{"):
            answer: dict[str, float] = json.loads(line)
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


def run_once(command: Sequence[str]) -> dict[str, float]:
    """Run a command to its end; its CPU and wall time, in seconds. Raises CalledProcessError."""
    probe = (
        "import resource, subprocess, sys, time; began = time.perf_counter();"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); wall = time.perf_counter() - began;"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, wall)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", probe, *command],
        cwd=ROOT,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    cpu, wall = done.stdout.split()
    return {"cpu": float(cpu), "wall": float(wall)}
