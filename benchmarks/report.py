"""The table and the JSON file."""

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.result import Bar, Row

__all__ = ["LATEST", "save", "show"]

LATEST = Path(__file__).parent / "results" / "latest.json"
_SIDES = ("ours", "bare", "agno")


def show(rows: Sequence[Row], console: Console) -> None:
    """One line for each measure, and one for each bar."""
    table = Table(caption="ratio = ours / other, the median over rounds; a bar with ≥ is better the higher it is")
    for name in ("measure", "unit", *_SIDES):
        table.add_column(name, justify="left" if name in {"measure", "unit"} else "right")
    for name in ("ratio to", "ratio", "bar", "goal", ""):
        table.add_column(name)
    for row in rows:
        values = [_number(row.value(side)) for side in _SIDES]
        lines: list[list[str]] = [_bar(bar) for bar in row.bars] or [["", "", "", "", ""]]
        table.add_row(row.name, row.unit, *values, *lines[0])
        for line in lines[1:]:
            table.add_row("", "", "", "", "", *line)
    console.print(table)


def save(rows: Sequence[Row], path: Path, *, quick: bool, peer: Path | None) -> None:
    """Write everything that was found, the samples included."""
    data = {"quick": quick, "machine": _machine(peer), "rows": [row.to_dict() for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _bar(bar: Bar) -> list[str]:
    sign = "≥" if bar.at_least else "≤"
    limits = [f"{sign} {limit:g}" if limit is not None else "" for limit in (bar.bar, bar.goal)]
    return [bar.against, _number(bar.ratio), *limits, _verdict(bar)]


def _verdict(bar: Bar) -> str:
    if bar.ratio is None:
        return "not measured"
    if bar.reaches(bar.goal):
        return "goal"
    reached = bar.reaches(bar.bar)
    if reached is None:
        return "" if bar.goal is None else "below goal"
    return "bar" if reached else "MISSED"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _machine(peer: Path | None) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in ("aiohttp", "pydantic", "numpy")}
    if peer is not None:
        code = "import importlib.metadata as m; print(m.version('agno'))"
        done = subprocess.run([str(peer), "-c", code], check=True, capture_output=True, text=True)
        versions["agno"] = done.stdout.strip()
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": list(os.getloadavg()),
        "versions": versions,
    }
