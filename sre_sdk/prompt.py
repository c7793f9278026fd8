"""One prompt, from the agent's words to the loop and back."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from sre_core.agents.limits import Limits
from sre_core.errors import NotFoundError
from sre_core.events import Emit, Event
from sre_core.messages import File, Message
from sre_core.skills import SkillContext
from sre_sdk.model import Model

if TYPE_CHECKING:
    from sre_core.agents.conversation import Conversation
    from sre_core.agents.reply import Reply
    from sre_core.connectors.llm import LLM
    from sre_core.runtime import Runtime
    from sre_sdk.agent import Agent

__all__ = ["Prompt", "answer", "answer_once", "both", "make_context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What one prompt asks for, with the agent's own settings filled in."""

    text: str
    files: Sequence[File | Path]
    output_type: type[Any] | None
    model: Model
    limits: Limits

    async def message(self) -> Message:
        """The user's message, with files read from disk. Raises OSError."""
        files = [
            file if isinstance(file, File) else await to_thread.run_sync(File.from_path, file) for file in self.files
        ]
        return Message.user(self.text, files=tuple(files))


async def answer_once(agent: "Agent", prompt: Prompt, emit: Emit) -> "Reply":
    """Answer in a conversation of its own."""
    from sre_core.agents.conversation import Conversation

    async with agent.attached() as runtime:
        conversation = Conversation(id=secrets.token_hex(8), messages=[await prompt.message()])
        return await answer(agent, prompt, emit, runtime=runtime, conversation=conversation)


async def answer(
    agent: "Agent", prompt: Prompt, emit: Emit, *, runtime: "Runtime", conversation: "Conversation"
) -> "Reply":
    """Run the loop on a conversation that ends with the prompt; the events also reach the plugins."""
    from sre_core.agents import loop
    from sre_core.steps import DirectSteps

    choice = runtime.choose_model(prompt.model.name)
    llm = runtime.llm(agent.candidate, choice.connector)
    try:
        reply = await loop.run(
            llm=llm,
            conversation=conversation,
            skills=agent.skills_in(runtime),
            limits=prompt.limits,
            steps=DirectSteps(),
            emit=both(runtime.emit, emit) if runtime.is_observed else emit,
            context=partial(make_context, agent, runtime, llm),
            base=choice.fill(prompt.model.request(choice.model)),
            behavior=agent.behavior,
            output_type=prompt.output_type,
            run_id=secrets.token_hex(8),
            agent_id=agent.id,
        )
    except NotFoundError as error:
        if choice.model is None:
            raise
        raise runtime.catalogue.explain(error, prompt.model.name or choice.model) from error
    reply.cost = choice.cost(reply.usage)
    return reply


def both(first: Emit, second: Emit) -> Emit:
    """Tell the one, then the other."""

    async def tell(event: Event) -> None:
        await first(event)
        await second(event)

    return tell


def make_context(agent: "Agent", runtime: "Runtime", llm: "LLM") -> SkillContext:
    """What skills get to work with: the agent's handles."""
    candidate = agent.candidate
    return SkillContext(
        candidate=candidate,
        storage=runtime.storage(candidate),
        cache=runtime.cache(candidate),
        vectors=runtime.vectors(candidate),
        vault=runtime.vault(candidate),
        llm=llm,
    )
