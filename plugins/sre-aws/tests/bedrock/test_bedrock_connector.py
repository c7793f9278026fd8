"""The connector as its user sees it, against the fake of Bedrock: skills, thoughts, caching, models, embeddings."""

import asyncio
import gc
import time
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import ValidationError

from sre_aws import register_connectors, register_models
from sre_aws.bedrock.connector import BedrockLLM
from sre_aws.bedrock.settings import BedrockSettings
from sre_core.access import ACL, Access, Candidate, Guard, Resource
from sre_core.access.stored import StoredAcls
from sre_core.agents import loop
from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import LLM, Settings
from sre_core.connectors.llm import Completion, LLMRequest, fold
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnavailableError
from sre_core.events import Event, SkillReturned
from sre_core.messages import FinishReason, Message, SkillSpec
from sre_core.skills import Skill, SkillContext
from sre_core.steps import DirectSteps
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer

from .bedrock_rules import CLAUDE, NEW_CLAUDE, NOVA_2, OLD_CLAUDE, PROFILE  # noqa: TID252
from .event_stream import event  # noqa: TID252
from .fake_bedrock import COHERE, TITAN, FakeBedrock, at  # noqa: TID252


async def complete(connector: BedrockLLM, *messages: Message | str, **changes: Any) -> Completion:
    said = tuple(Message.user(message) if isinstance(message, str) else message for message in messages)
    async with aclosing(connector.stream(LLMRequest(messages=said, **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


def every_model() -> Guard:
    """A guard that lets everybody use every model."""
    public = ACL().grant(Candidate.public(), Access.READ)
    return Guard(StoredAcls(MemoryStorage(Settings()), configured={Resource.parse("llm"): public}))


def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"the sum is {a + b}"


def no_context() -> SkillContext:
    raise AssertionError("the skill wants no context")


@pytest.mark.parametrize("model", [CLAUDE, NEW_CLAUDE, PROFILE, OLD_CLAUDE, NOVA_2])
async def test_an_agent_keeps_prompt_skills_and_thoughts_over_turns_of_skills(connector, bedrock, model: str):
    events: list[Event] = []

    async def emit(event: Event) -> None:
        events.append(event)

    conversation, skill = Conversation(), Skill.from_function(add)
    for prompt in ('redact call add {"a": 1, "b": 2}', 'call add {"a": 3, "b": 4} and call add {"a": 5, "b": 6}'):
        conversation.append(Message.user(prompt))
        await loop.run(
            llm=LLM(connector, Candidate.agent("a1"), every_model()),
            conversation=conversation,
            skills={skill.name: skill},
            limits=Limits(),
            steps=DirectSteps(),
            emit=emit,
            context=no_context,
            base=LLMRequest(messages=(), model=model, thinking=True),
            behavior="You are a careful bookkeeper.",
            run_id="r1",
            agent_id="a1",
        )
    sums = ["the sum is 3", "the sum is 7", "the sum is 11"]
    assert [event.result for event in events if isinstance(event, SkillReturned)] == sums
    # The server has checked each signature, and that nothing before a thought was changed.
    assert bedrock.refusals == []
    assert bedrock.dropped == [0, 0, 0, 0]
    for body in bedrock.bodies:
        assert body["system"] == bedrock.bodies[0]["system"]
        assert body["toolConfig"] == bedrock.bodies[0]["toolConfig"]
    thoughts = [
        block
        for message in bedrock.bodies[-1]["messages"]
        for block in message["content"]
        if "reasoningContent" in block
    ]
    # Nova does not sign its thoughts, and by a budget models think only where an answer begins.
    assert len(thoughts) == {NOVA_2: 0, OLD_CLAUDE: 3}.get(model, 5)


async def test_a_history_that_was_cut_loses_the_thoughts_behind_the_cut(connector, make, bedrock: FakeBedrock):
    talk: list[Any] = ["one"]
    for prompt in ("two", "three"):
        talk += [(await complete(connector, *talk, thinking=True)).message, prompt]
    await complete(connector, *talk[2:], thinking=True)
    assert bedrock.dropped[-1] == 1
    strict = make(changed_history="error")
    await strict.start()
    with pytest.raises(Exception, match="bound to a different conversation") as refused:
        await complete(strict, *talk[2:], thinking=True)
    assert "changed_history" in refused.value.hint
    await strict.stop()


async def test_a_history_that_was_cut_does_no_harm_to_a_model_that_thinks_between_calls(
    connector, bedrock: FakeBedrock
):
    skill = SkillSpec(name="add", description="Adds.", parameters={"type": "object", "properties": {}})
    changes = {"model": PROFILE, "thinking": False, "skills": (skill,)}
    talk: list[Message] = []
    for prompt in ("one", "call add {}", None, "call add {}", None):
        talk += [Message.user(prompt)] if prompt else [Message.result(talk[-1].skill_calls[0], "3")]
        talk.append((await complete(connector, *talk, **changes)).message)
    assert any(message.state for message in talk)
    assert (await complete(connector, *talk[2:], "thanks", **changes)).message.text == "thanks"
    assert bedrock.refusals == []


@pytest.mark.parametrize("begun", [(), (("messageStart", {"role": "assistant"}),)])
async def test_stopping_ends_calls_that_wait_for_the_service(begun: Any):
    frames = [event(kind, data) for kind, data in begun]
    reply = HttpReply(headers={"Content-Type": "application/vnd.amazon.eventstream"}, pieces=frames, hang=True)
    async with ReplayServer.running(always=reply) as server:
        connector = at(server.url)
        await connector.start()
        calls = [asyncio.ensure_future(complete(connector, "Hi")) for _ in range(20)]
        await server.wait_until_busy(20)
        await connector.stop()
        async with asyncio.timeout(120):
            found = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in found} == {UnavailableError}


async def test_what_is_read_after_the_stop_is_an_error_of_ours():
    frames = [event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})]
    reply = HttpReply(headers={"Content-Type": "application/vnd.amazon.eventstream"}, pieces=frames, hang=True)
    async with ReplayServer.running(always=reply) as server:
        connector = at(server.url)
        await connector.start()
        async with aclosing(connector.stream(LLMRequest(messages=(Message.user("Hi"),)))) as chunks:
            await anext(chunks)
            await connector.stop()
            with pytest.raises(UnavailableError):
                await anext(chunks)


@pytest.mark.parametrize(
    "environment", [{"AWS_BEARER_TOKEN_BEDROCK": "token-of-somebody"}, {"AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth"}]
)
async def test_the_environment_does_not_replace_keys_that_are_given(make, monkeypatch, environment: dict[str, str]):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    connector = make()
    await connector.start()
    # The server lets nobody in but the holder of these keys.
    assert (await complete(connector, "Hi")).message.text == "Hi"
    assert await connector.models()
    await connector.stop()


async def test_what_was_read_before_comes_from_the_cache(connector):
    talk: list[Any] = [Message.system("You are a poet, and this is worth keeping."), "one"]
    first = await complete(connector, *talk, thinking=False)
    assert first.usage.cache_write_tokens == first.usage.input_tokens
    second = await complete(connector, *talk, first.message, "two", thinking=False)
    assert second.usage.cached_tokens == first.usage.input_tokens


async def test_a_guardrail_speaks_for_itself(connector):
    stopped = await complete(connector, "this is forbidden")
    assert stopped.finish_reason is FinishReason.CONTENT_FILTER
    assert stopped.message.text == "Sorry, this is not allowed."


async def test_models_are_listed_with_the_default_first(make, bedrock: FakeBedrock):
    connector = make(model=PROFILE)
    await connector.start()
    names = [model.id for model in await connector.models()]
    assert names == [PROFILE, OLD_CLAUDE, "meta.llama3-8b-instruct-v1:0", CLAUDE, NOVA_2, NEW_CLAUDE]
    bedrock.may_list = False
    assert [model.id for model in await connector.models()] == [PROFILE]
    await connector.ping()
    await connector.stop()


async def test_without_a_model_a_request_has_to_name_one(make):
    connector = make(model=None)
    await connector.start()
    with pytest.raises(ConfigError, match="names a model"):
        await complete(connector, "Hi")
    assert (await complete(connector, "Hi", model=CLAUDE)).message.text == "Hi"
    await connector.stop()


async def test_titan_embeds_text_by_text_and_cohere_in_batches(make, bedrock: FakeBedrock):
    connector = make(embedding_dimensions=32)
    await connector.start()
    texts = [f"text number {number}" for number in range(100)]
    titan = await connector.embed(texts, model=TITAN)
    assert {len(vector) for vector in titan} == {32}
    assert len(bedrock.bodies) == 100
    cohere = await connector.embed(texts, model=COHERE)
    assert [vector[:32] for vector in cohere] == titan
    assert [len(body["texts"]) for body in bedrock.bodies[100:]] in ([96, 4], [4, 96])
    await connector.stop()


@pytest.mark.parametrize(
    ("model", "replies"),
    [
        pytest.param(TITAN, [{"embedding": []}, {"embedding": []}], id="titan-empty"),
        pytest.param(TITAN, [{"embedding": [0.5, 0.25]}, {"embedding": [0.5]}], id="titan-of-two-lengths"),
        pytest.param(TITAN, [{"embedding": ["half", "none"]}] * 2, id="titan-words"),
        pytest.param(TITAN, [{"embedding": [[0.5], [0.25]]}] * 2, id="titan-nested"),
        pytest.param(TITAN, [{"embedding": 0.5}] * 2, id="titan-a-number"),
        pytest.param(COHERE, [{"embeddings": {"float": [[], []]}}], id="cohere-empty"),
        pytest.param(COHERE, [{"embeddings": {"float": [[0.5, 0.25], [0.5]]}}], id="cohere-of-two-lengths"),
        pytest.param(COHERE, [{"embeddings": {"float": [[0.5, 0.25]]}}], id="cohere-too-few"),
        pytest.param(COHERE, [{"embeddings": [[0.5, None], [0.5, 0.25]]}], id="cohere-with-gaps"),
        pytest.param(COHERE, [{"embeddings": {"int8": [[1, 2], [3, 4]]}}], id="cohere-of-another-type"),
    ],
)
async def test_what_are_no_vectors_is_an_error_of_ours(model: str, replies: list[Any]):
    async with ReplayServer.running(*map(HttpReply.json, replies)) as server:
        connector = at(server.url)
        await connector.start()
        with pytest.raises(ConnectorError, match=model) as raised:
            await connector.embed(["one", "two"], model=model)
        assert not raised.value.retryable
        assert raised.value.hint
        await connector.stop()


async def test_a_message_is_written_once_and_forgotten_with_it(connector, monkeypatch):
    import sre_aws.bedrock.wire_cache as cache

    written: list[Message] = []
    original = cache.wire
    monkeypatch.setattr(cache, "wire", lambda message, family: written.append(message) or original(message, family))
    talk = [Message.user("one"), Message.assistant("two"), Message.user("three")]
    for _ in range(3):
        await complete(connector, *talk)
    assert len(written) == 3
    written.clear()
    del talk
    gc.collect()
    assert not connector._wires._known


async def test_a_server_that_falls_silent_or_goes_away_is_told_apart(bedrock: FakeBedrock, make):
    async with FaultProxy.before(int(bedrock.url.rpartition(":")[2])) as proxy:
        connector = make(url=f"http://127.0.0.1:{proxy.port}", timeout=3)
        await connector.start()
        await complete(connector, "Hi")
        proxy.silent = True
        with pytest.raises(DeadlineError):
            await complete(connector, "Hi")
        proxy.silent, proxy.refusing = False, True
        proxy.break_off()
        with pytest.raises(UnavailableError):
            await complete(connector, "Hi")
        proxy.refusing = False
        assert (await complete(connector, "Hi")).message.text == "Hi"
        await connector.stop()


async def test_a_slow_reply_that_takes_longer_than_any_silence_may_arrives_whole():
    texts = [f"{number}".zfill(1 << 16) for number in range(24)]
    frames = [event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in texts]
    frames.append(event("messageStop", {"stopReason": "end_turn"}))
    reply = HttpReply(headers={"Content-Type": "application/vnd.amazon.eventstream"}, pieces=frames)
    async with ReplayServer.running(always=reply) as server, FaultProxy.before(server.port) as proxy:
        connector = at(f"http://127.0.0.1:{proxy.port}", timeout=3)
        await connector.start()
        proxy.delay = 0.15
        begun = time.monotonic()
        assert (await complete(connector, "Hi")).message.text == "".join(texts)
        assert time.monotonic() - begun > 3
        await connector.stop()


def test_the_plugin_offers_the_connector_and_its_models():
    assert BedrockLLM in register_connectors()
    assert {entry.connector for entry in register_models()} == {BedrockLLM.name}


def test_settings_that_make_no_sense_are_refused():
    for settings in ({"model": ""}, {"max_tokens": 0}, {"prompt_caching": "2h"}, {"url": "ftp://x"}):
        with pytest.raises(ValidationError):
            BedrockSettings(**settings)
