"""The main component for models: files, behavior, what was said before, thinking and search."""

import base64

import pytest

from sre_core.components.context import Request
from sre_core.components.node import InputPort
from sre_core.errors import ComponentError, ConfigError
from sre_core.messages import Message, MessageRole, SkillCall
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
SEES = ("images", "schema", "count-tokens")


async def test_echo_gives_the_prompt_back_and_ignores_files():
    async with bench() as b:
        inputs = {"Input": "hi", "Attachment": PNG_URL}
        assert await b.run("GenAILLM", {"prompt": "Say {{Input}}"}, inputs=inputs) == {"Reply": "Say hi"}


async def test_the_model_gets_the_files_that_it_can_take(scripted):
    llm = ScriptedLLM("a dot", capabilities=SEES)
    sound = "data:audio/mpeg;base64," + base64.b64encode(b"ID3sound").decode()
    ports = [InputPort(name="Attachment", type="Binary"), InputPort(name="Photo", type="image"), InputPort(name="Text")]
    inputs = {"Attachment": [PNG_URL, sound], "Photo": PNG_URL, "Text": PNG_URL}
    async with scripted(llm) as b:
        await b.run("GenAILLM", {"prompt": "What is it?"}, inputs=inputs, input_ports=ports)
    files = llm.request.messages[-1].files
    assert [(file.media_type, file.data) for file in files] == [("image/png", PNG), ("image/png", PNG)]


async def test_files_of_which_the_model_can_take_none_are_an_error(scripted):
    async with scripted(ScriptedLLM("?", capabilities=["audio"])) as b:
        with pytest.raises(ComponentError, match="image/png") as caught:
            await b.run("GenAILLM", {"prompt": "p"}, inputs={"Attachment": PNG_URL})
    assert "audio" in caught.value.hint


async def test_what_is_no_file_at_a_port_for_files_is_an_error(scripted):
    async with scripted(ScriptedLLM("?", capabilities=SEES)) as b:
        with pytest.raises(ComponentError, match="Attachment"):
            await b.run("GenAILLM", {"prompt": "p"}, inputs={"Attachment": {"no": "file"}})


async def test_the_behavior_of_the_agent_goes_before_the_prompt_when_it_should(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    async with scripted(llm, behavior="Be kind.") as b:
        await b.run("GenAILLM", {"prompt": "p", "useSystemPrompt": True})
        assert [message.text for message in llm.request.messages] == ["Be kind.", "p"]
        assert llm.request.messages[0].role is MessageRole.SYSTEM
        await b.run("GenAILLM", {"prompt": "p"})
        assert [message.text for message in llm.request.messages] == ["p"]


def said(*texts):
    makers = (Message.user, Message.assistant)
    return tuple(makers[index % 2](text) for index, text in enumerate(texts))


async def test_the_model_sees_as_much_of_the_chat_as_fits(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    request = Request(conversation=said("one two", "three", "four five", "six"))
    async with scripted(llm, request=request) as b:
        await b.run("GenAILLM", {"prompt": "p", "useContextWindow": True, "maxContextWindowLength": "5"})
        assert [message.text for message in llm.request.messages] == ["four five", "six", "p"]
        await b.run("GenAILLM", {"prompt": "p", "useContextWindow": True, "maxContextWindowLength": 6})
        assert [message.text for message in llm.request.messages] == ["one two", "three", "four five", "six", "p"]
        await b.run("GenAILLM", {"prompt": "p"})
        assert [message.text for message in llm.request.messages] == ["p"]


async def test_calls_of_skills_and_their_results_are_no_part_of_what_was_said(scripted):
    llm = ScriptedLLM("ok")
    call = SkillCall(id="c1", name="add", arguments="{}")
    chat = (Message.user("add it"), Message.assistant("", skill_calls=(call,)), Message.result(call, "3"))
    async with scripted(llm, request=Request(conversation=chat)) as b:
        await b.run("GenAILLM", {"prompt": "p", "useContextWindow": True})
    assert [(message.text, message.skill_calls) for message in llm.request.messages] == [("add it", ()), ("p", ())]


async def test_a_prompt_that_is_what_the_user_said_last_is_said_once(scripted):
    llm = ScriptedLLM("ok")
    async with scripted(llm, request=Request(conversation=said("a", "b", "how are you?"))) as b:
        data = {"prompt": "{{Input}}", "useContextWindow": True}
        await b.run("GenAILLM", data, inputs={"Input": "how are you?"})
    assert [message.text for message in llm.request.messages] == ["a", "b", "how are you?"]


async def test_text_in_a_chat_is_never_a_template(scripted):
    llm = ScriptedLLM("ok")
    request = Request(conversation=said("{{KEY(code)}}", "b"))
    async with scripted(llm, request=request, secrets={"code": "42"}) as b:
        await b.run("GenAILLM", {"prompt": "p", "useContextWindow": True})
    assert llm.request.messages[0].text == "{{KEY(code)}}"


async def test_json_is_asked_for_when_the_node_says_so(scripted):
    llm = ScriptedLLM("```json\n[1, 2]\n```")
    async with scripted(llm) as b:
        found = await b.run("GenAILLM", {"prompt": "p", "responseFormat": "json"})
    assert found == {"Reply": [1, 2]}
    assert "JSON" in llm.request.messages[-1].text


async def test_thinking_is_asked_for_and_thoughts_are_no_part_of_the_reply(scripted):
    llm = ScriptedLLM("ok", options=["effort", "thinking_budget", "verbosity"])
    data = {"prompt": "p", "useReasoning": True, "reasoningEffort": "high", "maxThinkingTokens": "2048"}
    async with scripted(llm) as b:
        assert await b.run("GenAILLM", {**data, "verbosity": "low"}) == {"Reply": "ok"}
    assert llm.request.thinking is True
    assert llm.request.options == {"effort": "high", "thinking_budget": 2048, "verbosity": "low"}


async def test_a_model_that_cannot_think_is_asked_without(scripted):
    llm = ScriptedLLM("ok", capabilities=())
    async with scripted(llm) as b:
        await b.run("GenAILLM", {"prompt": "p", "useReasoning": True, "reasoningEffort": "high"})
    assert llm.request.thinking is None


async def test_a_model_that_does_not_search_is_asked_without(scripted):
    llm = ScriptedLLM("ok")
    async with scripted(llm) as b:
        assert await b.run("GenAILLM", {"prompt": "p", "useWebSearch": True, "useSearch": True}) == {"Reply": "ok"}
    assert llm.request.options == {}


async def test_a_wrong_option_of_the_administrator_is_an_error():
    async with bench(model="nothing/such") as b:
        with pytest.raises((ConfigError, LookupError)):
            await b.run("GenAILLM", {"prompt": "p"})


async def test_runs_at_the_same_time_do_not_mix(scripted):
    import asyncio

    llm = ScriptedLLM(lambda request: request.messages[-1].text.upper(), repeat=True)
    async with scripted(llm) as b:
        runs = [b.run("GenAILLM", {"prompt": "say {{Input}}"}, inputs={"Input": f"n{i}"}) for i in range(20)]
        found = await asyncio.gather(*runs)
    assert [one["Reply"] for one in found] == [f"SAY N{i}" for i in range(20)]
