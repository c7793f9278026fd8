"""The connector as its user sees it, against the fake server: keys, models, caching, files, faults, secrets."""

import asyncio
import gc
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from sre_anthropic import AnthropicLLM, AnthropicSettings, register_connectors, register_models
from sre_anthropic.models import info
from sre_core import logs
from sre_core.connectors.llm import Completion, LLMRequest, fold
from sre_core.errors import ConfigError, DeadlineError, UnauthenticatedError, UnavailableError
from sre_core.messages import File, FinishReason, Message, SkillSpec, Usage
from sre_core.testing.conformance.llm_cases import page, picture
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer

from .fake_claude import FakeClaude  # noqa: TID252 -- the folder of tests is no package

ADD = SkillSpec(
    name="add",
    description="Adds two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
)


async def complete(connector: AnthropicLLM, *messages: Message | str, **changes: Any) -> Completion:
    said = tuple(Message.user(message) if isinstance(message, str) else message for message in messages)
    async with aclosing(connector.stream(LLMRequest(messages=said, **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


async def test_several_skills_are_called_at_once_and_their_results_go_back(connector, claude: FakeClaude):
    prompt = 'call add {"a": 1, "b": "ü🦜"} and call add {"a": 2}'
    asked = await complete(connector, prompt, skills=(ADD,), thinking=False)
    assert [call.arguments for call in asked.message.skill_calls] == ['{"a": 1, "b": "ü🦜"}', '{"a": 2}']
    assert asked.finish_reason is FinishReason.SKILL_CALLS
    results = [Message.result(call, f"result {n}") for n, call in enumerate(asked.message.skill_calls)]
    done = await complete(connector, prompt, asked.message, *results, skills=(ADD,), thinking=False)
    assert done.message.text == "result 0\nresult 1"
    assert claude.refusals == []


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_letters_that_are_cut_in_two_arrive_whole(connector, claude: FakeClaude, size: int):
    claude.piece = size
    text = "naïve 日本語 🦜 \u2028 fin"
    assert (await complete(connector, text)).message.text == text


async def test_what_was_read_before_comes_from_the_cache(connector, claude: FakeClaude):
    talk: list[Any] = [Message.system("You are a poet, and this is long enough to be worth keeping."), "one"]
    first = await complete(connector, *talk, skills=(ADD,), thinking=False)
    assert first.usage.cached_tokens == 0
    assert first.usage.cache_write_tokens > 0
    talk += [first.message, "two"]
    second = await complete(connector, *talk, skills=(ADD,), thinking=False)
    assert second.usage.cached_tokens == first.usage.input_tokens
    assert second.usage.cached_tokens + second.usage.cache_write_tokens <= second.usage.input_tokens
    third = await complete(connector, *talk, second.message, "three", skills=(ADD,), thinking=False)
    assert third.usage.cached_tokens == second.usage.input_tokens


async def test_images_pdfs_and_texts_arrive_as_they_were_sent(connector, claude: FakeClaude):
    text = File(name="a.md", media_type="text/markdown", data="# Übersicht".encode())
    answer = await complete(connector, Message.user("Look", files=(picture(), page(), text)))
    assert answer.message.text == "Look"
    assert claude.refusals == []
    sources = [block["source"]["media_type"] for block in claude.bodies[0]["messages"][0]["content"][:3]]
    assert sources == ["image/png", "application/pdf", "text/plain"]


async def test_an_answer_by_schema_may_come_after_a_call(connector):
    class Answer(BaseModel):
        text: str
        numbers: list[int] = []

    changes = {"skills": (ADD,), "output_schema": Answer.model_json_schema(), "thinking": False}
    asked = await complete(connector, "call add", **changes)
    result = Message.result(asked.message.skill_calls[0], "3")
    done = await complete(connector, "call add", asked.message, result, **changes)
    Answer.model_validate_json(done.message.text)


async def test_a_refusal_says_why(connector):
    refused = await complete(connector, "refuse")
    assert refused.finish_reason is FinishReason.CONTENT_FILTER
    assert refused.message.text == "This can do harm."


async def test_a_history_that_was_cut_loses_the_thoughts_behind_the_cut(connector, make, claude: FakeClaude):
    talk: list[Any] = ["one"]
    for prompt in ("two", "three"):
        talk += [(await complete(connector, *talk, thinking=True)).message, prompt]
    await complete(connector, *talk, thinking=True)
    assert claude.dropped == [0, 0, 0]
    await complete(connector, *talk[2:], thinking=True)
    assert claude.dropped[-1] == 1
    assert "thinking-binding-controls-2026-08-01" in claude.heads[-1]["anthropic-beta"]
    strict = make(changed_history="error")
    await strict.start()
    with pytest.raises(Exception, match="bound to a different conversation") as refused:
        await complete(strict, *talk[2:], thinking=True)
    assert "changed_history" in refused.value.hint
    await strict.stop()


# Keys, headers, models


async def test_it_does_not_start_without_a_key_unless_the_server_needs_none(claude: FakeClaude):
    with pytest.raises(ConfigError, match="no key"):
        await AnthropicLLM(AnthropicSettings()).start()
    connector = AnthropicLLM(AnthropicSettings(url=claude.url))
    await connector.start()
    with pytest.raises(UnauthenticatedError):
        await connector.ping()
    await connector.stop()


async def test_version_betas_and_headers_go_with_every_request(make, claude: FakeClaude):
    connector = make(
        api_version="2023-06-01",
        betas=("one-beta-2026-01-01", "two-beta-2026-01-01"),
        headers={"x-team": SecretStr("blue-team-secret")},
    )
    await connector.start()
    await complete(connector, "Hi", temperature=0.5, thinking=False)
    await connector.stop()
    head = claude.heads[0]
    assert head["anthropic-version"] == "2023-06-01"
    assert head["anthropic-beta"] == "one-beta-2026-01-01,two-beta-2026-01-01"
    assert head["x-team"] == "blue-team-secret"
    assert claude.bodies[0]["temperature"] == 0.5
    assert "blue-team-secret" not in f"{connector!r} {connector.settings!r}"


async def test_the_environment_of_the_client_library_is_not_asked_for_keys(make, claude: FakeClaude, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another-key")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another-token")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    connector = make()
    await connector.start()
    assert (await complete(connector, "Hi")).message.text == "Hi"
    await connector.stop()


async def test_its_models_are_those_of_the_server_with_the_default_first(make):
    connector = make(model="claude-opus-5")
    await connector.start()
    models = await connector.models()
    await connector.stop()
    assert models[0].id == "claude-opus-5"
    assert {"claude-haiku-5-5", "claude-opus-4-5-20251101"} < {model.id for model in models}
    assert models[0].output_tokens == 128_000


async def test_a_server_without_a_list_of_models_has_the_default_one():
    reply = HttpReply.json({"detail": "Not Found"}, status=404)
    async with ReplayServer.running(always=reply) as server:
        connector = AnthropicLLM(AnthropicSettings(url=server.url, model="some-model"))
        await connector.start()
        assert [model.id for model in await connector.models()] == ["some-model"]
        await connector.ping()
        await connector.stop()


async def test_what_is_left_out_of_requests_is_said_once(connector, capsys):
    logs.configure()
    for _ in range(2):
        await complete(connector, "Hi", temperature=0.2, top_p=0.5)
    said = capsys.readouterr()
    assert (said.out + said.err).count("sampling_ignored") == 2


def test_the_catalogue_has_the_limits_and_prices_of_the_models():
    entries = {entry.name: entry for entry in register_models()}
    assert all(entry.provider == "anthropic" and entry.connector == "anthropic" for entry in entries.values())
    names = [name for entry in entries.values() for name in (entry.name, *entry.aliases)]
    assert len(set(names)) == len(names)
    opus = entries["claude-opus-5-5"]
    usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000, cached_tokens=400_000, cache_write_tokens=100_000)
    assert opus.cost(usage) == pytest.approx(0.5 * 4 + 0.4 * 0.2 + 0.1 * 5 + 20)
    assert info("claude-opus-4-5").output_tokens == info("claude-opus-4-5-20251101").output_tokens == 64_000
    default = AnthropicSettings().model
    assert default in entries
    assert [kind.name for kind in register_connectors()] == ["anthropic"]


@pytest.mark.parametrize("settings", [{"url": "ftp://x"}, {"timeout": 0}, {"max_tokens": 0}, {"api_version": "new"}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]):
    with pytest.raises(ValidationError):
        AnthropicSettings(**settings)


# Messages are written once


async def test_a_message_is_written_once_and_forgotten_with_it(connector, monkeypatch):
    written: list[Message] = []
    import sre_anthropic.wire_cache as cache

    original = cache.wire
    monkeypatch.setattr(cache, "wire", lambda message: written.append(message) or original(message))
    talk = [Message.user("one"), Message.assistant("two"), Message.user("three")]
    for _ in range(3):
        await complete(connector, *talk)
    assert len(written) == 3
    written.clear()
    del talk
    gc.collect()
    assert not connector._wires._known


async def test_a_large_file_is_written_off_the_loop(connector, claude: FakeClaude):
    large = File(name="a.txt", media_type="text/plain", data=b"x" * (2 << 20))
    message = Message.user("Look", files=(large,))
    await complete(connector, message)
    await complete(connector, message)
    assert len(claude.bodies[1]["messages"][0]["content"][0]["source"]["data"]) == 2 << 20
    assert int(claude.heads[1]["content-length"]) > 2 << 20


# Faults on the way


async def test_a_server_that_falls_silent_is_late(claude: FakeClaude, make):
    async with FaultProxy.before(int(claude.url.rpartition(":")[2])) as proxy:
        connector = make(url=f"http://127.0.0.1:{proxy.port}", timeout=3)
        await connector.start()
        await complete(connector, "Hi")
        proxy.silent = True
        with pytest.raises(DeadlineError, match="fell silent"):
            await complete(connector, "Hi")
        await connector.stop()


async def test_a_server_that_goes_away_and_comes_back_is_found_again(claude: FakeClaude, make):
    async with FaultProxy.before(int(claude.url.rpartition(":")[2])) as proxy:
        connector = make(url=f"http://127.0.0.1:{proxy.port}")
        await connector.start()
        await complete(connector, "Hi")
        proxy.refusing = True
        proxy.break_off()
        with pytest.raises(UnavailableError):
            await complete(connector, "Hi")
        proxy.refusing = False
        assert (await complete(connector, "Hi")).message.text == "Hi"
        proxy.cut_after = 2000
        with pytest.raises(UnavailableError, match="broke off"):
            await complete(connector, "a longer text " * 99)
        await connector.stop()


async def test_a_slow_server_is_waited_for(claude: FakeClaude, make):
    async with FaultProxy.before(int(claude.url.rpartition(":")[2])) as proxy:
        proxy.delay = 0.02
        connector = make(url=f"http://127.0.0.1:{proxy.port}")
        await connector.start()
        assert (await complete(connector, "one two three")).message.text == "one two three"
        await connector.stop()


async def test_leaving_a_reply_early_hangs_up(claude: FakeClaude, make):
    async with FaultProxy.before(int(claude.url.rpartition(":")[2])) as proxy:
        connector = make(url=f"http://127.0.0.1:{proxy.port}")
        await connector.start()
        async with aclosing(connector.stream(LLMRequest(messages=(Message.user("word " * 9999),)))) as chunks:
            await anext(chunks)
            assert proxy.open == 1
        async with asyncio.timeout(120):
            await proxy.wait_until_open(0)
        await connector.stop()
