"""The models of a server, which comes and goes, and may have others when it comes again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sre_core.connectors.llm import LLMRequest
from sre_core.errors import NotFoundError
from sre_core.messages import Message
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_openai import OpenAILLM, OpenAISettings

from .fake_server import sse  # noqa: TID252 -- the folder of tests is no package
from .replies import chat_events  # noqa: TID252


@asynccontextmanager
async def started(**settings: Any) -> AsyncIterator[OpenAILLM]:
    connector = OpenAILLM(OpenAISettings.model_validate(settings))
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop()


async def ask(connector: OpenAILLM, model: str | None = None) -> str:
    request = LLMRequest(messages=(Message.user("hi"),), model=model)
    return "".join([chunk.text async for chunk in connector.stream(request)])


def listing(*names: str) -> HttpReply:
    return HttpReply.json({"data": [{"id": name} for name in names]})


GOOD = HttpReply.events([*(sse(event) for event in chat_events("ok")), b"data: [DONE]\n\n"])
GONE = HttpReply.json({"error": {"message": "The model `one` does not exist.", "code": 404}}, status=404)


def asked(server: ReplayServer) -> list[str]:
    """The models that were asked; "?" is a request for the list."""
    return [json.loads(one.body)["model"] if one.body else "?" for one in server.requests]


async def test_a_server_that_lists_nothing_yet_is_asked_again():
    async with ReplayServer.running(listing(), listing("one"), GOOD) as server, started(url=server.url) as connector:
        with pytest.raises(NotFoundError, match="lists no models"):
            await ask(connector)
        assert await ask(connector) == "ok"
        assert asked(server) == ["?", "?", "one"]


async def test_a_server_that_came_back_with_another_model_is_asked_for_that():
    replies = (listing("one"), GOOD, GONE, listing("two"), GOOD)
    async with ReplayServer.running(*replies) as server, started(url=server.url) as connector:
        assert await ask(connector) == "ok"
        with pytest.raises(NotFoundError, match="no model 'one'"):
            await ask(connector)
        assert await ask(connector) == "ok"
        assert asked(server) == ["?", "one", "one", "?", "two"]


async def test_the_same_goes_for_embeddings():
    vector = HttpReply.json({"data": [{"embedding": [1.0]}]})
    replies = (listing("one"), GONE, listing("two"), vector)
    async with ReplayServer.running(*replies) as server, started(url=server.url) as connector:
        with pytest.raises(NotFoundError, match="no model 'one'"):
            await connector.embed(["text"])
        assert await connector.embed(["text"]) == [[1.0]]
        assert asked(server) == ["?", "one", "?", "two"]


async def test_a_model_that_a_server_has_by_now_is_found():
    replies = (listing("one"), GOOD, listing("one", "two"), GOOD)
    async with (
        ReplayServer.running(*replies, always=listing("one")) as server,
        started(preset="llamacpp", url=server.url) as connector,
    ):
        assert await ask(connector, "one") == "ok"
        assert await ask(connector, "two") == "ok"
        with pytest.raises(NotFoundError, match="no model 'three'"):
            await ask(connector, "three")
        assert asked(server) == ["?", "one", "?", "two", "?"]


async def test_a_server_without_a_list_is_asked_for_it_only_once():
    missing = HttpReply.json({"detail": "Not Found"}, status=404)
    async with (
        ReplayServer.running(missing, always=GOOD) as server,
        started(preset="llamacpp", url=server.url, model="one") as connector,
    ):
        assert [await ask(connector), await ask(connector)] == ["ok", "ok"]
        assert asked(server) == ["?", "one", "one"]


def test_many_callers_wait_for_one_list_in_each_loop_that_it_is_started_in():
    connector = OpenAILLM(OpenAISettings(url="http://127.0.0.1:9/v1"))

    async def listed() -> list[str]:
        async with ReplayServer.running(listing("one")) as server:
            connector._settings = OpenAISettings(url=server.url)
            await connector.start()
            found = await asyncio.gather(*(connector.models() for _ in range(20)))
            await connector.stop()
        return [model.id for models in found for model in models]

    for _ in range(2):
        assert asyncio.run(listed()) == ["one"] * 20
