"""`sre debug` without a terminal: each step, what is set in place of running, and the end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli
from tests.unit.sre_cli.files import (
    awaited,
    echoing,
    failing,
    failing_job,
    half_waiting,
    jobs,
    looping,
    prompting,
    write,
)


def debug(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["debug", *arguments])


def test_each_node_is_shown_aside_and_the_result_is_printed(project: Path) -> None:
    write(project, echoing())
    result = debug("agent.smyth", "ask", "a=1")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"a": 1, "b": "-"}
    assert [line.split()[1] for line in result.stderr.splitlines()] == ["Ask", "Answer"]


def test_json_is_a_line_for_each_step_and_one_for_the_end(project: Path) -> None:
    write(project, echoing("String"))
    result = debug("agent.smyth", "ask", "a=007", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("node_id") for line in lines] == ["IN", "OUT", None]
    assert lines[1]["inputs"] == {"a": "007", "b": "-"}
    assert lines[2] == {"data": {"a": "007", "b": "-"}, "failures": [], "waiting": []}
    assert result.stderr == ""


def test_an_output_is_taken_in_place_of_running(project: Path) -> None:
    write(project, echoing())
    result = debug("agent.smyth", "ask", "a=1", "--set", 'IN:body={"a": "x=y", "b": [1]}', "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0]["is_injected"]
    assert lines[-1]["data"] == {"a": "x=y", "b": [1]}


def test_arguments_come_as_json_and_as_files_too(project: Path) -> None:
    write(project, echoing("Binary"))
    (project / "notes.txt").write_text("hello")
    result = debug("agent.smyth", "ask", "--file", "a=notes.txt", "--arguments", '{"b": [1]}')
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["a"]["size"], found["b"]) == (5, [1])


def test_every_branch_is_shown(project: Path) -> None:
    content = echoing()
    hashing = [
        {
            "id": f"H{number}",
            "name": "FHash",
            "title": f"Hash {number}",
            "data": {"algorithm": "md5", "encoding": "hex"},
            "inputs": [{"name": "Data", "type": "Any"}],
            "outputs": [{"name": "Hash", "default": True}],
        }
        for number in range(4)
    ]
    entry, answer = content["components"]
    ends = [("IN", 1, f"H{number}", 0) for number in range(4)] + [(f"H{number}", 0, "OUT", 0) for number in range(4)]
    names = ("sourceId", "sourceIndex", "targetId", "targetIndex")
    answer["inputs"] = answer["inputs"][:1]
    links = [dict(zip(names, link, strict=True)) for link in ends]
    write(project, {**content, "components": [entry, *hashing, answer], "connections": links})
    result = debug("agent.smyth", "ask", "a=x", "--json")
    shown = [json.loads(line).get("node_id") for line in result.stdout.splitlines()]
    assert shown == ["IN", "H0", "H1", "H2", "H3", "OUT", None]


def test_jobs_come_to_their_end(project: Path) -> None:
    write(project, jobs())
    result = debug("agent.smyth", "ask", "a=x", "--json")
    assert result.exit_code == 0, result.output
    shown = [json.loads(line).get("node_id") for line in result.stdout.splitlines()]
    assert sorted(shown[:-1]) == ["HASH", "IN", "JOB", "OUT"]
    assert shown[-1] is None


def test_the_nodes_of_jobs_that_somebody_waits_for_are_shown_in_order_of_their_end(project: Path) -> None:
    write(project, awaited())
    result = debug("agent.smyth", "ask", "a=x")
    assert result.exit_code == 0, result.output
    shown = [line.split()[0] for line in result.stderr.splitlines()]
    assert shown == ["IN#0", "JOB#0", "JOB#0/HASH#0", "WAIT#0", "OUT#0"]


def test_what_failed_in_a_job_is_told_at_the_end(project: Path) -> None:
    write(project, failing_job())
    result = debug("agent.smyth", "ask", "a=x", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    (failure,) = json.loads(result.stdout.splitlines()[-1])["failures"]
    assert failure.startswith("Job JOB-")
    result = debug("agent.smyth", "ask", "a=x")
    assert [line for line in result.stderr.splitlines() if line.startswith("Job JOB-")]


def test_a_loop_is_shown_with_its_items_and_once_more_at_its_end(project: Path) -> None:
    write(project, looping())
    result = debug("agent.smyth", "ask", "a=[1, 2]", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    loops = [line for line in lines if line.get("node_id") == "LOOP"]
    assert [list(line["outputs"]) for line in loops] == [["items"], ["Result"]]
    assert [line["inputs"] for line in loops] == [{"Input": [1, 2]}] * 2


def test_an_output_that_a_node_does_not_have_is_refused(project: Path) -> None:
    write(project, prompting("echo"))
    result = debug("agent.smyth", "ask", "a=x", "--set", "OUT:Repl=y")
    assert result.exit_code == 1
    assert result.stderr == ("Error: Write (PromptGenerator OUT) has no output 'Repl'\nHint: did you mean 'Reply'?\n")


def test_a_node_that_fails_is_shown_with_its_error(project: Path) -> None:
    write(project, failing())
    result = debug("agent.smyth", "ask", "a=1", "--json")
    end = json.loads(result.stdout.splitlines()[-1])
    assert "NoSuchThing" in end["failures"][0]
    assert "_error" in end["data"]["result"]


def test_a_run_that_failed_exits_with_one_after_its_data(project: Path) -> None:
    write(project, failing())
    for words in ([], ["--json"]):
        result = debug("agent.smyth", "ask", "a=1", *words)
        assert result.exit_code == 1
        assert "_error" in result.stdout
        assert "Error: 'ask' failed: Broken (OUT): " in result.stderr


def test_a_node_cannot_command_the_terminal(project: Path) -> None:
    write(project, half_waiting())
    result = debug("agent.smyth", "ask", "a=1")
    assert result.exit_code == 0, result.output
    assert "Late\\x1b[2J (LATE) waits for 'b'" in result.stderr
    content = failing()
    content["components"][1]["title"] = "\x1b[2J"
    write(project, content)
    assert "\x1b" not in debug("agent.smyth", "ask", "a=1").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "OUT"], "written as NAME=VALUE"),
        (["--set", "body=1"], "written as NODE:NAME=VALUE, not 'body=1'"),
        (["--set", "IN:=1"], "written as NODE:NAME=VALUE"),
        (["--set", "XX:body=1"], "There is no node 'XX'; there is IN, OUT"),
        (["--set", "IN:body=1", "--set", "IN:body=2"], "given twice"),
    ],
)
def test_a_wrong_usage_exits_with_two(project: Path, arguments: list[str], message: str) -> None:
    write(project, echoing())
    result = debug("agent.smyth", "ask", "a=1", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_cannot_be_debugged_exits_with_one(project: Path) -> None:
    write(project, echoing())
    result = debug("agent.smyth", "aks")
    assert result.exit_code == 1
    assert "has no endpoint 'aks'" in result.stderr
    result = debug("agent.py", "add", "a=1", "b=2")
    assert result.exit_code == 1
    assert "agent 'tester' has no workflow" in result.stderr
