"""`sre graph`: a picture of a workflow."""

import shutil
import sys
from pathlib import Path

import click

from sre_cli.options import debug_option
from sre_cli.outputs import keep_inputs
from sre_core.workflows import smyth
from sre_core.workflows.graph import Workflow
from sre_core.workflows.outline import outline
from sre_core.workflows.reach import only
from sre_core.workflows.svg import svg
from sre_core.workflows.terminal import draw

__all__ = ["graph"]

_NO_TERMINAL = (120, 24)


@click.command(
    epilog="""\b
Examples:
  sre graph agent.smyth
  sre graph agent.smyth --skill ask       only what the skill "ask" reaches
  sre graph agent.smyth --svg agent.svg
"""
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skill", metavar="NAME", help="Show only what this endpoint or trigger reaches.")
@click.option(
    "--svg",
    "target",
    metavar="OUT",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help='Write an SVG picture instead; "-" is standard output.',
)
@debug_option
def graph(file: Path, skill: str | None, target: Path | None) -> None:
    """Draw a workflow.

    In the terminal its components stand in columns along the links, with the ports that are linked; where they do not
    fit, they are listed. An SVG picture has all ports, and everything where the file has it.
    """
    to_file = target is not None and str(target) != "-"
    keep_inputs(target if to_file else None, [file])
    workflow = smyth.read_file(file)
    if skill is not None:
        workflow = only(workflow, skill)
    if target is None:
        click.echo(_drawn(workflow))
    elif str(target) == "-":
        click.echo(svg(workflow), nl=False)
    else:
        target.write_text(svg(workflow), encoding="utf-8")
        click.echo(f"The picture is in {target}.")


def _drawn(workflow: Workflow) -> str:
    width = shutil.get_terminal_size(_NO_TERMINAL).columns
    try:
        "┌▶".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return outline(workflow, width=width, arrow="->")
    return draw(workflow, width=width)
