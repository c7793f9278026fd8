"""How things look: tables and the events of a run, coloured on a terminal and plain elsewhere."""

import os
import sys
from collections.abc import Sequence

import click

from sre_cli.escaping import escaped, json_text, one_line
from sre_core.events import Event, RunFinished, SkillCalled, SkillReturned, TextDelta, ThinkingDelta

__all__ = ["EventPrinter", "print_json", "print_table", "print_text", "shorten", "styled"]

_WIDEST = 100


def print_json(value: object) -> None:
    """For programs: indented JSON on standard output."""
    click.echo(json_text(value, indent=2))


def print_text(text: str, *, nl: bool = True) -> None:
    """A text as it is; on a terminal without what that would obey."""
    click.echo(escaped(text) if sys.stdout.isatty() else text, nl=nl)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere aligned columns that nothing wraps or cuts."""
    if not sys.stdout.isatty():
        widths = [max(len(row[n]) for row in [columns, *rows]) for n in range(len(columns))]
        for row in [columns, *rows]:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    # rich takes longer to import than most commands take to run.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        # Text, since a message may have brackets that are no markup.
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console().print(table)


def styled(text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
    """`text` in a style, unless the user wants no colours; click drops it where the output is no terminal."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=fg, bold=bold, dim=dim)


def shorten(text: str, width: int = _WIDEST) -> str:
    """`text` on one line, without what a terminal would obey, cut at `width` characters."""
    line = one_line(text)
    return line if len(line) <= width else line[: width - 1] + "…"


class EventPrinter:
    """Prints a run as it goes: the reply on standard output, all else on standard error."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._json = as_json
        self._open_line = False
        self._thinking = False

    def show(self, event: Event) -> None:
        """Print one event; as a line of JSON, if that is wanted."""
        if self._json:
            click.echo(json_text(event.to_dict()))
            return
        if self._thinking and not isinstance(event, ThinkingDelta):
            self._thinking = False
            click.echo(err=True)
        match event:
            case TextDelta(text=text):
                print_text(text, nl=False)
                self._open_line = not text.endswith("\n") if text else self._open_line
            case ThinkingDelta(text=text) if sys.stderr.isatty():
                self._thinking = True
                click.echo(styled(escaped(text), dim=True), nl=False, err=True)
            case SkillCalled(name=name, arguments=arguments):
                self.end_line()
                click.echo(styled(shorten(f"→ {name} {arguments}"), fg="cyan"), err=True)
            case SkillReturned(result=result, is_error=failed, seconds=seconds):
                colour = "red" if failed else "cyan"
                click.echo(styled(f"{shorten(f'← {result}')} ({seconds:.1f} s)", fg=colour), err=True)
            case RunFinished():
                self.end_line()

    def end_line(self) -> None:
        """End the line of text that is open, if one is."""
        if self._open_line:
            self._open_line = False
            click.echo()
