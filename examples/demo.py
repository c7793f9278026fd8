"""A prompt, a real model on this machine, a skill that it calls, and a result stored through the guard."""

import asyncio
import json
import re
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sre_core.config import load
from sre_sdk import (
    AccessDecided,
    AccessDeniedError,
    Agent,
    Event,
    Limits,
    Runtime,
    SkillCalled,
    SkillContext,
    SkillReturned,
    SREError,
)

HERE = Path(__file__).parent
PROMPT = "Write down that the coffee cost 4 euros."
# A model of this size begins to ramble when its answers may be long.
SHORT = Limits(output_tokens=48, turns=3)


async def save_expense(item: Annotated[str, Field(max_length=24)], euros: int, context: SkillContext) -> str:
    """Write down what something costs.

    Args:
        item: What was bought.
        euros: What it cost.
    """
    name = re.sub(r"[^a-z0-9]+", "-", item.lower()).strip("-") or "something"
    await context.storage.write(f"costs/{name}.json", json.dumps({"item": item, "euros": euros}))
    return f"The {item.lower()} for {euros} euros is written down."


async def main() -> None:
    """Ask, look at what was stored, and try to read it as somebody else."""
    config = load(HERE, code={"connectors": {"llm": {"default": {"use": "smollm"}}}}).config
    async with Runtime(config) as runtime:
        worker = Agent("Bookkeeper", skills=[save_expense], limits=SHORT, runtime=runtime)
        for path in await stored(worker):
            await worker.storage.delete(path)
        called = await ask(worker)
        await look(worker, called, config.data_folder)
        await try_as_somebody_else(runtime, worker)


async def ask(worker: Agent) -> list[str]:
    """Prompt the model, and tell what happens; returns the names of the skills that it called."""
    say("prompt", PROMPT)
    say("", "The model is loaded now. The first time, its weights are converted, which may take a minute.")
    began, called = time.monotonic(), []
    run = worker.prompt(PROMPT)
    async with run.stream() as events:
        async for event in events:
            tell(event)
            if isinstance(event, SkillCalled):
                called.append(event.name)
    reply = await run
    say("reply", str(reply).strip())
    say("", f"{reply.usage.output_tokens} tokens were written, {time.monotonic() - began:.0f} s with loading.")
    return called


def tell(event: Event) -> None:
    """One line for what a newcomer wants to see."""
    match event:
        case AccessDecided(candidate=who, access=access, resource=resource, allowed=allowed, reason=reason):
            say("guard", f"{who} {'may' if allowed else 'may not'} {access} {resource}: {reason}")
        case SkillCalled(name=name, arguments=arguments):
            say("skill", f"the model calls {name} with {arguments}")
        case SkillReturned(result=result, is_error=failed):
            say("skill", f"{'failed' if failed else 'returned'}: {result}")


async def look(worker: Agent, called: list[str], folder: Path) -> None:
    """Read what was stored; fails when the model did not do its work."""
    if called[:1] != ["save_expense"]:
        sys.exit(f"The demo failed: the model did not call the skill save_expense, but {called or 'none'}.")
    paths = await stored(worker)
    if not paths:
        sys.exit("The demo failed: nothing was stored.")
    for path in paths:
        say("stored", f"{path} holds {await worker.storage.read_text(path)}")
    say("", f"as a file below {folder / 'storage'}")


async def try_as_somebody_else(runtime: Runtime, worker: Agent) -> None:
    """Read the same object as another agent, which the guard must refuse."""
    stranger = Agent("Stranger", runtime=runtime)
    (path, *_) = await stored(worker)
    try:
        await stranger.storage.of(worker.candidate).read(path)
    except AccessDeniedError as error:
        say("guard", error.message)
    else:
        sys.exit("The demo failed: a stranger could read what the agent stored.")


async def stored(worker: Agent) -> list[str]:
    """The paths of what the agent wrote down."""
    async with aclosing(worker.storage.list("costs")) as found:
        return [info.key async for info in found]


def say(what: str, text: str) -> None:
    """One line, at once."""
    print(f"{what:>7}  {text}", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except SREError as error:
        sys.exit(f"The demo failed: {error.message}\n{error.hint or ''}")
