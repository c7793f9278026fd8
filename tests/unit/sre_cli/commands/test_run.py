"""`sre run` prints the reply of an agent, and nothing but the reply."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sre_cli.main import cli
from tests.unit.sre_cli.files import echoing, write


def test_the_reply_is_printed(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py:agent", "Hello there"])
    assert (result.exit_code, result.stdout) == (0, "Hello there\n"), result.output


def test_skills_are_shown_aside(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py", 'call add {"a": 1, "b": 2}'])
    assert (result.exit_code, result.stdout) == (0, "3\n"), result.output
    assert "→ add" in result.stderr
    assert "← 3" in result.stderr


@pytest.mark.parametrize("prompt", [[], ["-"]])
def test_the_prompt_may_come_from_standard_input(project: Path, prompt: list[str]) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py", *prompt], input="From a pipe\n")
    assert (result.exit_code, result.stdout) == (0, "From a pipe\n"), result.output


def test_an_empty_prompt_is_a_wrong_usage(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py"], input="\n")
    assert result.exit_code == 2
    assert "The prompt is empty" in result.stderr


def test_json_gives_every_event_on_a_line(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py", 'call add {"a": 1, "b": 2}', "--json"])
    events = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    assert {"skill_called", "skill_returned", "text_delta", "usage_reported"} <= set(kinds)
    assert len({event["run_id"] for event in events}) == 1
    assert events[-1]["text"] == "3"


def test_a_model_can_be_chosen_for_one_run(project: Path) -> None:
    (project / "sre.toml").write_text("")
    result = CliRunner().invoke(cli, ["run", "agent.py", "Hi", "--model", "echo"])
    assert (result.exit_code, result.stdout) == (0, "Hi\n"), result.output


def test_an_unknown_model_is_said_with_its_name(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py", "Hi", "--model", "echo/loud"])
    assert result.exit_code == 5
    assert "'loud'" in result.stderr
    assert result.stdout == ""


def test_a_model_that_takes_no_files_says_so(project: Path) -> None:
    (project / "cat.png").write_bytes(b"meow")
    result = CliRunner().invoke(cli, ["run", "agent.py", "What is it?", "--file", "cat.png"])
    assert result.exit_code == 5
    assert "does not support" in result.stderr


def test_a_file_that_is_not_there_is_a_wrong_usage(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py", "What is it?", "--file", "no.png"])
    assert result.exit_code == 2
    assert "no.png" in result.stderr


def test_an_agent_that_is_not_there_is_a_wrong_usage(project: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py:other", "Hi"])
    assert result.exit_code == 2
    assert "agent.py:agent" in result.stderr


def test_a_broken_configuration_exits_with_three(project: Path) -> None:
    (project / "sre.toml").write_text("modell = 'echo'\n")
    result = CliRunner().invoke(cli, ["run", "agent.py", "Hi"])
    assert result.exit_code == 3
    assert "did you mean 'model'?" in result.stderr


def test_a_denied_access_exits_with_four(project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write('[access]\nllm = { "user:ann" = "read" }\n')
    result = CliRunner().invoke(cli, ["run", "agent.py", "Hi"])
    assert result.exit_code == 4
    assert "agent:tester may not read" in result.stderr
    assert "Hint: " in result.stderr


def test_a_limit_exits_with_one(project: Path) -> None:
    source = (project / "agent.py").read_text()
    source = source.replace("Agent\n", "Agent, Limits\n").replace('id="tester"', 'id="tester", limits=Limits(turns=1)')
    (project / "agent.py").write_text(source)
    result = CliRunner().invoke(cli, ["run", "agent.py", 'call add {"a": 1, "b": 2}'])
    assert result.exit_code == 1
    assert "Error: " in result.stderr


def test_a_workflow_answers_by_its_endpoint_and_its_steps_are_kept_from_the_terminal(project: Path) -> None:
    write(project, echoing())
    prompt = 'call ask {"a": 1}'
    result = CliRunner().invoke(cli, ["run", "agent.smyth", prompt])
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"a": 1, "b": "-"}), result.output
    assert len(result.stderr.splitlines()) == 2
    result = CliRunner().invoke(cli, ["run", "agent.smyth", prompt, "--json"])
    events = [json.loads(line) for line in result.stdout.splitlines()]
    steps = [(event["type"], event["node_id"]) for event in events if event["type"].startswith("step_")]
    assert steps == [("step_started", "IN"), ("step_finished", "IN"), ("step_started", "OUT"), ("step_finished", "OUT")]
    kinds = [event["type"] for event in events]
    assert kinds.index("skill_called") < kinds.index("step_started") < kinds.index("skill_returned")


def test_text_of_a_node_that_passes_through_is_a_part_of_the_reply(project: Path) -> None:
    content = echoing()
    content["components"][1] = {
        "id": "SAY",
        "name": "GenAILLM",
        "title": "Say",
        "data": {"model": "Echo", "prompt": "said {{Input}}", "passthrough": True},
        "inputs": [{"name": "Input", "type": "Any"}],
        "outputs": [{"name": "Reply", "default": True}],
    }
    content["connections"] = [{"sourceId": "IN", "sourceIndex": 1, "targetId": "SAY", "targetIndex": 0}]
    write(project, content)
    result = CliRunner().invoke(cli, ["run", "agent.smyth", 'call ask {"a": 1}'])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("said 1")


def test_a_runtime_that_the_file_gives_its_agent_is_opened(project: Path) -> None:
    made = "from sre_sdk import Agent, Runtime\n\nagent = Agent('Own', runtime=Runtime())\n\n\n"
    (project / "own.py").write_text(f"{made}@agent.skill\ndef one() -> int:\n    return 1\n")
    for words, said in ((["run", "own.py", "Hello"], "Hello\n"), (["call", "own.py", "one"], "1\n")):
        result = CliRunner().invoke(cli, words)
        assert (result.exit_code, result.stdout) == (0, said), result.output
        # Imported anew for the next command, as each process does.
        del sys.modules["own"]
    result = CliRunner().invoke(cli, ["chat", "own.py"], input="Hello\nAgain\n")
    assert (result.exit_code, result.stdout) == (0, "Hello\nAgain\n"), result.output
