"""The connector against a server that speaks its API: what is sent, what comes back, what goes wrong."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from sre_core.connectors.llm import Completion, LLMChunk, LLMRequest, fold
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnavailableError, UnsupportedError
from sre_core.messages import File, FinishReason, Message, SkillSpec
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port
from sre_openai import OpenAILLM, OpenAISettings

from .fake_server import KEY, FakeServer, sse  # noqa: TID252 -- the folder of tests is no package
from .replies import chat_events, responses_events  # noqa: TID252

ADD = SkillSpec(name="add", description="Add.", parameters={"type": "object", "properties": {"a": {"type": "integer"}}})
DONE = b"data: [DONE]\n\n"


@asynccontextmanager
async def started(**settings: Any) -> AsyncIterator[OpenAILLM]:
    connector = OpenAILLM(OpenAISettings.model_validate(settings))
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop()


def on(fake: FakeServer, **settings: Any) -> Any:
    return started(**{"preset": "openai", "url": fake.url, "key": KEY, "model": "echo", **settings})


def ask(*messages: Message | str, **changes: Any) -> LLMRequest:
    said = tuple(Message.user(message) if isinstance(message, str) else message for message in messages)
    return LLMRequest(messages=said, **changes)


async def chunks_of(connector: OpenAILLM, request: LLMRequest) -> list[LLMChunk]:
    async with aclosing(connector.stream(request)) as stream:
        return [chunk async for chunk in stream]


async def complete(connector: OpenAILLM, request: LLMRequest) -> Completion:
    return fold(await chunks_of(connector, request))


def chat_reply(*texts: str, **more: Any) -> HttpReply:
    return HttpReply.events([*(sse(event) for event in chat_events(*texts, **more)), DONE])


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_thoughts_calls_and_results_go_to_and_fro(fake: FakeServer, api: str):
    async with on(fake, api=api) as connector:
        talk = [Message.system("Be kind."), Message.user('call add {"a": 1} call add {"a": 2}')]
        first = await complete(connector, ask(*talk, skills=(ADD,), thinking=True))
        assert first.thinking == "Let me think. "
        assert [call.arguments for call in first.message.skill_calls] == ['{"a": 1}', '{"a": 2}']
        assert first.finish_reason is FinishReason.SKILL_CALLS
        talk += [first.message, *(Message.result(call, call.arguments) for call in first.message.skill_calls)]
        second = await complete(connector, ask(*talk, skills=(ADD,)))
        assert second.message.text == '{"a": 1}\n{"a": 2}'
    if api == "responses":
        kinds = [item.get("type", "message") for item in fake.requests[-1]["input"]]
        assert kinds == ["message", "message", "reasoning", *["function_call"] * 2, *["function_call_output"] * 2]
        assert fake.requests[-1]["input"][2]["encrypted_content"] == "sealed:x"
        assert fake.requests[-1]["store"] is False


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_files_reach_the_model(fake: FakeServer, api: str):
    image = File(name="a.png", media_type="image/png", data=b"x" * 10)
    page = File(name="a.pdf", media_type="application/pdf", data=b"%PDF-" * 300_000)
    text = File(name="a.txt", media_type="text/plain", data=b"Hello")
    async with on(fake, api=api) as connector:
        found = await complete(connector, ask(Message.user("See", files=(image, page, text))))
    assert found.message.text == '<file name="a.txt">\nHello\n</file>See image/png 10 application/pdf 1500000'


async def test_text_files_are_sent_where_documents_are_not(fake: FakeServer):
    text = File(name="a.md", media_type="text/markdown", data=b"Hello")
    page = File(name="a.pdf", media_type="application/pdf", data=b"%PDF-")
    async with on(fake, api="chat", capabilities=["tools"]) as connector:
        assert "Hello" in (await complete(connector, ask(Message.user("", files=(text,))))).message.text
        with pytest.raises(UnsupportedError, match="documents"):
            await complete(connector, ask(Message.user("", files=(text, page))))


async def test_a_message_is_written_once_and_forgotten_with_its_conversation():
    async with ReplayServer.running(always=chat_reply("ok")) as server, started(url=server.url, model="m") as connector:
        history = [Message.user(f"message {number}") for number in range(50)]
        for _ in range(3):
            history.append((await complete(connector, ask(*history))).message)
        known = connector._dialect._messages._known
        assert set(known) == {id(message) for message in history[:-1]}
        assert json.loads(server.requests[-1].body)["messages"][0] == {"role": "user", "content": "message 0"}
        history.clear()
        gc.collect()
        assert known == {}


async def test_the_stop_sequence_of_a_server_that_takes_none_ends_the_reply_and_frees_the_connection():
    events = [sse(event) for event in chat_events("one ", "two th", "ree four", finish=None)]
    reply = HttpReply.events(events, hang=True)
    async with ReplayServer.running(always=reply) as server:
        async with started(preset="xai", url=server.url, key="k", model="m") as connector:
            found = await complete(connector, ask("count", stop=("three",)))
            assert found.message.text == "one two "
            assert found.finish_reason is FinishReason.STOP
            await asyncio.wait_for(server.wait_until_busy(0), 60)
        assert "stop" not in json.loads(server.requests[0].body)


async def test_a_server_that_sends_the_stop_sequence_itself_is_corrected():
    async with ReplayServer.running(always=chat_reply("one two")) as server, started(url=server.url, model="m") as llm:
        found = await complete(llm, ask("count", stop=("two",)))
        assert json.loads(server.requests[0].body)["stop"] == ["two"]
    assert found.message.text == "one "
    assert found.usage.input_tokens == 3


async def test_connections_are_used_again():
    async with ReplayServer.running(always=chat_reply("ok")) as server, started(url=server.url, model="m") as connector:
        for _ in range(5):
            await complete(connector, ask("hi"))
        assert len(connector._client._pool._conns) == 1
        (waiting,) = connector._client._pool._conns.values()
        assert len(waiting) == 1


async def test_models_are_listed_once_with_the_default_first(fake: FakeServer):
    async with on(fake, model="other") as connector:
        assert [model.id for model in await connector.models()] == ["other", "echo"]
        await connector.models()
        assert len(fake.headers) == 1
    async with on(fake, models=["a", "b"], model=None) as connector:
        assert [model.id for model in await connector.models()] == ["gpt-6.1-terra", "a", "b"]
        assert len(fake.headers) == 1


@pytest.mark.parametrize(
    ("listed", "sizes"),
    [
        (
            {"data": [{"id": "m", "context_length": 4096, "top_provider": {"max_completion_tokens": 1024}}]},
            (4096, 1024),
        ),
        ([{"id": "m", "max_model_len": 2048}, {"id": "m"}], (2048, None)),
        ({"models": [{"name": "m", "meta": {"n_ctx": 512}}]}, (512, None)),
    ],
)
async def test_lists_of_many_forms_are_read(listed: Any, sizes: tuple[int | None, int | None]):
    async with ReplayServer.running(always=HttpReply.json(listed)) as server, started(url=server.url) as connector:
        (model,) = await connector.models()
    assert (model.id, model.context_tokens, model.output_tokens) == ("m", *sizes)


async def test_a_server_without_a_list_is_healthy_and_has_the_model_that_is_named():
    missing = HttpReply.json({"detail": "Not Found"}, status=404)
    async with ReplayServer.running(always=missing) as server:
        async with started(url=server.url, model="mine") as connector:
            await connector.ping()
            assert [model.id for model in await connector.models()] == ["mine"]
        async with started(url=server.url) as connector:
            with pytest.raises(NotFoundError, match="lists no models"):
                await complete(connector, ask("hi"))


async def test_a_local_server_is_asked_for_its_first_model(fake: FakeServer):
    async with started(url=fake.url, key=KEY, capabilities=["tools"], headers={"X-Team": "a"}) as connector:
        # The fake takes no max_tokens, which is the older name.
        assert (await complete(connector, ask("hello"))).message.text == "hello"
    assert fake.requests[0]["model"] == "echo"
    assert fake.headers[-1]["X-Team"] == "a"


async def test_a_server_that_answers_for_any_model_is_not_asked_for_one_that_it_lacks():
    listed, reply = HttpReply.json({"data": [{"id": "served"}]}), chat_reply("ok")
    async with (
        ReplayServer.running(listed, always=reply) as server,
        started(preset="llamacpp", url=server.url) as connector,
    ):
        with pytest.raises(NotFoundError, match="no model 'lost'"):
            await complete(connector, ask("hi", model="lost"))
        assert (await complete(connector, ask("hi"))).message.text == "ok"
        assert json.loads(server.requests[-1].body)["model"] == "served"


async def test_options_that_are_no_json_are_refused(fake: FakeServer):
    async with on(fake) as connector:
        with pytest.raises(ConfigError, match="cannot be written as JSON"):
            await complete(connector, ask("hi", options={"metadata": {"when": object()}}))


async def test_azure_has_no_model_of_its_own():
    async with started(preset="azure", url="https://acme.openai.azure.com", key="k") as connector:
        with pytest.raises(ConfigError, match="needs a `model`"):
            await complete(connector, ask("hi"))


async def test_a_model_that_is_not_declared_to_think_is_not_told_not_to():
    async with ReplayServer.running(always=chat_reply("ok")) as server, started(url=server.url, model="m") as connector:
        await complete(connector, ask("hi", thinking=False))
        assert "reasoning_effort" not in json.loads(server.requests[0].body)


async def test_vectors_keep_the_order_of_many_texts(fake: FakeServer):
    texts = [f"text number {number}" for number in range(23)]
    settings = {"embedding_model": "echo", "embedding_batch": 10}
    async with on(fake, **settings) as connector, on(fake, **settings, embedding_dimensions=8) as short:
        found = await connector.embed(texts)
        assert len(fake.requests) == 3
        assert found == [(await connector.embed([text]))[0] for text in texts]
        assert [len(vector) for vector in await short.embed(texts[:2])] == [8, 8]
    assert fake.requests[0]["encoding_format"] == "base64"


@pytest.mark.parametrize(
    "data",
    [
        {"data": [{"embedding": [1.0]}, {"embedding": [1.0]}]},
        {"data": [{"embedding": []}]},
        {"data": [{"embedding": "no base64"}]},
        {"data": [{"vector": [1.0]}]},
        {"object": "list"},
    ],
)
async def test_vectors_that_do_not_fit_are_refused(data: Any):
    async with ReplayServer.running(always=HttpReply.json(data)) as server, started(url=server.url, model="m") as llm:
        with pytest.raises(ConnectorError, match="no vectors"):
            await llm.embed(["text"])


async def test_hosted_tools_stand_beside_skills():
    events = [sse(event) for event in responses_events("ok")]
    async with (
        ReplayServer.running(always=HttpReply.events(events)) as server,
        started(preset="openai", url=server.url, key="k") as connector,
    ):
        options = {"hosted_tools": [{"type": "web_search"}]}
        await complete(connector, ask("hi", skills=(ADD,), options=options))
        with pytest.raises(ConfigError, match="hosted_tools"):
            await complete(connector, ask("hi", options={"hosted_tools": "web_search"}))
    assert [tool["type"] for tool in json.loads(server.requests[0].body)["tools"]] == ["function", "web_search"]


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_a_stream_that_ends_without_its_end_is_unavailable(api: str):
    events = chat_events("Hel", "lo", finish=None) if api == "chat" else responses_events("Hel", "lo")[:-2]
    reply = HttpReply.events([sse(event) for event in events])
    async with ReplayServer.running(always=reply) as server, started(url=server.url, model="m", api=api) as connector:
        stream = connector.stream(ask("hi"))
        assert (await anext(stream)).text == "Hello"
        with pytest.raises(UnavailableError, match="broke its reply off"):
            await anext(stream)


@pytest.mark.parametrize(
    ("preset", "api", "event"),
    [
        ("groq", "chat", {"choices": [{"finish_reason": {"why": "stop"}}]}),
        ("groq", "chat", {"choices": [{"delta": {"content": 7}, "finish_reason": "stop"}]}),
        ("openrouter", "chat", {"choices": [{"finish_reason": "stop", "delta": {"reasoning_details": "no list"}}]}),
        ("openrouter", "chat", {"choices": [{"finish_reason": "stop", "delta": {"reasoning_details": [3]}}]}),
        ("openai", "responses", {"type": "response.completed", "response": None}),
        ("openai", "responses", {"type": "response.output_item.done", "output_index": "0", "item": {"type": "x"}}),
    ],
)
async def test_an_end_that_is_not_of_the_protocol_is_an_error_of_the_connector(preset: str, api: str, event: Any):
    end = chat_events("a", finish=None) if api == "chat" else responses_events("a")
    events = [*end[:-1], event, end[-1]]
    reply = HttpReply.events([*(sse(one) for one in events), DONE])
    async with (
        ReplayServer.running(always=reply) as server,
        started(preset=preset, url=server.url, key="k", model="m", api=api) as connector,
    ):
        with pytest.raises(ConnectorError, match="not of the protocol"):
            await complete(connector, ask("hi"))


async def test_an_error_inside_a_stream_hides_what_is_secret():
    said = sse({"error": {"message": "Bearer sk-very-secret has no access", "type": "server_error"}})
    reply = HttpReply.events([sse(chat_events("a", finish=None)[0]), said])
    async with (
        ReplayServer.running(always=reply) as server,
        started(url=server.url, model="m", key="sk-very-secret") as connector,
    ):
        with pytest.raises(UnavailableError, match="has no access") as raised:
            await complete(connector, ask("hi"))
    assert "sk-very-secret" not in str(raised.value)


async def test_an_error_under_a_good_status_is_an_error():
    reply = HttpReply.json({"error": {"message": "No endpoints found", "code": 404}})
    async with ReplayServer.running(always=reply) as server, started(url=server.url, model="m") as connector:
        with pytest.raises(NotFoundError, match="No endpoints found"):
            await complete(connector, ask("hi"))


async def test_a_redirection_is_not_followed_with_the_key():
    there = HttpReply(status=307, headers={"Location": f"http://127.0.0.1:{free_port()}/"})
    async with (
        ReplayServer.running(always=there) as server,
        started(url=server.url, model="m", key="sk-k") as connector,
    ):
        with pytest.raises(ConnectorError, match="redirection"):
            await complete(connector, ask("hi"))


async def test_nobody_listens():
    async with started(url=f"http://127.0.0.1:{free_port()}/v1", model="m") as connector:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await connector.ping()
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await complete(connector, ask("hi"))


async def test_silence_has_an_end():
    hanging = HttpReply.events([sse(chat_events("Hel", finish=None)[0])], hang=True)
    async with (
        ReplayServer.running(always=hanging) as server,
        started(url=server.url, model="m", timeout=0.2) as connector,
    ):
        with pytest.raises(TimeoutError, match=r"silent for 0\.2 s"):
            await complete(connector, ask("hi"))
        await asyncio.wait_for(server.wait_until_busy(0), 60)


async def test_who_refuses_and_falls_silent_has_refused():
    refusing = HttpReply(status=503, pieces=[b'{"error": {"mess'], hang=True)
    async with (
        ReplayServer.running(always=refusing) as server,
        started(url=server.url, model="m", timeout=2) as connector,
    ):
        for call in (complete(connector, ask("hi")), connector.models()):
            with pytest.raises(UnavailableError, match="status 503"):
                await asyncio.wait_for(call, 60)
        await asyncio.wait_for(server.wait_until_busy(0), 60)


async def test_to_wait_for_a_connection_is_not_the_silence_of_the_server():
    first = HttpReply.events([sse(chat_events("Hel", finish=None)[0])], hang=True)
    hanging = HttpReply.events([], hang=True)
    async with (
        ReplayServer.running(first, chat_reply("you")) as server,
        ReplayServer.running(always=hanging) as clock,
        started(url=server.url, model="m", timeout=2, max_connections=1) as connector,
        started(url=clock.url, model="m", timeout=3) as other,
    ):
        async with aclosing(connector.stream(ask("hi"))) as stream:
            assert (await anext(stream)).text == "Hel"
            waiting = asyncio.create_task(complete(connector, ask("hi")))
            with pytest.raises(TimeoutError):
                await complete(other, ask("what time is it?"))
            assert not waiting.done()
            assert len(server.requests) == 1
        assert (await waiting).message.text == "you"
