"""Asking a model, and leaving out what it does not take."""

from dataclasses import replace

import pytest

from sre_core.components.llm.asking import ask, cut_short, is_echo, refused_option
from sre_core.connectors.llm import LLMChunk
from sre_core.errors import (
    ComponentError,
    ConfigError,
    ConnectorError,
    ModelReplyError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from sre_core.messages import FinishReason, Message
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM


def request(use, **changes):
    return replace(use.request, messages=(Message.user("p"),), **changes)


async def test_parameters_are_left_out_one_after_the_other(scripted):
    llm = ScriptedLLM(
        ConfigError("temperature = 0.5 is not taken any more"),
        ConfigError("the option 'effort' is wrong: no such effort"),
        "ok",
        options=["effort"],
    )
    async with scripted(llm) as b:
        use = b.host.model(None)
        completion = await ask(use, request(use, temperature=0.5, options={"effort": "odd"}), b.context)
    assert completion.message.text == "ok"
    assert [(one.temperature, dict(one.options)) for one in llm.requests] == [
        (0.5, {"effort": "odd"}),
        (None, {"effort": "odd"}),
        (None, {}),
    ]


async def test_an_option_of_the_administrator_is_not_left_out(scripted):
    async with scripted(ScriptedLLM("ok")) as b:
        use = b.host.model(None)
        use = replace(use, request=replace(use.request, options={"odd": 1}))
        with pytest.raises(ConfigError, match="odd"):
            await ask(use, request(use), b.context)


async def test_another_wrong_setting_is_raised(scripted):
    async with scripted(ScriptedLLM(ConfigError("the URL is not valid"))) as b:
        use = b.host.model(None)
        with pytest.raises(ConfigError, match="URL"):
            await ask(use, request(use, temperature=0.5), b.context)


async def test_nothing_is_asked_twice_once_the_reply_has_begun(scripted):
    llm = ScriptedLLM(["half", ConfigError("temperature: no")], "ok")
    async with scripted(llm) as b:
        use = b.host.model(None)
        with pytest.raises(ConfigError):
            await ask(use, request(use, temperature=0.5), b.context)
    assert len(llm.requests) == 1


async def test_a_stream_that_was_cut_is_an_error(scripted):
    async with scripted(ScriptedLLM([LLMChunk(text="half")])) as b:
        use = b.host.model(None)
        with pytest.raises(ModelReplyError):
            await ask(use, request(use), b.context)


async def test_an_empty_reply_says_why(scripted):
    llm = ScriptedLLM([LLMChunk(finish_reason=FinishReason.CONTENT_FILTER)])
    async with scripted(llm) as b:
        use = b.host.model(None)
        with pytest.raises(ComponentError, match="filter"):
            await ask(use, request(use), b.context)


async def test_a_filter_that_stops_a_reply_is_told(scripted):
    chunks = [LLMChunk(text="half"), LLMChunk(finish_reason=FinishReason.CONTENT_FILTER)]
    async with scripted(ScriptedLLM(chunks)) as b:
        use = b.host.model(None)
        completion = await ask(use, request(use), b.context)
    assert "filter" in cut_short(completion)


async def test_thoughts_are_passed_through_as_thoughts(scripted):
    chunks = [LLMChunk(thinking="hm"), LLMChunk(text="ok"), LLMChunk(finish_reason=FinishReason.STOP)]
    async with scripted(ScriptedLLM(chunks)) as b:
        use = b.host.model(None)
        await ask(use, request(use), b.context, passthrough=True)
        heard = [(event.type, event.text, event.agent_id) for event in b.events if event.type.endswith("delta")]
    assert heard == [("thinking_delta", "hm", "a1"), ("text_delta", "ok", "a1")]


async def test_a_parameter_that_only_the_provider_refuses_is_left_out_too(scripted):
    said = "asking 'm' failed with status 400: Unsupported parameter: 'top_p' is not supported with this model."
    llm = ScriptedLLM(ConnectorError(said), "ok")
    async with scripted(llm) as b:
        use = b.host.model(None)
        await ask(use, request(use, temperature=1, top_p=1), b.context)
    assert (llm.request.temperature, llm.request.top_p) == (1, None)


@pytest.mark.parametrize(
    "error",
    [
        ConnectorError("the server will stop soon"),
        NotFoundError("no model 'temperature'"),
        RateLimitedError("too much temperature"),
        UnavailableError("temperature too high in the data centre"),
    ],
)
async def test_another_failure_is_raised_whatever_its_words(scripted, error):
    llm = ScriptedLLM(error, "ok")
    async with scripted(llm) as b:
        use = b.host.model(None)
        with pytest.raises(type(error)):
            await ask(use, request(use, temperature=1, stop=("x",)), b.context)
    assert len(llm.requests) == 1


async def test_echo_is_told_by_its_connector_and_not_by_the_name_of_the_model(scripted):
    async with scripted(ScriptedLLM(models=["echo"])) as b:
        assert not is_echo(b.host.model(None))
        assert b.host.model(None).llm.connector_name == "scripted"
    async with bench() as b:
        assert is_echo(b.host.model("Echo"))
        assert is_echo(b.host.model(None))


def test_a_parameter_is_found_by_its_whole_name():
    error = ConfigError("llm connector 'x' knows no option 'top_kk'")
    assert refused_option(error, ["top_k"]) is None
    assert refused_option(error, ["top_kk", "top_k"]) == "top_kk"
