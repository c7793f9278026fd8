"""`python -m benchmarks.local_llm.soak`: many agents on one model for minutes, with cancellations.

Every reply that is not cancelled must be what the same request gives alone, and memory must come back.
"""

import argparse
import asyncio
import random
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped]  # it ships no types

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.messages import Message, SkillSpec
from sre_smollm import SmolLM, SmolLMSettings

__all__ = ["main"]

_SYSTEMS = ("You are a helpful assistant.", "Answer in one short sentence.", "You are a guide who knows every city.")
_QUESTIONS = (
    "What is the capital of {}?",
    "Name a river in {}.",
    "What do people eat in {}?",
    "Tell me a short story about a fox in {}.",
)
_COUNTRIES = ("France", "Japan", "Peru", "Kenya", "India", "Norway", "Canada", "Italy")
_WEATHER = SkillSpec(
    name="get_weather",
    description="Get the current weather of a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@dataclass(slots=True)
class _Tally:
    """What the clients saw."""

    whole: int = 0
    cancelled: int = 0
    wrong: list[str] = field(default_factory=list)


def _requests() -> list[LLMRequest]:
    found = []
    for system in _SYSTEMS:
        for question in _QUESTIONS:
            for country in _COUNTRIES:
                messages = (Message.system(system), Message.user(question.format(country)))
                found.append(LLMRequest(messages=messages, max_tokens=24))
    for country in _COUNTRIES:
        message = Message.user(f"What is the weather in the capital of {country}?")
        found.append(LLMRequest(messages=(message,), skills=(_WEATHER,), skill_choice="required", max_tokens=64))
    return found


async def _reply(model: SmolLM, request: LLMRequest) -> str:
    async with aclosing(model.stream(request)) as chunks:
        done = fold([chunk async for chunk in chunks])
    return done.message.text or str([(call.name, call.arguments) for call in done.message.skill_calls])


async def _client(model: SmolLM, alone: list[tuple[LLMRequest, str]], tally: _Tally, until: float, seed: int) -> None:
    choices = random.Random(seed)
    while time.monotonic() < until:
        request, expected = choices.choice(alone)
        if choices.random() < 0.3:
            left = choices.randrange(12)
            async with aclosing(model.stream(request)) as chunks:
                async for _ in chunks:
                    left -= 1
                    if left <= 0:
                        break
            tally.cancelled += 1
        elif choices.random() < 0.1:
            task = asyncio.create_task(_reply(model, request))
            await asyncio.sleep(choices.random())
            task.cancel()
            await asyncio.wait([task])
            tally.cancelled += 1
        else:
            found = await _reply(model, request)
            tally.whole += 1
            if found != expected:
                tally.wrong.append(f"{request.messages[-1].text!r}: {found!r}, not {expected!r}")


async def _soak(minutes: float, clients: int, settings: SmolLMSettings) -> int:
    model = SmolLM(settings)
    await model.start()
    alone = [(request, await _reply(model, request)) for request in _requests()]
    tally, until, process = _Tally(), time.monotonic() + 60 * minutes, psutil.Process()
    work = [asyncio.create_task(_client(model, alone, tally, until, seed)) for seed in range(clients)]
    early = 0
    while not all(task.done() for task in work):
        await asyncio.wait(work, timeout=20)
        memory, stats = process.memory_info().rss >> 20, model.stats
        early = early or memory
        sys.stdout.write(
            f"{until - time.monotonic():6.0f} s left: {tally.whole} whole, {tally.cancelled} cancelled, "
            f"{len(tally.wrong)} wrong; {memory} MiB, {stats.running} running, {stats.waiting} waiting, "
            f"{stats.kept_bytes >> 20} MiB kept\n"
        )
        sys.stdout.flush()
    await asyncio.gather(*work)
    stats, late = model.stats, process.memory_info().rss >> 20
    await model.stop()
    sys.stdout.write(f"{stats}\n{early} MiB after 20 s, {late} MiB at the end\n" + "\n".join(tally.wrong[:10]) + "\n")
    return int(bool(tally.wrong) or stats.live_bytes > 0 or stats.running > 0 or late > early + 256)


def main() -> int:
    """Read the command line and run; 1 if a reply was wrong or memory did not come back."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_llm.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--engine", default="auto", help="auto, compiled, transformers, llamacpp")
    chosen = parser.parse_args()
    # Little enough for keys and values that some have to make room.
    settings = SmolLMSettings(engine=chosen.engine, cache_bytes=192 << 20)
    return asyncio.run(_soak(chosen.minutes, chosen.clients, settings))


if __name__ == "__main__":
    sys.exit(main())
