"""`sre call`: one skill of an agent, without a model."""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
from pydantic_core import to_jsonable_python

from sre_cli.arguments import parse_arguments, skill_schema
from sre_cli.options import debug_option, models_option
from sre_cli.render import print_json
from sre_cli.target import load_agent
from sre_cli.trace import Trace, check_place
from sre_core.events import current_emit
from sre_sdk import Agent
from sre_sdk.prompt import both

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
@click.option(
    "--trace",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=check_place,
    help="Write each step to this file, as JSON.",
)
@models_option
@debug_option
def call(
    target: str,
    skill: str,
    words: tuple[str, ...],
    text: str | None,
    files: tuple[str, ...],
    trace: Path | None,
    models: tuple[str, ...],
) -> None:
    """Call a skill of an agent, and print what it returns.

    A value is JSON where it can be, as in count=3 or 'tags=["a", "b"]', and text where the skill wants text. Text is
    printed as it is, all else as JSON.
    """
    call_skill(load_agent(target, models), skill, words, text=text, files=files, trace=trace)


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
    arguments = parse_arguments(words, files=files, text=text, schema=skill_schema(agent, skill))
    recorder = Trace(agent.id, skill, json.loads(json.dumps(arguments, default=str)))
    try:
        asyncio.run(_call(agent, skill, arguments, recorder, is_traced=trace is not None))
    except (Exception, KeyboardInterrupt) as error:
        recorder.error = str(error) or type(error).__name__
        raise
    finally:
        if trace is not None:
            recorder.write(trace)


async def _call(agent: Agent, skill: str, arguments: dict[str, Any], recorder: Trace, *, is_traced: bool) -> None:
    async with agent:
        with _heard(agent, recorder) if is_traced else nullcontext():
            result = await agent.call(skill, **arguments)
        # Skills in Python may return more than JSON has.
        recorder.result = to_jsonable_python(result, fallback=str, bytes_mode="base64")
        # Printed before jobs that still run are waited for.
        if isinstance(result, str):
            click.echo(result)
        else:
            print_json(recorder.result)


@contextmanager
def _heard(agent: Agent, recorder: Trace) -> Generator[None]:
    """What happens in this block is told to the trace, and to the plugins as ever."""
    runtime = agent.runtime
    token = current_emit.set(both(runtime.emit, recorder.hear) if runtime.is_observed else recorder.hear)
    try:
        yield
    finally:
        current_emit.reset(token)
