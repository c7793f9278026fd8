"""The benchmarks of connectors run and say what they found; how fast anything is, is never tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench import environment
from benchmarks.peers import ROOT
from sre_core.testing.servers import need_package

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def run(output: Path, scenario: str, **variables: str) -> tuple[str, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.connectors", "--quick", "--only", scenario, "--output", str(output)],
        cwd=ROOT,
        env=environment() | variables,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout, json.loads(output.read_text())["rows"]


def test_a_connector_is_measured_beside_its_bare_client(tmp_path: Path) -> None:
    need_package("sre_openai", hint="`make install` brings it")
    printed, (rate, cost, in_runtime, _) = run(tmp_path / "found.json", "openai")
    assert "openai: short reply" in printed
    assert (rate["unit"], cost["unit"]) == ("calls/s", "CPU ms")
    assert rate["samples"].keys() == {"ours", "bare", "openai package"}
    assert all(sample > 0 for samples in rate["samples"].values() for sample in samples)
    bar = rate["bars"][0]
    assert (bar["against"], bar["bar"], bar["at_least"]) == ("bare", 0.85, True)
    assert bar["bar_reached"] is (bar["ratio"] >= 0.85)
    assert [bar["bar"] for bar in (*rate["bars"][1:], *cost["bars"], *in_runtime["bars"])] == [None] * 4


def test_a_server_that_is_not_installed_is_told_and_ends_nothing(tmp_path: Path) -> None:
    printed, (row,) = run(tmp_path / "found.json", "redis", PATH=str(tmp_path))
    assert "redis: not measured: the server 'redis-server' is not installed" in printed
    assert row["samples"] == {}
    assert row["bars"][0]["ratio"] is row["bars"][0]["bar_reached"] is None
    assert "redis-server" in row["bars"][0]["note"]
