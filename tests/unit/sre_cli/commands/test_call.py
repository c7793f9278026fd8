"""`sre call` calls one skill, prints what it returns, and keeps a trace if it is told to."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli
from tests.unit.sre_cli.files import (
    echoing,
    failing,
    failing_job,
    half_waiting,
    hooked,
    jobs,
    prompting,
    write,
)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["call", *arguments])


def test_the_result_of_an_endpoint_is_printed_as_json(project: Path) -> None:
    write(project, echoing())
    result = call("agent.smyth", "ask", "a=[1, 2]", "b=x=y z")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"a": [1, 2], "b": "x=y z"}
    assert result.stderr == ""


def test_a_skill_in_python_is_called_too(project: Path) -> None:
    result = call("agent.py", "add", "a=1", "b=2")
    assert (result.exit_code, result.stdout) == (0, "3\n"), result.output


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ('return "plain  text"', "plain  text\n"),
        ("return None", "null\n"),
        ("return {1, }", "[\n  1\n]\n"),
        ("return Point(1, 2)", '{\n  "x": 1,\n  "y": 2\n}\n'),
        ('return b"\\xff\\x00"', '"_wA="\n'),
    ],
)
def test_what_a_skill_returns_is_text_as_it_is_and_else_json(project: Path, body: str, wanted: str) -> None:
    (project / "agent.py").write_text(
        "from dataclasses import dataclass\nfrom sre_sdk import Agent\nagent = Agent('x')\n"
        "@dataclass\nclass Point:\n    x: int\n    y: int\n"
        f"@agent.skill\ndef show():\n    '''Show.'''\n    {body}\n"
    )
    result = call("agent.py", "show")
    assert (result.exit_code, result.stdout) == (0, wanted), result.output


@pytest.mark.parametrize("exposed", [True, False])
def test_a_text_stays_text_also_for_a_skill_that_no_model_is_shown(project: Path, exposed: bool) -> None:
    write(project, echoing("String", ai_exposed=exposed))
    assert json.loads(call("agent.smyth", "ask", "a=007").stdout) == {"a": "007", "b": "-"}
    assert json.loads(call("agent.smyth", "ask", "a=7").stdout) == {"a": "7", "b": "-"}


def test_arguments_come_as_a_json_object_and_words_go_before_it(project: Path) -> None:
    write(project, echoing())
    result = call("agent.smyth", "ask", "b=2", "--arguments", '{"a": {"x": null}, "b": 1}')
    assert json.loads(result.stdout) == {"a": {"x": None}, "b": 2}


def test_a_file_is_an_argument(project: Path) -> None:
    write(project, echoing("Binary"))
    (project / "notes.txt").write_text("hello")
    result = call("agent.smyth", "ask", "--file", "a=notes.txt")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["a"]["size"] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.smyth", "ask"], "No such file: 'nothing.smyth'"),
        (["agent.smyth:ask", "ask"], "A .smyth file has one agent"),
        (["agent.smyth"], "Missing argument 'SKILL'"),
        (["agent.smyth", "ask", "a"], "written as NAME=VALUE"),
        (["agent.smyth", "ask", "a=1", "a=2"], "given twice"),
        (["agent.smyth", "ask", "--file", "a=nothing.txt"], "No such file: 'nothing.txt'"),
        (["agent.smyth", "ask", "--arguments", "{"], "no JSON"),
        (["agent.smyth", "ask", os.fsdecode(b"a=\xff")], "not UTF-8"),
        (["agent.smyth", "ask", "a=1", "--trace", "nowhere/out.json"], "No such folder: 'nowhere'"),
        (["agent.smyth", "ask", "a=1", "--trace", "."], "is a directory"),
    ],
)
def test_a_wrong_usage_exits_with_two(project: Path, arguments: list[str], message: str) -> None:
    write(project, echoing())
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_an_unknown_skill_and_a_failed_one_exit_with_one(project: Path) -> None:
    write(project, echoing())
    result = call("agent.smyth", "aks", "a=1")
    assert result.exit_code == 1
    assert "agent 'echoer' has no skill 'aks'" in result.stderr
    assert "its skills: ask" in result.stderr
    write(project, failing())
    result = call("agent.smyth", "ask", "a=1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no component 'NoSuchThing' is installed" in result.stderr


def test_a_broken_file_exits_with_one_and_says_how_to_see_more(project: Path) -> None:
    (project / "agent.smyth").write_text("{")
    result = call("agent.smyth", "ask")
    assert result.exit_code == 1
    assert "sre validate" in result.stderr


def test_a_trace_has_the_steps_and_the_result(project: Path) -> None:
    write(project, echoing())
    assert call("agent.smyth", "ask", "a=1", "--trace", "out.json").exit_code == 0
    trace = json.loads((project / "out.json").read_text())
    assert (trace["agent"], trace["skill"], trace["arguments"]) == ("echoer", "ask", {"a": 1})
    assert (trace["result"], trace["error"]) == ({"a": 1, "b": "-"}, None)
    steps = [event for event in trace["events"] if event["type"].startswith("step_")]
    assert [(event["type"], event["node_id"]) for event in steps] == [
        ("step_started", "IN"),
        ("step_finished", "IN"),
        ("step_started", "OUT"),
        ("step_finished", "OUT"),
    ]
    assert steps[2]["inputs"] == {"a": 1, "b": "-"}


def test_a_trace_is_written_of_a_call_that_failed(project: Path) -> None:
    write(project, failing())
    assert call("agent.smyth", "ask", "a=1", "--trace", "out.json").exit_code == 1
    trace = json.loads((project / "out.json").read_text())
    assert "NoSuchThing" in trace["error"]
    assert trace["result"] is None
    assert [event["error"] != "" for event in trace["events"] if event["type"] == "step_finished"] == [False, True]


def test_a_trace_has_the_steps_of_jobs_that_ended_after_the_result(project: Path) -> None:
    write(project, jobs())
    result = call("agent.smyth", "ask", "a=x", "--trace", "out.json")
    assert result.exit_code == 0, result.output
    trace = json.loads((project / "out.json").read_text())
    assert json.loads(result.stdout) == trace["result"]
    ended = [event["node_id"] for event in trace["events"] if event["type"] == "step_finished"]
    assert set(ended) == {"IN", "JOB", "OUT", "HASH"}


def test_what_failed_in_a_job_is_named_aside_once_and_in_the_trace(project: Path) -> None:
    write(project, failing_job())
    result = call("agent.smyth", "ask", "a=x", "--trace", "out.json")
    assert result.exit_code == 0, result.output
    (id_,) = json.loads(result.stdout).values()
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Job {id_}: Hash\\x1b[2J (HASH): ")
    assert "NoSuchThing" in line
    (failure,) = json.loads((project / "out.json").read_text())["failures"]
    assert failure.startswith(f"Job {id_}: Hash\x1b[2J (HASH): ")


def test_what_failed_in_a_job_is_named_without_a_trace_too(project: Path) -> None:
    write(project, failing_job())
    result = call("agent.smyth", "ask", "a=x")
    assert result.exit_code == 0, result.output
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        f"Job {id_}" for id_ in json.loads(result.stdout).values()
    ]


def test_the_log_of_debug_has_the_failure_of_a_job_too(project: Path) -> None:
    write(project, failing_job())
    assert "job_failed" in call("agent.smyth", "ask", "a=x", "--debug").stderr


def test_a_trigger_is_run_by_its_name(project: Path) -> None:
    write(project, hooked())
    result = call("agent.smyth", "hook", "x=1", "y=b")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"got": {"x": 1, "y": "b"}}
    assert result.stderr == ""


def test_a_trigger_that_refuses_what_is_not_signed_fails(project: Path) -> None:
    write(project, hooked(secret="abc"))
    result = call("agent.smyth", "hook", "x=1")
    assert result.exit_code == 1
    assert "'hook' failed: Hook (HOOK): " in result.stderr


def test_a_model_takes_the_place_of_one_that_the_file_names(project: Path) -> None:
    write(project, prompting("gpt-4o"))
    assert "gpt-4o" in call("agent.smyth", "ask", "a=hi").stderr
    for models in (["gpt-4o=echo"], ["*=echo"], ["other=nothing", "gpt-4o=echo"]):
        words = [word for model in models for word in ("--models", model)]
        result = call("agent.smyth", "ask", "a=hi", *words)
        assert json.loads(result.stdout)["result"] == {"Reply": "Say hi"}, result.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["agent.py", "add", "--models", "a=b"], "is for .smyth files"),
        (["agent.smyth", "ask", "--models", "a"], "NAME"),
    ],
)
def test_models_that_cannot_be_replaced_are_wrong_usage(project: Path, words: list[str], problem: str) -> None:
    write(project, prompting("gpt-4o"))
    result = call(*words)
    assert result.exit_code == 2
    assert problem in result.stderr


@pytest.mark.parametrize("target", ["agent.smyth", "agent.py", "agent.py:agent"])
def test_a_trace_does_not_take_the_place_of_the_agent(project: Path, target: str) -> None:
    write(project, echoing())
    path = project / target.removesuffix(":agent")
    before = path.read_bytes()
    result = call(target, "add", "a=1", "b=2", "--trace", str(path))
    assert result.exit_code == 2
    assert "is a file that is read here" in result.stderr
    assert path.read_bytes() == before


def test_a_trace_does_not_take_the_place_of_an_argument(project: Path) -> None:
    write(project, echoing("Binary"))
    (project / "notes.txt").write_text("hello")
    assert call("agent.smyth", "ask", "--file", "a=notes.txt", "--trace", "notes.txt").exit_code == 2
    assert (project / "notes.txt").read_text() == "hello"


def test_nodes_that_wait_are_named_aside_and_in_the_trace(project: Path) -> None:
    write(project, half_waiting())
    result = call("agent.smyth", "ask", "a=1", "--trace", "out.json")
    assert result.exit_code == 0, result.output
    assert "LATE" not in result.stdout
    assert result.stderr == "Late\\x1b[2J (LATE) waits for 'b' from Broken (NoSuchThing BAD)\n"
    trace = json.loads((project / "out.json").read_text())
    assert trace["waiting"] == ["Late\x1b[2J (LATE) waits for 'b' from Broken (NoSuchThing BAD)"]
    assert [text.partition(":")[0] for text in trace["failures"]] == ["Broken (BAD)"]


def test_a_misspelt_argument_is_named_aside(project: Path) -> None:
    write(project, echoing())
    result = call("agent.smyth", "ask", "a=1", "B=2", "c\x1b[2J=3")
    assert json.loads(result.stdout) == {"a": 1, "b": "-"}
    assert result.stderr.splitlines() == [
        "Nothing in 'ask' takes the argument 'B'; its inputs: a, b",
        "Nothing in 'ask' takes the argument 'c\\x1b[2J'; its inputs: a, b",
    ]


def test_a_call_that_failed_keeps_its_failures_in_the_trace(project: Path) -> None:
    write(project, failing())
    assert call("agent.smyth", "ask", "a=1", "--trace", "out.json").exit_code == 1
    trace = json.loads((project / "out.json").read_text())
    assert "NoSuchThing" in trace["failures"][0]
    assert trace["waiting"] == []


def test_a_function_in_the_place_of_an_endpoint_is_what_is_called(project: Path) -> None:
    write(project, echoing())
    (project / "agent.py").write_text(
        "from sre_sdk import Agent\nagent = Agent.load('agent.smyth')\nagent.remove_skill('ask')\n"
        "@agent.skill\ndef ask(a: str):\n    'Ask.'\n    return f'function {a}'\n"
    )
    assert call("agent.py", "ask", "a=1").stdout == "function 1\n"
    (project / "agent.py").write_text(
        "from sre_sdk import Agent\nagent = Agent.load('agent.smyth')\nagent.remove_skill('ask')\n"
    )
    result = call("agent.py", "ask", "a=1")
    assert result.exit_code == 1
    assert "has no skill 'ask'" in result.stderr
