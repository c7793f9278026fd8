"""A prompt goes to the model as its author wrote it, and its reply comes out."""

import pytest

from sre_core.components.base import Flaw
from sre_core.components.library import builtin_component
from sre_core.components.node import Node, OutputPort
from sre_core.errors import AccessDeniedError, ComponentError, NotFoundError, RateLimitedError
from sre_core.messages import MessageRole
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM

# What the editor of SmythOS writes into every node.
USUAL = {
    "model": "Echo",
    "temperature": "1",
    "maxTokens": "256",
    "stopSequences": "",
    "topP": "1",
    "topK": "0",
    "frequencyPenalty": "0",
    "presencePenalty": "0",
}


async def test_the_reply_of_echo_is_the_prompt():
    async with bench() as b:
        data = {**USUAL, "prompt": "Saying : {{Input}}"}
        assert await b.run("PromptGenerator", data, inputs={"Input": "hello world"}) == {
            "Reply": "Saying : hello world"
        }


async def test_it_is_known_as_llm_prompt_too():
    async with bench() as b:
        assert await b.run("LLMPrompt", {**USUAL, "prompt": "a"}) == {"Reply": "a"}


async def test_quotes_and_braces_of_an_input_stay_as_they_are():
    said = 'she said "no" {and} {{KEY(secret)}} {{Name}}'
    async with bench(secrets={"secret": "s3cret"}, variables={"Name": "Ann"}) as b:
        found = await b.run("PromptGenerator", {**USUAL, "prompt": "Q: {{Input}}"}, inputs={"Input": said})
    assert found == {"Reply": f"Q: {said}"}


async def test_variables_and_secrets_of_the_author_are_filled_in():
    async with bench(secrets={"code": "42"}, variables={"Name": "Ann"}) as b:
        assert await b.run("PromptGenerator", {"prompt": "{{Name}} {{KEY(code)}}"}) == {"Reply": "Ann 42"}


async def test_a_secret_that_the_agent_may_not_read_fails_the_node():
    async with bench() as b:
        with pytest.raises((AccessDeniedError, NotFoundError)):
            await b.run("PromptGenerator", {"prompt": "{{KEY(other)}}"})


async def test_an_output_of_the_node_is_found_in_json_that_is_nearly_right():
    prompt = 'hello { \ndata: "hello\nworld" } thank you'
    async with bench() as b:
        found = await b.run("PromptGenerator", {**USUAL, "prompt": prompt}, outputs=["data"])
    assert found == {"Reply": {"data": "hello\nworld"}, "data": "hello\nworld"}


@pytest.mark.parametrize("text", ["plain words", "x = {a: 1}", "12", "true", '"quoted"', "{not json"])
async def test_text_that_is_no_json_from_end_to_end_stays_text(text):
    async with bench() as b:
        assert await b.run("PromptGenerator", {"prompt": text}) == {"Reply": text}


async def test_json_from_end_to_end_is_an_object_also_where_text_is_wanted():
    async with bench() as b:
        assert await b.run("PromptGenerator", {"prompt": '{"a": [1]}'}) == {"Reply": {"a": [1]}}
        text = {"responseFormat": "text"}
        assert await b.run("PromptGenerator", {"prompt": '{"a": 1}', **text}) == {"Reply": {"a": 1}}
        assert await b.run("PromptGenerator", {"prompt": 'see {"a": 1}', **text}) == {"Reply": 'see {"a": 1}'}
        found = await b.run("PromptGenerator", {"prompt": '{"a": 1}', **text}, outputs=["Reply.a"])
        assert found == {"Reply": {"a": 1}, "a": 1}
        found = await b.run("PromptGenerator", {"prompt": "see: [1, 2]", "responseFormat": "json"})
        assert found == {"Reply": [1, 2]}


async def test_a_reply_with_a_field_error_is_a_reply_like_others(scripted):
    async with scripted(ScriptedLLM('{"error": "none found", "data": 1}')) as b:
        found = await b.run("PromptGenerator", {"prompt": "p"}, outputs=["error", "data"])
    assert found == {"Reply": {"error": "none found", "data": 1}, "error": "none found", "data": 1}


async def test_an_output_called_like_a_part_of_the_engine_is_never_taken_from_the_model(scripted):
    async with scripted(ScriptedLLM('{"_error": "made up", "a": 1}')) as b:
        found = await b.run("PromptGenerator", {"prompt": "p"}, outputs=["_error", "a"])
    assert found == {"Reply": {"_error": "made up", "a": 1}, "a": 1}


async def test_a_field_that_the_model_left_out_fires_nothing_and_null_does(scripted):
    async with scripted(ScriptedLLM('{"a": null, "c": 3}')) as b:
        found = await b.run("PromptGenerator", {"prompt": "p"}, outputs=["a", "b"])
    assert found == {"Reply": {"a": None, "c": 3}, "a": None}


async def test_paths_into_the_reply_ask_for_their_first_step(scripted):
    llm = ScriptedLLM('{"city": {"name": "Graz"}, "tags": []}')
    ports = [OutputPort(name="City", expression="Reply.city.name"), OutputPort(name="tags[0]")]
    async with scripted(llm) as b:
        found = await b.run("PromptGenerator", {"prompt": "p"}, outputs=ports)
    assert found["city"] == {"name": "Graz"}
    assert set(llm.request.output_schema["properties"]) == {"city", "tags"}


async def test_a_model_that_can_be_held_to_a_schema_is(scripted):
    llm = ScriptedLLM('{"mood": "good"}')
    ports = [OutputPort(name="mood", description="good or bad")]
    async with scripted(llm) as b:
        await b.run("PromptGenerator", {"prompt": "How is it?"}, outputs=ports)
    assert llm.request.output_schema == {
        "type": "object",
        "properties": {"mood": {"description": "good or bad"}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    assert llm.request.messages[-1].text == "How is it?"


async def test_another_model_is_told_what_json_to_write(scripted):
    llm = ScriptedLLM('Sure: {"mood": "good"}', capabilities=())
    ports = [OutputPort(name="mood", description="good or bad")]
    async with scripted(llm) as b:
        found = await b.run("PromptGenerator", {"prompt": "How is it?"}, outputs=ports)
    assert found["mood"] == "good"
    assert llm.request.output_schema is None
    told = llm.request.messages[-1].text
    assert told.startswith("How is it?\n\n")
    assert '"mood": "<value> (good or bad)"' in told


async def test_a_reply_without_the_json_that_was_asked_for_comes_with_a_warning(scripted):
    async with scripted(ScriptedLLM("I would rather not.")) as b:
        found = await b.run("PromptGenerator", {"prompt": "p"}, outputs=["a", "b"])
    assert found["Reply"] == "I would rather not."
    assert "a, b" in found["_warning"]
    assert "_error" not in found


async def test_sampling_reaches_the_model(scripted):
    llm = ScriptedLLM("ok")
    data = {"prompt": "p", "temperature": "0.3", "maxTokens": "64", "topP": "0.9", "stopSequences": "END, STOP\n##"}
    async with scripted(llm) as b:
        await b.run("PromptGenerator", data)
    request = llm.request
    assert (request.temperature, request.max_tokens, request.top_p) == (0.3, 64, 0.9)
    assert request.stop == ("END", "STOP", "##")
    assert request.options == {}


async def test_options_reach_a_model_that_takes_them(scripted):
    llm = ScriptedLLM("ok", options=["top_k", "frequency_penalty", "presence_penalty"])
    data = {"prompt": "p", "topK": "40", "frequencyPenalty": "0.5", "presencePenalty": "1"}
    async with scripted(llm) as b:
        await b.run("PromptGenerator", data)
    assert llm.request.options == {"top_k": 40, "frequency_penalty": 0.5, "presence_penalty": 1}


async def test_options_that_a_model_does_not_take_are_left_out(scripted):
    llm = ScriptedLLM("ok", options=["presence_penalty"])
    data = {"prompt": "p", "topK": "40", "frequencyPenalty": "0.5", "presencePenalty": "1"}
    async with scripted(llm) as b:
        assert await b.run("PromptGenerator", data) == {"Reply": "ok"}
    assert llm.request.options == {"presence_penalty": 1}


async def test_a_reply_that_was_cut_short_comes_with_an_error():
    async with bench() as b:
        found = await b.run("PromptGenerator", {"prompt": "one two three", "maxTokens": "2"})
    assert found["Reply"] == "one two"
    assert "not whole" in found["_error"]


async def test_an_empty_reply_is_an_error(scripted):
    async with scripted(ScriptedLLM("")) as b:
        with pytest.raises(ComponentError, match="empty reply"):
            await b.run("PromptGenerator", {"prompt": "p"})


async def test_an_empty_prompt_is_an_error():
    async with bench() as b:
        with pytest.raises(ComponentError, match="no prompt"):
            await b.run("PromptGenerator", {"prompt": ""})


async def test_what_the_model_raises_is_raised(scripted):
    async with scripted(ScriptedLLM(RateLimitedError("slow down"))) as b:
        with pytest.raises(RateLimitedError):
            await b.run("PromptGenerator", {"prompt": "p"})


async def test_only_a_pass_through_is_heard_while_it_comes():
    async with bench() as b:
        await b.run("PromptGenerator", {"prompt": "one two", "passthrough": False})
        assert not [event for event in b.events if event.type == "text_delta"]
        await b.run("PromptGenerator", {"prompt": "one two", "passthrough": "true"})
        texts = [event.text for event in b.events if event.type == "text_delta"]
    assert "".join(texts) == "one two"
    assert len(texts) == 2


async def test_tokens_are_reported():
    async with bench() as b:
        await b.run("PromptGenerator", {"prompt": "one two three"})
        usage = [event.usage for event in b.events if event.type == "usage_reported"]
    assert [(one.input_tokens, one.output_tokens) for one in usage] == [(3, 3)]


async def test_a_very_long_prompt_arrives_whole():
    text = "word " * 200_000
    async with bench() as b:
        found = await b.run("PromptGenerator", {"prompt": "{{Input}}"}, inputs={"Input": text})
    assert found["Reply"] == text


async def test_the_prompt_is_one_message_of_the_user(scripted):
    llm = ScriptedLLM("ok")
    async with scripted(llm, behavior="Be kind.") as b:
        await b.run("PromptGenerator", {"prompt": "p"})
    assert [(message.role, message.text) for message in llm.request.messages] == [(MessageRole.USER, "p")]


async def test_a_model_may_be_an_object_of_the_file():
    async with bench() as b:
        data = {"prompt": "p", "model": {"provider": "Echo", "modelId": "echo"}}
        assert await b.run("PromptGenerator", data) == {"Reply": "p"}


@pytest.mark.parametrize("name", ["PromptGenerator", "GenAILLM", "VisionLLM", "MultimodalLLM"])
def test_a_node_without_a_prompt_is_found_before_it_runs(name):
    cls = builtin_component(name)
    assert cls.of(Node(id="N", type=name, data={"prompt": ""})).check() == [Flaw("there is no prompt", "prompt")]
    assert cls.of(Node(id="N", type=name, data={"prompt": "p"})).check() == []
