"""The table and the JSON file."""

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.result import Bar, Row

__all__ = ["LATEST", "save", "show"]

LATEST = Path(__file__).parent / "results" / "latest.json"
_SIDES = ("ours", "bare", "agno")
_PACKAGES = ("aiohttp", "pydantic", "numpy")


def show(rows: Sequence[Row], console: Console, *, sides: Sequence[str] = _SIDES) -> None:
    """One line for each measure, and one for each bar; `sides` are the columns."""
    table = Table(caption="ratio = ours / other, the median over rounds; a bar with ≥ is better the higher it is")
    for name in ("measure", "unit", *sides):
        table.add_column(name, justify="left" if name in {"measure", "unit"} else "right")
    for name in ("ratio to", "ratio", "bar", "goal", ""):
        table.add_column(name)
    for row in rows:
        values = [_number(row.value(side)) for side in sides]
        lines: list[list[str]] = [_bar(bar) for bar in row.bars] or [["", "", "", "", ""]]
        table.add_row(row.name, row.unit, *values, *lines[0])
        for line in lines[1:]:
            table.add_row("", "", *("" for _ in sides), *line)
    console.print(table)


def save(
    rows: Sequence[Row],
    path: Path,
    *,
    quick: bool,
    peer: Path | None,
    packages: Sequence[str] = _PACKAGES,
    peers: Sequence[str] = ("agno",),
) -> None:
    """Write everything that was found, the samples included, and the versions of `packages` and of the `peers`."""
    machine = _machine(packages) | {"load": list(os.getloadavg())}
    if peer is not None:
        machine["versions"] |= _peer_versions(peer, peers)
    data = {"quick": quick, "machine": machine, "rows": [row.to_dict() for row in rows]}
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


def _machine(packages: Sequence[str]) -> dict[str, Any]:
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": dict(_versions(packages)),
    }


def _versions(packages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Those of the packages that are installed."""
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


def _peer_versions(peer: Path, names: Sequence[str]) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json, sys; have = {d.metadata['Name']: d.version for d in m.distributions()};"
        "print(json.dumps({name: have[name] for name in sys.argv[1:] if name in have}))"
    )
    done = subprocess.run([str(peer), "-c", code, *names], check=True, capture_output=True, text=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions
