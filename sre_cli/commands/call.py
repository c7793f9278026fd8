"""`sre call`: one skill of an agent, without a model."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from sre_cli.arguments import parse_arguments
from sre_cli.options import debug_option
from sre_cli.render import print_json
from sre_cli.target import load_agent
from sre_cli.trace import Trace
from sre_core.events import current_emit
from sre_sdk import Agent

__all__ = ["call", "call_skill"]


@click.command(
    epilog="""\b
Examples:
  sre call agent.smyth search query="hello world"
  sre call agent.py add a=1 b=2
  sre call agent.smyth describe --file picture=cat.png
  sre call agent.smyth search --arguments '{"query": "x"}' --trace out.json
"""
)
@click.argument("target", metavar="FILE_OR_MODULE[:AGENT]")
@click.argument("skill")
@click.argument("words", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--arguments", "text", metavar="JSON", help="Arguments as a JSON object.")
@click.option("--file", "files", metavar="NAME=PATH", multiple=True, help="An argument that is a file's content.")
@click.option("--trace", type=click.Path(dir_okay=False, path_type=Path), help="Write each step to this file, as JSON.")
@debug_option
def call(
    target: str, skill: str, words: tuple[str, ...], text: str | None, files: tuple[str, ...], trace: Path | None
) -> None:
    """Call a skill of an agent, and print what it returns.

    A value is JSON where it can be, as in count=3 or 'tags=["a", "b"]', and text where the skill wants text. Text is
    printed as it is, all else as JSON.
    """
    call_skill(load_agent(target), skill, words, text=text, files=files, trace=trace)


def call_skill(
    agent: Agent,
    skill: str,
    words: tuple[str, ...],
    *,
    text: str | None = None,
    files: tuple[str, ...] = (),
    trace: Path | None = None,
) -> None:
    """Call, print, and write the trace, also of a call that failed. Raises what the call raises."""
    known = agent.skills.get(skill)
    arguments = parse_arguments(words, files=files, text=text, schema=known.parameters if known else None)
    recorder = Trace(agent.id, skill, json.loads(json.dumps(arguments, default=str)))
    try:
        asyncio.run(_call(agent, skill, arguments, recorder if trace else None, trace))
    except Exception as error:
        if trace is not None:
            recorder.write(trace, error=str(error))
        raise


async def _call(agent: Agent, skill: str, arguments: dict[str, Any], trace: Trace | None, path: Path | None) -> None:
    async with agent:
        token = current_emit.set(None if trace is None else trace.hear)
        try:
            result = await agent.call(skill, **arguments)
        finally:
            current_emit.reset(token)
        # Printed before jobs that still run are waited for.
        if isinstance(result, str):
            click.echo(result)
        else:
            print_json(result)
        if trace is not None and path is not None:
            trace.write(path, result=result)
