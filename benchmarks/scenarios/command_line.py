"""`sre --help` and `sre --version`, against an interpreter that imports click."""

import sys
import sysconfig
from pathlib import Path

from benchmarks.bench import Bench, run_once
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]


def measure(bench: Bench) -> list[Row]:
    """CPU time of whole processes, in turns."""
    sre = Path(sysconfig.get_path("scripts")) / "sre"
    rows = []
    for option in ("--help", "--version"):
        samples: dict[str, list[float]] = {"ours": [], "bare": []}
        commands = {"ours": [str(sre), option], "bare": [sys.executable, "-c", "import click"]}
        for _ in range(bench.count(20)):
            for side, command in commands.items():
                samples[side].append(run_once(command)["cpu"] * 1e3)
        bar = Bar(against="import click", ratio=ratio(samples, "ours", "bare"), bar=2.5)
        rows.append(Row(name=f"sre {option}", unit="CPU ms", samples=samples, bars=(bar,)))
    return rows
