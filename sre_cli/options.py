"""Options that many commands share, and what they set."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

__all__ = ["Session", "debug_option", "json_option", "models_option", "seconds_option"]

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(slots=True)
class Session:
    """What one call of the command line knows about itself; click hands it around as `obj`."""

    debug: bool = False

    @classmethod
    def of(cls, context: click.Context) -> "Session":
        """The session that this call belongs to."""
        return context.find_root().ensure_object(cls)


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 -- click's signature
    session = Session.of(context)
    if value and not session.debug:
        # Imported now, since help and version write no log.
        from sre_core import logs

        session.debug = True
        sys.excepthook = sys.__excepthook__
        logs.configure(level="DEBUG")


def debug_option(command: C) -> C:
    """`--debug`, before the command or after it: tracebacks, and the runtime's log, on standard error."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_debug,
        help="Show tracebacks and the log.",
    )(command)


def json_option(command: C) -> C:
    """`--json`: the same facts for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def models_option(command: C) -> C:
    """`--models`: other models than those that a file's nodes name."""
    return click.option(
        "--models",
        metavar="NAME=MODEL",
        multiple=True,
        help="The model to take where nodes of a .smyth file name another one; * stands for all names.",
    )(command)


def seconds_option(command: C) -> C:
    """`--seconds`: an end for a workflow that does not come to one."""
    return click.option(
        "--seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="How long one run of a workflow of a .smyth file may take.",
    )(command)
