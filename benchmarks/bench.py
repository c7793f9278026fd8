"""What scenarios work with: how long to measure, the sides as processes, and the stub server."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.peers import ROOT, peer_python
from benchmarks.workers import Workers, environment

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
        self._servers, self._sides = Workers(), Workers()

    def __enter__(self) -> Self:
        server = self._servers.start("server", sys.executable, "benchmarks.stub_server")
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        self._sides.start("ours", sys.executable, "benchmarks.sides.ours", url)
        self._sides.start("bare", sys.executable, "benchmarks.sides.bare", url)
        if self._peer is not None:
            self._sides.start("agno", self._peer, "benchmarks.sides.with_agno", url)
        self._sides.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sides.__exit__(kind, error, trace)
        self._servers.__exit__(kind, error, trace)

    def ask(self, job: str, count: int, *, first: int = 0) -> dict[str, dict[str, float]]:
        """One round: each side does the job, one after the other, beginning with side number `first`."""
        return self._sides.ask(job, first=first, count=count)


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
