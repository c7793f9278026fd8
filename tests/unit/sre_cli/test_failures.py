"""Errors become a line, a hint and an exit code; a traceback is for those who ask."""

import errno
from pathlib import Path

import pytest

from sre_cli import failures
from sre_core import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 3),
        (errors.PluginLoadError("x"), 3),
        (errors.UnknownConnectorError("x"), 3),
        (errors.AccessDeniedError("x"), 4),
        (errors.NotFoundError("x"), 5),
        (errors.DeadlineError("x"), 5),
        (errors.LimitExceededError("x"), 1),
        (errors.InvalidWorkflowError("x"), 1),
        (ValueError("x"), 1),
    ],
)
def test_each_family_of_errors_has_its_exit_code(error: Exception, code: int) -> None:
    assert failures.exit_code(error) == code


def test_message_and_hint_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(errors.NotFoundError("no model 'x'", hint="try 'y'")) == 5
    captured = capsys.readouterr()
    assert captured.err == "Error: no model 'x'\nHint: try 'y'\n"
    assert captured.out == ""


def test_an_error_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.NotFoundError("no\x1b[2J\n\tnode", hint="try\x9b31m")
    failures.report(error)
    assert capsys.readouterr().err == "Error: no\\x1b[2J\n\tnode\nHint: try\\x9b31m\n"
    failures.report(error, debug=True)
    assert "\x1b" not in capsys.readouterr().err


def test_a_traceback_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise OSError("the cause")
        except OSError as cause:
            raise errors.UnavailableError("down") from cause
    except errors.UnavailableError as raised:
        error = raised
    failures.report(error)
    assert "Traceback" not in capsys.readouterr().err
    failures.report(error, debug=True)
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "the cause" in shown


def _raised_in(path: Path, source: str) -> Exception:
    path.write_text(source)
    try:
        exec(compile(source, str(path), "exec"), {})
    except (ArithmeticError, ValueError, SyntaxError, errors.SREError) as error:
        return error
    raise AssertionError("nothing was raised")


def test_an_error_of_the_users_names_its_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    message, hint = failures.describe(_raised_in(path, "def f():\n    return 1 / 0\n\nf()\n"))
    # The test itself is code of the user's as well, but not the last of it.
    assert message == f"ZeroDivisionError: division by zero ({path}, line 2)"
    assert hint is not None
    assert "--debug" in hint


def test_an_error_inside_a_library_names_the_users_line_that_led_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    message, _ = failures.describe(_raised_in(path, "import json\n\njson.loads('{')\n"))
    assert message.startswith("JSONDecodeError: ")
    assert message.endswith(f"({path}, line 3)")


def test_a_syntax_error_names_the_line_it_is_in(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    message, _ = failures.describe(_raised_in(path, "x = 1\ny = (\n"))
    assert f"({path}, line 2)" in message
    assert message.startswith("SyntaxError: ")


def test_an_error_of_ours_in_the_users_code_names_the_line_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    error = _raised_in(path, "from sre_core.errors import ConfigError\nraise ConfigError('bad id', hint='better')\n")
    assert failures.describe(error) == (f"bad id ({path}, line 2)", "better")


def test_an_error_of_ours_that_a_function_raises_stands_for_itself() -> None:
    def connector() -> None:
        raise errors.UnavailableError("down", hint="wait")

    with pytest.raises(errors.UnavailableError) as caught:
        connector()
    assert failures.describe(caught.value) == ("down", "wait")


def test_an_error_of_the_system_names_the_file(tmp_path: Path) -> None:
    error = OSError(errno.EACCES, "Permission denied", "place.txt")
    assert failures.describe(error) == ("Permission denied: 'place.txt'", None)
