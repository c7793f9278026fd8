"""`sre agent` takes the flags of SmythOS's command of that name."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli
from tests.unit.sre_cli.files import echoing, write


def agent(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["agent", *arguments], input=text)


@pytest.mark.parametrize("flag", ["--skill", "-s"])
def test_a_skill_is_called(project: Path, flag: str) -> None:
    write(project, echoing())
    result = agent("agent.smyth", flag, "ask", "a=1", "b=x=y")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"a": 1, "b": "x=y"}


@pytest.mark.parametrize("words", [["--prompt", "Hello"], ["-p", "Hello"], ["--prompt", "Hello", "echo"]])
def test_a_prompt_is_answered_by_the_agents_model_or_by_another(project: Path, words: list[str]) -> None:
    write(project, echoing())
    result = agent("agent.smyth", *words)
    assert (result.exit_code, result.stdout) == (0, "Hello\n"), result.output


@pytest.mark.parametrize("flags", [["--chat"], ["-c"], [], ["--chat", "echo"]])
def test_without_another_flag_it_is_a_chat(project: Path, flags: list[str]) -> None:
    write(project, echoing())
    result = agent("agent.smyth", *flags, text="One\nTwo\n")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["One", "Two"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["agent.smyth", "--chat", "--prompt", "x"], "Give one of --skill, --prompt and --chat"),
        (["agent.smyth", "--prompt", "x", "echo", "more"], "One model may follow --prompt, not 2"),
        (["agent.smyth", "--prompt", ""], "The prompt is empty"),
        (["nothing.smyth", "--chat"], "No such file"),
        ([], "Missing argument 'FILE'"),
    ],
)
def test_a_wrong_usage_exits_with_two(project: Path, words: list[str], message: str) -> None:
    write(project, echoing())
    result = agent(*words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_fails_is_no_success(project: Path) -> None:
    write(project, echoing())
    assert agent("agent.smyth", "--skill", "aks").exit_code == 1
    assert agent("agent.smyth", "--prompt", "x", "echo/loud").exit_code == 5
