"""`sre chat` takes prompts line by line, remembers them, and keeps them when asked to."""

from pathlib import Path

from click.testing import CliRunner

from sre_cli.main import cli


def test_each_line_is_a_prompt(project: Path) -> None:
    result = CliRunner().invoke(cli, ["chat", "agent.py"], input="Hello\n\nAnd again\n")
    assert (result.exit_code, result.stdout) == (0, "Hello\nAnd again\n"), result.output


def test_without_an_agent_the_model_answers(project: Path) -> None:
    result = CliRunner().invoke(cli, ["chat", "--model", "echo"], input="Hello\n")
    assert (result.exit_code, result.stdout) == (0, "Hello\n"), result.output


def test_exit_leaves_at_once(project: Path) -> None:
    result = CliRunner().invoke(cli, ["chat", "agent.py"], input="One\n/exit\nTwo\n")
    assert (result.exit_code, result.stdout) == (0, "One\n")


def test_an_unknown_command_lists_those_that_there_are(project: Path) -> None:
    result = CliRunner().invoke(cli, ["chat", "agent.py"], input="/dance\n")
    assert result.exit_code == 0
    assert "'/dance'" in result.stderr
    assert "/clear" in result.stderr
    assert result.stdout == ""


def test_a_session_is_kept_and_cleared(project: Path) -> None:
    def stored() -> str:
        files = [path for path in (project / ".sre").rglob("*") if path.is_file() and "work" in path.name]
        return "".join(path.read_text(errors="replace") for path in files)

    for prompt in ("Remember the milk", "And the bread"):
        CliRunner().invoke(cli, ["chat", "agent.py", "--session", "work"], input=f"{prompt}\n")
    assert "Remember the milk" in stored()
    assert "And the bread" in stored()
    CliRunner().invoke(cli, ["chat", "agent.py", "--session", "work"], input="/clear\n")
    assert "Remember the milk" not in stored()


def test_an_illegal_session_is_refused(project: Path) -> None:
    result = CliRunner().invoke(cli, ["chat", "agent.py", "--session", "../x"], input="Hi\n")
    assert result.exit_code == 3
    assert "'../x'" in result.stderr


def test_from_a_pipe_a_failure_ends_the_chat(project: Path) -> None:
    result = CliRunner().invoke(cli, ["chat", "agent.py", "--model", "echo/loud"], input="One\nTwo\n")
    assert result.exit_code == 5
    assert result.stderr.count("Error: ") == 1
