"""`sre run`: one prompt, one reply."""

import asyncio
from pathlib import Path

import click

from sre_cli.options import debug_option, models_option, seconds_option
from sre_cli.render import EventPrinter
from sre_cli.streams import as_text, is_terminal, read_text
from sre_cli.target import load_agent, open_agent
from sre_sdk import Agent

__all__ = ["give_prompt", "run"]


@click.command(
    epilog="""\b
Examples:
  sre run agent.py "What is on today?"       the only agent in agent.py
  sre run agent.py:writer "A haiku, please"  the agent called writer
  sre run app.agents:writer < prompt.txt     from a module, prompt from stdin
  sre run agent.smyth "What is on today?"    an agent of SmythOS
  sre run agent.py "What is this?" --file cat.png
  sre run agent.py "Hello" --model echo --json
"""
)
@click.argument("target", metavar="FILE_OR_MODULE[:AGENT]")
@click.argument("prompt", required=False)
@click.option("--model", help="The model to use instead of the agent's own.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file for the model to look at; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@models_option
@seconds_option
@debug_option
def run(
    target: str,
    prompt: str | None,
    model: str | None,
    files: tuple[Path, ...],
    models: tuple[str, ...],
    seconds: float | None,
    *,
    as_json: bool,
) -> None:
    """Give an agent one prompt and print its reply.

    The reply goes to standard output, what the agent does on the way to standard error. Without PROMPT, or with
    "-", the prompt is read from standard input.
    """
    give_prompt(load_agent(target, models, seconds=seconds), prompt, model=model, files=files, as_json=as_json)


def give_prompt(
    agent: Agent, prompt: str | None, *, model: str | None = None, files: tuple[Path, ...] = (), as_json: bool = False
) -> None:
    """Ask once, and print the reply; without a prompt, or with "-", it is read. Raises what the prompt raises."""
    if prompt is None and is_terminal():
        raise click.UsageError("Missing argument 'PROMPT': give it, or pipe it in.")
    text = read_text("The prompt").strip() if prompt in {None, "-"} else as_text(str(prompt), "The prompt")
    if not text.strip():
        raise click.UsageError("The prompt is empty.")
    asyncio.run(_answer(agent, text, model=model, files=files, printer=EventPrinter(as_json=as_json)))


async def _answer(
    agent: Agent, text: str, *, model: str | None, files: tuple[Path, ...], printer: EventPrinter
) -> None:
    try:
        async with open_agent(agent), agent.prompt(text, model=model, files=files).stream() as events:
            async for event in events:
                printer.show(event)
    finally:
        printer.end_line()
