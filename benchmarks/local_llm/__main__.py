"""`python -m benchmarks.local_llm`: run the scenarios, print their ratios, save the results."""

import argparse
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks import peers, report
from benchmarks.local_llm.setting import SIDES, Setting
from benchmarks.result import Row

__all__ = ["SCENARIOS", "main"]

SCENARIOS = (
    "speed",
    "cold_start",
    "perplexity",
    "agent_run",
    "crowd",
    "together",
    "neighbour",
    "mask",
    "skill_calls",
)
_LATEST = report.LATEST.with_name("local_llm_latest.json")
_PACKAGES = ("torch", "transformers", "llguidance", "numba", "numpy")
_PEERS = ("smolagents", "llama-cpp-python", "torch", "transformers")


def main() -> None:
    """Read the command line and do what it asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_llm", description=__doc__)
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="few, small samples: shows that it works, judges nothing")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often the sides take turns, in each scenario")
    parser.add_argument("--model", default="smollm2-135m", help="a model that the connector takes")
    parser.add_argument("--bfcl", type=Path, metavar="FOLDER", help="samples in the Berkeley leaderboard's format")
    parser.add_argument("--peers", action="store_true", help=f"first install the peers into {peers.FOLDER.name}/")
    parser.add_argument("--output", type=Path, default=_LATEST, help="where the JSON goes")
    chosen = parser.parse_args()
    console = Console(width=185)
    if chosen.peers:
        peers.install(peers.LOCAL_PACKAGES)
    setting = Setting(quick=chosen.quick, turns=chosen.rounds, model=chosen.model, calls=chosen.bfcl)
    for name, python in (("smolagents", setting.smolagents), ("llama.cpp", setting.llamacpp)):
        if python is None:
            console.print(f"{name} is not installed, and not measured; benchmarks/README.md says how to install it.")
    peer = setting.smolagents or setting.llamacpp
    rows: list[Row] = []
    for name in chosen.only or SCENARIOS:
        console.print(f"[dim]{name} …[/dim]")
        rows += import_module(f"benchmarks.local_llm.scenarios.{name}").measure(setting)
        # A run takes long, and what was found must not be lost when a later scenario breaks.
        report.save(rows, chosen.output, quick=chosen.quick, peer=peer, packages=_PACKAGES, peers=_PEERS)
    report.show(rows, console, sides=SIDES)
    console.print(f"Saved to {chosen.output}")


if __name__ == "__main__":
    main()
