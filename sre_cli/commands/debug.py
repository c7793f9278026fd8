"""`sre debug`: one skill of a workflow, step by step."""

import asyncio
import json
from typing import Any, Literal

import click

from sre_cli.arguments import parse_arguments, parse_pairs
from sre_cli.options import debug_option
from sre_cli.render import print_json, shorten, styled
from sre_cli.streams import is_terminal
from sre_cli.target import load_agent
from sre_core.workflows.debug import Debugger, StepRecord
from sre_sdk import Agent

__all__ = ["debug"]

_COMMANDS = {
    "Enter, s": "run the next node",
    "c": "go on to the end without a stop",
    "n": "show the nodes that stand in the queue",
    "i NODE NAME=VALUE": "from now on, give the node this input",
    "o NODE NAME=VALUE": "from now on, take this output and do not run the node",
    "q": "end the run",
}


@click.command(
    epilog="""\b
Examples:
  sre debug agent.smyth search query=hello
  sre debug agent.smyth search query=hello --set CS002:Response='{"coins": []}'
  sre debug agent.smyth search query=hello --json < /dev/null
"""
)
@click.argument("target", metavar="FILE")
@click.argument("skill")
@click.argument("words", metavar="[NAME=VALUE]...", nargs=-1)
@click.option(
    "--set", "outputs", metavar="NODE:NAME=VALUE", multiple=True, help="Take this output, and do not run NODE."
)
@click.option("--json", "as_json", is_flag=True, help="Print each step as a line of JSON.")
@debug_option
def debug(target: str, skill: str, words: tuple[str, ...], outputs: tuple[str, ...], *, as_json: bool) -> None:
    """Run a skill of a workflow node by node.

    Shows what each node gets and gives. On a terminal it stops before each node and takes commands; h lists them. Else it runs to the end.
    """
    agent = load_agent(target)
    known = agent.skills.get(skill)
    arguments = parse_arguments(words, schema=known.parameters if known else None)
    asyncio.run(_debug(agent, skill, arguments, _injections(outputs), as_json=as_json))


async def _debug(
    agent: Agent, skill: str, arguments: dict[str, Any], injected: dict[str, dict[str, Any]], *, as_json: bool
) -> None:
    async with agent, agent.debug(skill, arguments) as session:
        for node, outputs in injected.items():
            session.inject(node, outputs=outputs)
        asks = is_terminal() and not as_json
        while session.pending or not session.steps:
            order = await _order(session) if asks else "run"
            if order == "quit":
                return
            asks = order == "step"
            record = await session.step()
            if record is None:
                break
            _show(record, as_json=as_json)
        outcome = await session.finish()
        for waiting in outcome.waiting:
            click.echo(styled(f"{waiting}", fg="yellow"), err=True)
        print_json(outcome.data)


async def _order(session: Debugger) -> Literal["step", "run", "quit"]:
    """Take commands until one says how to go on."""
    for record in session.pending[:1]:
        title = styled(f"→ {record.title} ({record.node_id})  ", bold=True)
        click.echo(title + shorten(_text(record.inputs)), err=True)
    while True:
        try:
            line = await asyncio.to_thread(input, "(step) ")
        except EOFError:
            return "run"
        command, _, rest = line.strip().partition(" ")
        if command in {"", "s"}:
            return "step"
        if command == "c":
            return "run"
        if command == "q":
            return "quit"
        _inspect(session, command, rest)


def _inspect(session: Debugger, command: str, rest: str) -> None:
    if command == "n":
        for record in session.pending:
            click.echo(f"  {record.node_id}  {record.title}  {shorten(_text(record.inputs))}", err=True)
    elif command in {"i", "o"}:
        node, _, pair = rest.strip().partition(" ")
        try:
            values = parse_arguments([pair.strip()])
        except click.UsageError as error:
            click.echo(error.message, err=True)
            return
        if command == "i":
            session.inject(node, inputs=values)
        else:
            session.inject(node, outputs=values)
    else:
        for name, meaning in _COMMANDS.items():
            click.echo(f"  {name:20}{meaning}", err=True)


def _show(record: StepRecord, *, as_json: bool) -> None:
    if as_json:
        fields = ("step", "node_id", "title", "inputs", "outputs", "seconds", "is_injected")
        click.echo(_text({name: getattr(record, name) for name in fields}))
        return
    outputs = record.outputs or {}
    failed = bool(outputs.get("_error"))
    how = "injected" if record.is_injected else f"{record.seconds:.3f} s"
    line = f"{record.step}  {record.title}  {_text(record.inputs)} → {_text(outputs)} ({how})"
    click.echo(styled(shorten(line, 400), fg="red" if failed else "cyan"), err=True)


def _injections(words: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in parse_pairs(words, "An output").items():
        node, colon, port = name.partition(":")
        if not colon:
            raise click.UsageError(f"An output is written as NODE:NAME=VALUE, not {name}={value!r}.")
        found.setdefault(node, {}).update(parse_arguments([f"{port}={value}"]))
    return found


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
