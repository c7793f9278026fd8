"""Options that many commands share."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sre_cli.main import cli
from tests.unit.sre_cli.files import echoing, slow, write


@pytest.mark.parametrize(
    "words",
    [
        ["call", "agent.smyth", "ask", "a=1", "--seconds", "0.01"],
        ["debug", "agent.smyth", "ask", "a=1", "--seconds", "0.01"],
        ["run", "agent.smyth", 'call ask {"a": 1}', "--model", "echo", "--seconds", "0.01"],
        ["agent", "agent.smyth", "--skill", "ask", "a=1", "--seconds", "0.01"],
    ],
    ids=lambda words: words[0],
)
def test_a_workflow_may_take_as_many_seconds_as_a_command_says(project: Path, words: list[str]) -> None:
    write(project, slow())
    result = CliRunner().invoke(cli, words)
    assert "the workflow reached its limit of 0.01 seconds" in result.output


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_seconds_in_which_nothing_could_run_are_refused(project: Path, seconds: str) -> None:
    write(project, echoing())
    result = CliRunner().invoke(cli, ["call", "agent.smyth", "ask", "a=1", "--seconds", seconds])
    assert result.exit_code != 0
    assert "seconds" in result.output
