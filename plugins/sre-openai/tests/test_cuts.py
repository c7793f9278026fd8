"""Streams of the documentation that break off: no part of a reply passes for the whole."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.errors import UnavailableError
from sre_core.messages import Message
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_openai import OpenAILLM, OpenAISettings

from .documented import STREAMS, check, pieces  # noqa: TID252 -- the folder of tests is no package

HELLO = LLMRequest(messages=(Message.user("hello"),))


@pytest.fixture
async def replay() -> AsyncIterator[ReplayServer]:
    async with ReplayServer.running() as server:
        yield server


@pytest.fixture(params=sorted(STREAMS))
async def stream(request: pytest.FixtureRequest) -> dict[str, Any]:
    return STREAMS[request.param]


@pytest.fixture
async def connector(replay: ReplayServer, stream: dict[str, Any]) -> AsyncIterator[OpenAILLM]:
    preset, api, key = stream["preset"], stream["api"], SecretStr("key")
    made = OpenAILLM(OpenAISettings(preset=preset, api=api, url=f"{replay.url}/v1", key=key, model="m"))
    await made.start()
    yield made
    await made.stop()


async def ask(connector: OpenAILLM) -> list[LLMChunk]:
    return [chunk async for chunk in connector.stream(HELLO)]


def end_of(stream: dict[str, Any]) -> int:
    """The number of events after which all but the usage was said."""
    for number, event in enumerate(stream["events"], start=1):
        chosen = any(choice.get("finish_reason") for choice in event.get("choices", []))
        if chosen or event.get("type") in {"response.completed", "response.incomplete"}:
            return number
    raise AssertionError("the stream has no end")


@pytest.mark.parametrize("broken", [True, False], ids=["broken", "closed"])
async def test_a_stream_that_ends_after_any_event_is_unavailable_or_whole(
    replay: ReplayServer, connector: OpenAILLM, stream: dict[str, Any], broken: bool
) -> None:
    events, end = pieces(stream), end_of(stream)
    # Some never say so, and then nobody knows what a broken connection kept back.
    says_that_it_is_over = stream["done"] or stream["api"] == "responses"
    for count in range(len(events) + 1):
        complete = count >= end and (not broken or (says_that_it_is_over and count == len(events)))
        replay.always = HttpReply.events(events[:count], cut=broken)
        try:
            chunks = await ask(connector)
        except UnavailableError:
            assert not complete, f"{count} events were the whole"
        else:
            assert count >= end, f"{count} events passed for the whole"
            check(chunks, stream, usage=count == len(events))


@pytest.mark.parametrize("broken", [True, False], ids=["broken", "closed"])
async def test_a_stream_that_ends_inside_any_event_is_unavailable_or_whole(
    replay: ReplayServer, connector: OpenAILLM, stream: dict[str, Any], broken: bool
) -> None:
    events, end = pieces(stream), end_of(stream)
    for count, event in enumerate(events):
        replay.always = HttpReply.events([*events[:count], event[: len(event) // 2]], cut=broken)
        try:
            chunks = await ask(connector)
        except UnavailableError:
            assert count < end or broken, f"{count} events were the whole"
        else:
            assert count >= end, f"{count} events passed for the whole"
            check(chunks, stream, usage=False)
