"""`python -m benchmarks`: run the scenarios, print their ratios, save the results."""

import argparse
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks import peers, report
from benchmarks.bench import Bench
from benchmarks.result import Row

__all__ = ["SCENARIOS", "main"]

SCENARIOS = (
    "cold_start",
    "command_line",
    "prompt_turn",
    "skill_turn",
    "stream_first_text",
    "history_500",
    "concurrent_1000",
    "idle_agent",
    "guard_cost",
    "vector_query",
    "graph_engine",
)


def main() -> None:
    """Read the command line and do what it asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="few samples: shows that it works, judges nothing")
    parser.add_argument("--peers", action="store_true", help=f"first install the peers into {peers.FOLDER.name}/")
    parser.add_argument("--output", type=Path, default=report.LATEST, help="where the JSON goes")
    chosen = parser.parse_args()
    console = Console(width=130)
    if chosen.peers:
        peers.install()
    bench = Bench(quick=chosen.quick)
    if bench.peer is None:
        console.print("No peers are installed; `python -m benchmarks --peers` installs and measures them.")
    rows: list[Row] = []
    for name in chosen.only or SCENARIOS:
        console.print(f"[dim]{name} …[/dim]")
        rows += import_module(f"benchmarks.scenarios.{name}").measure(bench)
    report.show(rows, console)
    report.save(rows, chosen.output, quick=chosen.quick, peer=bench.peer)
    console.print(f"Saved to {chosen.output}")


if __name__ == "__main__":
    main()
