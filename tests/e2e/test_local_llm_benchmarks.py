"""The benchmarks of the model on this machine run on the real small model; how fast anything is, is never tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench import environment
from benchmarks.local_llm.bfcl import schema
from benchmarks.local_llm.calls import fits, right, spoken
from benchmarks.peers import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LAMP = {
    "id": "one",
    "question": [[{"role": "user", "content": "Turn on the lamp in the kitchen."}]],
    "function": [
        {
            "name": "lamp.turn_on",
            "description": "Turn on the lamp of a room.",
            "parameters": {"type": "dict", "properties": {"room": {"type": "string"}}, "required": ["room"]},
        }
    ],
    "ground_truth": [{"lamp.turn_on": {"room": ["kitchen", "the kitchen"]}}],
}


def run(output: Path, scenario: str, *more: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.local_llm", "--quick", "--only", scenario, "--output", str(output)]
    done = subprocess.run(
        [*command, *more],
        cwd=ROOT,
        env=environment() | {"BENCH_PEER_PYTHON": "no-peers-here"},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "smolagents is not installed" in done.stdout
    found = json.loads(output.read_text())
    assert found["quick"] is True
    assert found["machine"]["versions"].keys() >= {"torch", "transformers", "numba"}
    rows = {row["name"]: row for row in found["rows"]}
    # The table folds long names, never their first word.
    assert all(name.split()[0] in done.stdout for name in rows)
    return rows


def test_a_grammar_is_measured_against_a_token(tmp_path: Path) -> None:
    rows = run(tmp_path / "found.json", "mask")
    token, mask = rows["a token"]["values"]["auto"], rows["the grammar, for each token that is picked"]
    assert mask["bars"][0]["ratio"] == pytest.approx(mask["values"]["auto"] / token)
    assert 0 < rows["tokens of a call that need no choice"]["values"]["auto"] < 100


def test_calls_under_a_grammar_are_counted_beside_free_ones(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "lamps.jsonl").write_text(json.dumps(LAMP) + "\n")
    rows = run(tmp_path / "found.json", "skill_calls", "--bfcl", str(folder))
    assert rows["own prompts: valid, of the calls"]["values"]["auto"] == 100
    lamps = rows["lamps: name right"]
    assert lamps["unit"] == "% of 1"
    assert lamps["values"].keys() == {"auto", "free"}


def test_types_of_the_leaderboard_become_those_of_json_schema() -> None:
    theirs = {
        "type": "dict",
        "properties": {"at": {"type": "tuple", "items": {"type": "float"}}, "it": {"type": "any"}},
    }
    ours = schema(theirs)
    assert ours == {"type": "object", "properties": {"at": {"type": "array", "items": {"type": "number"}}, "it": {}}}
    assert fits({"at": [1, 2.5]}, ours)
    assert not fits({"at": [1, True]}, ours)
    assert not fits({"at": "1, 2.5"}, ours)


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([("weather", {"city": "new york"})], (True, True)),
        ([("weather", {"city": "N.Y.C.", "unit": "Celsius"})], (True, True)),
        ([("weather", {"city": "New York", "unit": "kelvin"})], (True, False)),
        ([("weather", {"city": "Paris"})], (True, False)),
        ([("weather", {})], (True, False)),
        ([("weather", {"city": "New York", "day": "today"})], (True, False)),
        ([("news", {"city": "New York"})], (False, False)),
        ([("weather", {"city": "New York"})] * 2, (True, False)),
        ([], (False, False)),
    ],
)
def test_a_call_is_right_when_every_argument_has_an_accepted_value(calls, found) -> None:
    wanted = [{"weather": {"city": ["New York", "NYC"], "unit": ["celsius", ""]}}]
    assert right([{"name": name, "arguments": json.dumps(values)} for name, values in calls], wanted) == found


def test_free_text_gives_the_calls_that_it_holds() -> None:
    text = 'Sure! {oh} <tool_call>\n{"name": "a", "arguments": {"x": {"name": "b"}}}\n</tool_call> {"name": "c"}'
    assert spoken(text) == [{"name": "a", "arguments": '{"x": {"name": "b"}}'}, {"name": "c", "arguments": "{}"}]
