"""`sre debug`: one skill of a workflow, step by step."""

import asyncio
import json
from collections.abc import Collection
from typing import Any, Literal

import click

from sre_cli.arguments import parse_arguments, parse_pairs, skill_schema
from sre_cli.blocks import opened
from sre_cli.escaping import escaped, json_text, one_line
from sre_cli.job_ends import JobEnds, hide_from_log
from sre_cli.options import debug_option, models_option, seconds_option
from sre_cli.render import print_json, shorten, styled
from sre_cli.streams import is_terminal
from sre_cli.target import load_agent, open_agent
from sre_core.errors import SREError
from sre_core.workflows.debug import Debugger, StepRecord
from sre_core.workflows.outcome import Outcome
from sre_sdk import Agent
from sre_sdk.flow import result_of

__all__ = ["debug"]

_COMMANDS = {
    "Enter, s": "run the next node",
    "c": "go on to the end without a stop",
    "n": "show the nodes that stand in the queue",
    "i NODE NAME=VALUE": "from now on, give the node this input",
    "o NODE NAME=VALUE": "from now on, take this output and do not run the node",
    "q": "end the run",
}
_HELP = ("h", "help", "?")


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
@click.option("--arguments", "text", metavar="JSON", help="Arguments as a JSON object.")
@click.option("--file", "files", metavar="NAME=PATH", multiple=True, help="An argument that is a file's content.")
@click.option(
    "--set", "outputs", metavar="NODE:NAME=VALUE", multiple=True, help="Take this output, and do not run NODE."
)
@click.option("--json", "as_json", is_flag=True, help="Print each step as a line of JSON, and the end.")
@models_option
@seconds_option
@debug_option
def debug(
    target: str,
    skill: str,
    words: tuple[str, ...],
    text: str | None,
    files: tuple[str, ...],
    outputs: tuple[str, ...],
    models: tuple[str, ...],
    seconds: float | None,
    *,
    as_json: bool,
) -> None:
    """Run a skill of a workflow node by node.

    Shows what each node gets and gives; a loop with its items, and once more at its end. Nodes of a job that goes on
    after the result are shown when it has ended. On a terminal it stops before each node and takes commands; h lists
    them. Else it runs to the end. A run that fails exits as that of `sre call` does.
    """
    hide_from_log(click.get_current_context())
    agent = load_agent(target, models, seconds=seconds)
    arguments = parse_arguments(words, files=files, text=text, schema=skill_schema(agent, skill))
    injected = _outputs(outputs, agent)
    ends = JobEnds()
    session = agent.debug(skill, arguments, emit=ends.hear)
    shown = _Shown(session, as_json=as_json)
    try:
        with asyncio.Runner() as runner, opened(runner, open_agent(agent)), opened(runner, session):
            for node, values in injected.items():
                session.inject(node, outputs=values)
            prompt = _Prompt(session, agent, injected) if is_terminal() and not as_json else None
            outcome = _go_through(runner, session, prompt, shown)
    finally:
        # What the jobs did until the agent was closed.
        shown.update()
    if outcome is not None:
        _show_end(outcome, ends, as_json=as_json)
        if (flow := agent._flow) is not None:  # noqa: SLF001 -- `result_of` needs it
            result_of(outcome, skill, flow)


def _go_through(runner: asyncio.Runner, session: Debugger, prompt: "_Prompt | None", shown: "_Shown") -> Outcome | None:
    """Run node after node, and say what came of it; None when the user ended it before."""
    while runner.run(session.ready()):
        order = "run" if prompt is None else prompt.ask()
        if order == "quit":
            return None
        if order == "run":
            prompt = None
        runner.run(session.step())
        shown.update()
    return runner.run(session.finish())


class _Prompt:
    """Takes commands, until one says how to go on."""

    def __init__(self, session: Debugger, agent: Agent, outputs: dict[str, dict[str, Any]]) -> None:
        self._session = session
        self._nodes = _nodes(agent)
        self._outputs = outputs
        self._inputs: dict[str, dict[str, Any]] = {}

    def ask(self) -> Literal["step", "run", "quit"]:
        self._announce()
        while True:
            try:
                line = input("(step) ")
            except EOFError:
                return "run"
            command, _, rest = line.strip().partition(" ")
            if command in {"", "s"}:
                return "step"
            if command == "c":
                return "run"
            if command == "q":
                return "quit"
            self._obey(command, rest)

    def _announce(self) -> None:
        """Show the node that is next."""
        record = self._session.pending[0]
        title = styled(one_line(f"→ {record.title} ({record.node_id})") + "  ", bold=True)
        click.echo(title + shorten(_text(record.inputs)) + (" (injected)" if record.is_injected else ""), err=True)

    def _obey(self, command: str, rest: str) -> None:
        if command == "n":
            for record in self._session.pending:
                name = f"{one_line(record.node_id)}  {one_line(record.title)}"
                click.echo(f"  {name}  {shorten(_text(record.inputs))}", err=True)
        elif command in {"i", "o"}:
            node, _, pair = rest.strip().partition(" ")
            if not pair or ("=" in node and node not in self._nodes):
                click.echo(f"Write it as {command} NODE NAME=VALUE.", err=True)
                return
            try:
                self._inject(command, _known(node, self._nodes), parse_arguments([pair.strip()]))
            except click.UsageError as error:
                click.echo(escaped(error.message), err=True)
            except SREError as error:
                click.echo(escaped(f"{error.message}; {error.hint}" if error.hint else error.message), err=True)
        else:
            if command not in _HELP:
                click.echo(f"There is no command {command!r}; there is:", err=True)
            for name, meaning in _COMMANDS.items():
                click.echo(f"  {name:20}{meaning}", err=True)

    def _inject(self, command: str, node: str, values: dict[str, Any]) -> None:
        """A second input of a node joins the first. The next node is shown again, with what it will get now."""
        if command == "i":
            self._session.inject(node, inputs=self._inputs.setdefault(node, {}) | values)
            self._inputs[node] |= values
        else:
            self._session.inject(node, outputs=self._outputs.setdefault(node, {}) | values)
            self._outputs[node] |= values
        self._announce()


class _Shown:
    """Shows what has run, each step once."""

    def __init__(self, session: Debugger, *, as_json: bool) -> None:
        self._session = session
        self._as_json = as_json
        self._number = 0

    def update(self) -> None:
        """Show what has run since the last time."""
        for record in self._session.steps[self._number :]:
            _show(record, as_json=self._as_json)
            self._number += 1


def _show(record: StepRecord, *, as_json: bool) -> None:
    if as_json:
        fields = ("step", "node_id", "title", "inputs", "outputs", "seconds", "is_injected")
        click.echo(json_text({name: getattr(record, name) for name in fields}))
        return
    outputs = record.outputs or {}
    failed = bool(outputs.get("_error"))
    how = "injected" if record.is_injected else f"{record.seconds:.3f} s"
    line = f"{record.step}  {record.title}  {_text(record.inputs)} → {_text(outputs)} ({how})"
    click.echo(styled(shorten(line, 400), fg="red" if failed else "cyan"), err=True)


def _show_end(outcome: Outcome, ends: JobEnds, *, as_json: bool) -> None:
    if as_json:
        failures = [*map(str, outcome.failures), *ends.failures]
        waiting = [*map(str, outcome.waiting), *ends.waiting]
        click.echo(json_text({"data": outcome.data, "failures": failures, "waiting": waiting}))
        return
    for one in outcome.waiting:
        click.echo(styled(one_line(str(one)), fg="yellow"), err=True)
    ends.show()
    print_json(outcome.data)


def _outputs(words: tuple[str, ...], agent: Agent) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in parse_pairs(words, "An output").items():
        node, colon, port = name.partition(":")
        if not colon or not port:
            raise click.UsageError(f"An output is written as NODE:NAME=VALUE, not {f'{name}={value}'!r}.")
        found.setdefault(_known(node, _nodes(agent)), {}).update(parse_arguments([f"{port}={value}"]))
    return found


def _nodes(agent: Agent) -> Collection[str]:
    return () if agent.workflow is None else agent.workflow.nodes


def _known(node: str, nodes: Collection[str]) -> str:
    if node not in nodes:
        raise click.UsageError(f"There is no node {node!r}; there is {one_line(', '.join(nodes)) or 'none'}.")
    return node


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
