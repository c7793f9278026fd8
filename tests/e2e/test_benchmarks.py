"""The benchmarks run and say what they found; how fast anything is, is never tested."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bench import environment
from benchmarks.peers import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def run(output: Path, scenario: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", scenario, "--output", str(output)],
        cwd=ROOT,
        env=environment() | {"BENCH_PEER_PYTHON": "no-peers-here"},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout


def test_the_cost_of_the_guard_is_measured_printed_and_saved(tmp_path: Path) -> None:
    printed = run(tmp_path / "found.json", "guard_cost")
    assert "guarded cache read" in printed
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["quick"] is True
    assert found["machine"].keys() >= {"system", "cores", "python", "load", "versions"}
    row = found["rows"][0]
    assert (row["name"], row["unit"]) == ("guarded cache read", "CPU µs")
    assert row["values"]["ours"] > row["values"]["bare"] > 0
    assert row["bars"][0].keys() >= {"against", "ratio", "bar", "bar_reached", "goal", "goal_reached"}


def test_a_turn_is_measured_beside_a_bare_client(tmp_path: Path) -> None:
    printed = run(tmp_path / "found.json", "skill_turn")
    assert "No peers are installed" in printed
    row = json.loads((tmp_path / "found.json").read_text())["rows"][0]
    assert row["samples"].keys() == {"ours", "bare"}
    assert all(sample > 0 for samples in row["samples"].values() for sample in samples)
    against = {bar["against"]: bar for bar in row["bars"]}
    assert against["bare"]["ratio"] > 0
    assert against["agno"]["ratio"] is against["agno"]["bar_reached"] is None
