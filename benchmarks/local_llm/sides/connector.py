"""Our connector, as a runtime would start it: runs of agents, many requests at once, skill calls."""

import asyncio
import sys
import time
from contextlib import aclosing
from typing import Any

from benchmarks.local_llm.sides.worker import Answer, Clock, serve
from sre_core.connectors.llm import Completion, LLMRequest, fold
from sre_core.messages import Message, SkillSpec
from sre_smollm import SmolLM, SmolLMSettings

__all__ = ["Ours"]


class Ours:
    """Connectors of one model, one for each set of settings that a job asks for; they stay."""

    def __init__(self, settings: SmolLMSettings) -> None:
        self._settings = settings
        self._started: dict[tuple[tuple[str, Any], ...], SmolLM] = {}

    async def agent(self, system: str, question: str, seen: list[str], count: int, *, reuse: bool = True) -> Answer:
        """A run of an agent; without `reuse` nothing is kept between its steps."""
        model = await self._model(**({} if reuse else {"cache_bytes": 0}))
        messages = [Message.system(system), Message.user(question)]
        steps = []
        for observation in seen:
            clock = Clock()
            reply = await _ask(model, LLMRequest(messages=tuple(messages), max_tokens=count))
            used = reply.usage
            tokens = {"read": used.input_tokens, "written": used.output_tokens, "cached": used.cached_tokens}
            steps.append(clock.read() | tokens)
            messages += [reply.message, Message.user(observation)]
        return {"steps": steps}

    async def crowd(self, system: str, questions: list[str], *, reuse: bool = True) -> Answer:
        """Agents with one system prompt, all at once, until each has its first token."""
        model = await self._model(**({} if reuse else {"cache_bytes": 0}))
        requests = [
            LLMRequest(messages=(Message.system(system), Message.user(question)), max_tokens=1)
            for question in questions
        ]
        clock = Clock()
        replies = await asyncio.gather(*(_ask(model, request) for request in requests))
        used = [reply.usage for reply in replies]
        return clock.read() | {"read": sum(u.input_tokens for u in used), "cached": sum(u.cached_tokens for u in used)}

    async def replies(self, prompts: list[str], count: int, *, together: bool = False) -> Answer:
        """Replies of up to `count` tokens, all at once or one after the other."""
        model = await self._model()
        requests = [LLMRequest(messages=(Message.user(prompt),), max_tokens=count) for prompt in prompts]
        clock = Clock()
        if together:
            done = await asyncio.gather(*(_ask(model, request) for request in requests))
        else:
            done = [await _ask(model, request) for request in requests]
        return clock.read() | {"tokens": sum(reply.usage.output_tokens for reply in done)}

    async def decode(self, prompt: str, count: int) -> Answer:
        """Tokens per second of wall time, from the first piece of a reply to the last."""
        model = await self._model()
        first = 0.0
        async with aclosing(model.stream(LLMRequest(messages=(Message.user(prompt),), max_tokens=count))) as chunks:
            async for chunk in chunks:
                first = first or time.perf_counter()
                if chunk.usage is not None:
                    return {"rate": (chunk.usage.output_tokens - 1) / (time.perf_counter() - first)}
        raise AssertionError("the reply was cut")

    async def call(self, system: str, text: str, skills: list[dict[str, Any]], choice: str, count: int) -> Answer:
        """A reply to `text` with `skills` at hand; its calls and its text, and how many tokens were forced."""
        model = await self._model()
        specs = tuple(SkillSpec(**skill) for skill in skills)
        messages = (*((Message.system(system),) if system else ()), Message.user(text))
        before = model.stats
        request: Any = {"skills": specs, "skill_choice": choice} if specs else {}
        reply = await _ask(model, LLMRequest(messages=messages, max_tokens=count, **request))
        after = model.stats
        return {
            "calls": [{"name": call.name, "arguments": call.arguments} for call in reply.message.skill_calls],
            "text": reply.message.text,
            "forced": after.forced_tokens - before.forced_tokens,
            "written": after.written_tokens - before.written_tokens,
        }

    async def _model(self, **changes: Any) -> SmolLM:
        key = tuple(sorted(changes.items()))
        if key not in self._started:
            model = SmolLM(self._settings.model_copy(update=changes))
            await model.start()
            # What is compiled or laid out at the first request belongs to the cold start.
            await _ask(model, LLMRequest(messages=(Message.user("Say hello to all of us. " * 20),), max_tokens=4))
            self._started[key] = model
        return self._started[key]


async def _ask(model: SmolLM, request: LLMRequest) -> Completion:
    async with aclosing(model.stream(request)) as chunks:
        return fold([chunk async for chunk in chunks])


if __name__ == "__main__":
    ours = Ours(SmolLMSettings.model_validate_json(sys.argv[1]))
    serve(
        {
            "agent": ours.agent,
            "crowd": ours.crowd,
            "replies": ours.replies,
            "decode": ours.decode,
            "call": ours.call,
        }
    )
