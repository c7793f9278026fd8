"""`sre chat`: a conversation on the terminal."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import click

from sre_cli import failures
from sre_cli.blocks import opened
from sre_cli.escaping import one_line
from sre_cli.options import Session, debug_option, models_option
from sre_cli.render import EventPrinter, styled
from sre_cli.streams import is_terminal, read_lines
from sre_cli.target import load_agent, open_agent
from sre_core.errors import SREError
from sre_sdk import Agent, Chat

__all__ = ["chat", "talk"]

_COMMANDS = {
    "/clear": "forget what was said so far",
    "/exit": "leave; so does Ctrl-D",
    "/help": "list these commands",
}


@click.command(
    epilog="""\b
Examples:
  sre chat                              with the default model
  sre chat agent.py --session work      go on where "work" was left
  sre chat --model echo
  printf 'Hello\\nAnd again\\n' | sre chat agent.py
"""
)
@click.argument("target", metavar="[FILE_OR_MODULE[:AGENT]]", required=False)
@click.option("--session", "session_id", metavar="ID", help="Keep the conversation under this id, or go on with it.")
@click.option("--model", help="The model to use instead of the agent's own.")
@models_option
@debug_option
@click.pass_context
def chat(
    context: click.Context, target: str | None, session_id: str | None, model: str | None, models: tuple[str, ...]
) -> None:
    """Talk with an agent.

    When none is named, the plain model answers. Ctrl-C stops an answer, Ctrl-D or /exit leaves. From a pipe, each
    line is one prompt.
    """
    agent = load_agent(target, models) if target else Agent("sre-chat", behavior="You are a helpful assistant.")
    talk(agent, session_id=session_id, model=model, debug=Session.of(context).debug)


def talk(agent: Agent, *, session_id: str | None = None, model: str | None = None, debug: bool = False) -> None:
    """Talk until the terminal, or the pipe, ends. Raises what an answer raises; on a terminal it is shown instead."""
    conversation = agent.chat(session_id)
    interactive = is_terminal()
    if interactive:
        click.echo(styled(f"{one_line(agent.name)}: /help lists the commands.", dim=True), err=True)
    # One loop for all prompts, which runs only while there is something to do: input() needs the main thread.
    with asyncio.Runner() as runner, opened(runner, open_agent(agent)):
        for line in _typed_lines() if interactive else _piped_lines():
            if not line.startswith("/"):
                _take_turn(runner, conversation, line, model=model, debug=debug, interactive=interactive)
            elif line == "/exit":
                return
            else:
                _obey(runner, conversation, line)


def _typed_lines() -> Iterator[str]:
    # Its import alone gives input() a history and line editing; Windows has none.
    with suppress(ImportError):
        import readline  # noqa: F401
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            click.echo()
            return
        if line:
            yield line


def _piped_lines() -> Iterator[str]:
    for line in read_lines("A line"):
        if line.strip():
            yield line.strip()


def _take_turn(
    runner: asyncio.Runner, conversation: Chat, text: str, *, model: str | None, debug: bool, interactive: bool
) -> None:
    """One prompt. At a terminal a failure, or Ctrl-C, ends the answer and not the conversation."""
    printer = EventPrinter()
    try:
        runner.run(_answer(conversation, text, model, printer))
    except SREError as error:
        if not interactive:
            raise
        failures.report(error, debug=debug)
    except KeyboardInterrupt:
        if not interactive:
            raise
        click.echo(styled(" stopped", dim=True), err=True)
    finally:
        printer.end_line()


async def _answer(conversation: Chat, text: str, model: str | None, printer: EventPrinter) -> None:
    async with conversation.prompt(text, model=model).stream() as events:
        async for event in events:
            printer.show(event)


def _obey(runner: asyncio.Runner, conversation: Chat, command: str) -> None:
    if command == "/clear":
        runner.run(conversation.clear())
        click.echo("Cleared.", err=True)
        return
    if command != "/help":
        click.echo(f"Unknown command {command!r}.", err=True)
    for name, meaning in _COMMANDS.items():
        click.echo(f"  {name:8}{meaning}", err=True)
