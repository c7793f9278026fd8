"""Standard input and output: text in UTF-8, whatever the locale says, and streams also where they were closed."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

__all__ = ["as_text", "is_terminal", "prepare", "read_lines", "read_text"]


def prepare() -> None:
    """Put the null device in the place of streams that were closed, and let no character break the output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 -- open to the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A model or a skill may give half of a surrogate pair, which no encoding has.
        sys.stdout.reconfigure(errors="replace")


def is_terminal() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty()


def read_text(what: str) -> str:
    """All of standard input, called `what` in the error. Raises click.UsageError unless it is UTF-8."""
    return _decode(sys.stdin.buffer.read(), what)


def read_lines(what: str) -> Iterator[str]:
    """The lines of standard input, as they come. Raises click.UsageError when one is not UTF-8."""
    for line in sys.stdin.buffer:
        yield _decode(line, what)


def as_text(argument: str, what: str) -> str:
    """A word of the command line, which Python has decoded as the locale says. Raises click.UsageError."""
    return argument if argument.isascii() else _decode(os.fsencode(argument), what)


def _decode(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{what} is no text: byte {error.start} is not UTF-8.") from error
