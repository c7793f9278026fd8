"""What a person reads when something fails, and the code that the process exits with."""

import os
import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

import click

from sre_cli.escaping import escaped
from sre_core.errors import AccessDeniedError, ConfigError, ConnectorError, PluginError, SREError

__all__ = ["INTERRUPTED", "describe", "exit_code", "hook", "report", "user_place"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

_OURS = {Path(__file__).parent.parent / name for name in ("sre_cli", "sre_sdk", "sre_core")}


def exit_code(error: BaseException) -> int:
    """3 configuration or plugin, 4 access, 5 connector, 1 everything else."""
    match error:
        case ConfigError() | PluginError():
            return 3
        case AccessDeniedError():
            return 4
        case ConnectorError():
            return 5
        case _:
            return 1


def report(error: Exception, *, debug: bool = False) -> int:
    """Write the error on standard error, its traceback only with `debug`; return the exit code."""
    if debug:
        click.echo(escaped("".join(traceback.format_exception(error))), nl=False, err=True)
    message, hint = describe(error)
    _line("Error: ", message, "red")
    if hint:
        _line("Hint: ", hint, "cyan")
    return exit_code(error)


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A `sys.excepthook` that reports what nobody expected in one line, and asks for no patience with a traceback."""
    if isinstance(error, Exception):
        report(error)
    else:
        sys.__excepthook__(kind, error, trace)


def describe(error: Exception) -> tuple[str, str | None]:
    """The message and the hint; for errors that are not ours, the line of the user's code that led to them."""
    if isinstance(error, SREError):
        # They say themselves what is wrong; where matters only while the user's file is being read.
        place = user_place(error, reading=True)
        return error.message + (f" ({place})" if place else ""), error.hint
    place = user_place(error)
    where = f" ({place})" if place else ""
    if isinstance(error, OSError) and error.strerror and not place:
        name = f": {str(error.filename)!r}" if error.filename else ""
        return f"{error.strerror}{name}", None
    # A syntax error's text names the file itself, but only by its last part.
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}".rstrip(": ") + where, "run it again with --debug for the whole traceback"


def user_place(error: BaseException, *, reading: bool = False) -> str | None:
    """The last line of the traceback in a file that is the user's own: not ours, not Python's, not installed.

    With `reading`, only of a file whose top level was being executed.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _installed(frame.filename) and (frame.name == "<module>" or not reading)]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else None


def _installed(filename: str) -> bool:
    if filename.startswith("<"):
        return True
    path = Path(filename)
    folders = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
    return any(path.is_relative_to(folder) for folder in folders | _OURS)


def _line(label: str, text: str, colour: str) -> None:
    shown = click.style(label, fg=colour, bold=True) if not os.environ.get("NO_COLOR") else label
    click.echo(shown + escaped(text), err=True)
