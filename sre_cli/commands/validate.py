"""`sre validate`: everything that is wrong with workflow files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from sre_cli.escaping import one_line
from sre_cli.extensions import load_plugins
from sre_cli.options import debug_option, json_option
from sre_cli.render import print_json, styled
from sre_core.config import load
from sre_core.workflows.check import Problem, check_text

__all__ = ["validate"]


@click.command(
    epilog="""\b
Examples:
  sre validate agent.smyth
  sre validate --strict agents/*.smyth
  sre validate --json agent.smyth
"""
)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@json_option
@debug_option
@click.pass_context
def validate(context: click.Context, files: tuple[Path, ...], *, strict: bool, as_json: bool) -> None:
    """Find everything that is wrong with workflow files.

    Nothing is run. An error is what cannot work, as an unknown component, a link to nowhere or a setting out of its
    limits; a warning is of what is likely no intention, as a component that nothing leads to. Exits with 1 when there
    are errors.
    """
    find = load_plugins(load().config).component
    found = {file: check_text(file.read_bytes(), find, path=str(file)) for file in files}
    if as_json:
        print_json([_facts(file, problems) for file, problems in found.items()])
    else:
        for file, problems in found.items():
            _show(file, problems)
    if any(problem.severity == "error" or strict for problems in found.values() for problem in problems):
        context.exit(1)


def _facts(file: Path, problems: Sequence[Problem]) -> dict[str, object]:
    return {
        "file": str(file),
        "valid": all(problem.severity != "error" for problem in problems),
        "problems": [asdict(problem) for problem in problems],
    }


def _show(file: Path, problems: Sequence[Problem]) -> None:
    for problem in problems:
        is_error = problem.severity == "error"
        mark = styled("error  ", fg="red", bold=True) if is_error else styled("warning", fg="yellow")
        # Titles and names come from the file, and could hold what a terminal obeys.
        click.echo(f"{mark}  {one_line(str(problem))}")
    click.echo(f"{one_line(str(file))}: {_sum(problems)}")


def _sum(problems: Sequence[Problem]) -> str:
    if not problems:
        return "no problems"
    errors = sum(problem.severity == "error" for problem in problems)
    counts = ((errors, "error"), (len(problems) - errors, "warning"))
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)
