"""`sre call`: one skill of an agent, without a model."""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from pydantic_core import to_jsonable_python

from sre_cli.arguments import parse_arguments, parse_pairs, skill_schema
from sre_cli.escaping import one_line
from sre_cli.job_ends import hide_from_log
from sre_cli.options import debug_option, models_option, seconds_option
from sre_cli.outputs import keep_inputs
from sre_cli.render import print_json, print_text, styled
from sre_cli.target import load_agent, open_agent
from sre_cli.trace import Trace, check_place
from sre_core.errors import SkillError, SREError
from sre_core.events import Emit, current_emit
from sre_core.skills import Skill
from sre_core.workflows.graph import Workflow
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
@seconds_option
@debug_option
def call(
    target: str,
    skill: str,
    words: tuple[str, ...],
    text: str | None,
    files: tuple[str, ...],
    trace: Path | None,
    models: tuple[str, ...],
    seconds: float | None,
) -> None:
    """Call a skill of an agent, and print what it returns.

    A value is JSON where it can be, as in count=3 or 'tags=["a", "b"]', and text where the skill wants text. Text is
    printed as it is, all else as JSON. Nodes of a workflow that still wait for inputs, arguments that none of them
    takes, and what failed in a job are named on standard error. SKILL may also be a trigger of a workflow.
    """
    read = [target, target.rpartition(":")[0], *parse_pairs(files, "A file").values()]
    keep_inputs(trace, read)
    call_skill(load_agent(target, models, seconds=seconds), skill, words, text=text, files=files, trace=trace)


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
    hide_from_log(click.get_current_context())
    try:
        asyncio.run(_call(agent, skill, arguments, recorder, is_traced=trace is not None))
    except (Exception, KeyboardInterrupt) as error:
        recorder.error = str(error) or type(error).__name__
        raise
    finally:
        if trace is not None:
            recorder.write(trace)


async def _call(agent: Agent, skill: str, arguments: dict[str, Any], recorder: Trace, *, is_traced: bool) -> None:
    try:
        async with open_agent(agent):
            with _heard(agent, recorder.hear if is_traced else recorder.jobs.hear):
                result = await _result(agent, skill, arguments, recorder)
            # Skills in Python may return more than JSON has.
            recorder.result = to_jsonable_python(result, fallback=str, bytes_mode="base64")
            # Printed before jobs that still run are waited for.
            if isinstance(result, str):
                print_text(result)
            else:
                print_json(recorder.result)
            for one in recorder.waiting:
                click.echo(styled(one_line(one), fg="yellow"), err=True)
    finally:
        recorder.jobs.show()


async def _result(agent: Agent, name: str, arguments: dict[str, Any], recorder: Trace) -> Any:
    """What `Agent.call` returns and raises; of a workflow the recorder also learns which nodes failed or wait."""
    skill = agent.skills_in(agent.runtime).get(name) or agent._hidden_skill(name)  # noqa: SLF001 -- as `call` finds it
    flow = agent._flow  # noqa: SLF001 -- `result_of` needs it
    if flow is None or not _is_of_workflow(name, skill, flow.workflow):
        return await agent.call(name, **arguments)
    from sre_sdk.flow import result_of

    _show_unused(name, arguments, flow.workflow)
    try:
        outcome = await agent.execute(name, arguments)
    except SREError:
        raise
    except Exception as error:
        # As of any other skill, so a file that cannot be read too.
        raise SkillError(
            f"skill {name!r} raised {type(error).__name__}: {error}", hint="its cause has the traceback"
        ) from error
    recorder.failures = list(map(str, outcome.failures))
    recorder.waiting = list(map(str, outcome.waiting))
    return result_of(outcome, name, flow)


def _is_of_workflow(name: str, skill: Skill | None, workflow: Workflow) -> bool:
    """Whether a name runs the workflow; a function may have taken the place of an endpoint, or a trigger, of it."""
    from sre_sdk.endpoint import endpoint_spec

    if skill is None:
        return name in workflow.triggers
    node = workflow.endpoints.get(name)
    return node is not None and skill.spec == endpoint_spec(name, node)


def _show_unused(name: str, arguments: dict[str, Any], workflow: Workflow) -> None:
    """Name the arguments that an endpoint has no use for; a trigger takes all."""
    from sre_sdk.endpoint import unused_arguments

    endpoint = workflow.endpoints.get(name)
    if endpoint is None:
        return
    inputs = ", ".join(port.name for port in endpoint.inputs) or "none"
    for unused in unused_arguments(workflow, endpoint, arguments):
        note = f"Nothing in {name!r} takes the argument {unused!r}; its inputs: {inputs}"
        click.echo(styled(one_line(note), fg="yellow"), err=True)


@contextmanager
def _heard(agent: Agent, hear: Emit) -> Generator[None]:
    """What happens in this block is told to `hear`, and to the plugins as ever."""
    runtime = agent.runtime
    token = current_emit.set(both(runtime.emit, hear) if runtime.is_observed else hear)
    try:
        yield
    finally:
        current_emit.reset(token)
