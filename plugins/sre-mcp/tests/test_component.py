"""The tools of a real MCP server, used by a model that follows a script."""

import gzip
import json

import anyio
import pytest
from aiohttp import web
from pydantic import ValidationError

from sre_core.errors import (
    ComponentError,
    DeadlineError,
    LimitExceededError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.messages import Message, SkillCall
from sre_core.plugins import Plugins
from sre_core.testing import ScriptedLLM
from sre_core.testing.bench import bench

from .real_server import RealServer  # noqa: TID252 -- the folder of tests is no package
from .web_site import web_site  # noqa: TID252


def call(name, **arguments):
    return Message.assistant(skill_calls=(SkillCall(id="c1", name=name, arguments=json.dumps(arguments)),))


def scripted(llm, **kwargs):
    return bench(
        plugins=Plugins.load(only=["mcp"], extra={"scripted": llm.as_plugin()}),
        config={"connectors": {"llm": {"default": {"use": "scripted"}}}},
        model="default/scripted",
        **kwargs,
    )


async def ask(place, url, data=None, **inputs):
    settings = {"mcpUrl": url, "prompt": "", "name": "Test", **(data or {})}
    return await place.run("MCPClient", settings, inputs=inputs or {"Prompt": "How much is it?"})


def told(llm):
    """What the model was told of the last call."""
    return llm.request.messages[-1]


async def test_a_model_calls_a_tool_and_answers(server):
    llm = ScriptedLLM(call("add", a=20, b=22), "It is 42.")
    async with scripted(llm) as place:
        outputs = await ask(place, server.url)
    assert outputs == {"Output": "It is 42."}
    assert (told(llm).text, told(llm).is_error) == ("42", False)


async def test_the_author_may_say_with_inputs_what_the_task_is(server):
    llm = ScriptedLLM("No call.")
    async with scripted(llm, variables={"secret": "s3"}) as place:
        await ask(place, server.url, {"prompt": "Who?", "descForModel": "Speak as {{who}}."}, who="{{secret}}")
    assert "Speak as {{secret}}." in str(llm.request)


async def test_each_tool_is_a_skill_with_its_whole_schema(server):
    llm = ScriptedLLM("No call.")
    async with scripted(llm) as place:
        await ask(place, server.url)
    skills = {skill.name: skill for skill in llm.request.skills}
    assert list(skills) == ["add", "far", "fail", "picture", "odd_name_1", "table", "long"]
    assert skills["add"].description == "Add two numbers."
    assert skills["add"].parameters["required"] == ["a"]
    assert skills["add"].parameters["properties"]["a"]["description"] == "the first"
    far = skills["far"].parameters
    assert far["properties"]["unit"]["enum"] == ["km", "mi"]
    assert far["properties"]["points"]["items"] == {"$ref": "#/$defs/Point"}
    assert far["$defs"]["Point"]["properties"]["x"]["type"] == "number"
    assert "Use the tools for all sums." in str(llm.request)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (call("far", points=[{"x": 1, "y": 2}], unit="km"), "1 points in km"),
        (call("picture"), "Here it is.\n[image, image/png]"),
        (call("odd_name_1"), "odd"),
        (call("long"), "x" * 50_000 + "\n[10000 more characters]"),
    ],
    ids=["nested", "picture", "odd name", "long"],
)
async def test_what_a_tool_returns_goes_to_the_model_as_text(server, asked, text):
    llm = ScriptedLLM(asked, "Done.")
    async with scripted(llm) as place:
        await ask(place, server.url)
    assert told(llm).text == text


async def test_a_tool_that_fails_is_told_to_the_model(server):
    llm = ScriptedLLM(call("fail"), "Done.")
    async with scripted(llm) as place:
        assert await ask(place, server.url) == {"Output": "Done."}
    assert told(llm).is_error
    assert "fail" in told(llm).text


async def test_headers_of_the_author_may_hold_secrets(server):
    async with scripted(ScriptedLLM("Done."), secrets={"k": "hush"}) as place:
        await ask(
            place, server.url, {"headers": '{"Authorization": "Bearer {{KEY(k)}}", "X-Of": "{{who}}"}'}, who="Ann"
        )
    assert {headers.get("authorization") for headers in server.received} == {"Bearer hush"}
    assert {headers.get("x-of") for headers in server.received} == {"Ann"}


@pytest.mark.parametrize("failure", [None, LimitExceededError("enough")], ids=["well", "badly"])
async def test_the_connection_is_closed_however_it_ended(server, failure):
    llm = ScriptedLLM("Done.") if failure is None else ScriptedLLM(failure)
    async with scripted(llm) as place:
        if failure is None:
            await ask(place, server.url)
        else:
            with pytest.raises(SREError, match="enough"):
                await ask(place, server.url)
    assert await anyio.to_thread.run_sync(server.idle.wait, 60)


async def test_runs_at_once_do_not_mix(server):
    def reply(request):
        last = request.messages[-1]
        return last.text if last.role == "skill" else call("add", a=int(last.text), b=1000)

    async with scripted(ScriptedLLM(reply, repeat=True)) as place, anyio.create_task_group() as group:

        async def one(number):
            assert await ask(place, server.url, Prompt=str(number)) == {"Output": str(number + 1000)}

        for number in range(10):
            group.start_soon(one, number)


async def test_the_prompt_of_the_author_takes_inputs_and_inputs_take_nothing(server):
    llm = ScriptedLLM("Done.")
    async with scripted(llm, secrets={"k": "hush"}) as place:
        await ask(place, server.url, {"prompt": "Add {{a}}, {{b}}"}, a=1, b="{{KEY(k)}}")
    assert told(llm).text == "Add 1, {{KEY(k)}}"


async def test_without_a_prompt_the_inputs_are_one(newer):
    llm = ScriptedLLM("Done.", repeat=True)
    async with scripted(llm) as place:
        await ask(place, newer.url, a=1, b="two")
        assert told(llm).text == "a: 1\nb: two"
        await ask(place, newer.url, Question="what?")
        assert told(llm).text == "what?"
        with pytest.raises(ComponentError, match="nothing to ask"):
            await ask(place, newer.url, Prompt=None)


@pytest.mark.parametrize(
    "url", ["{{where}}", "http://{{where}}/mcp", "ftp://a.example", "file:///x", "http://", "x", "http://[x"]
)
async def test_an_input_chooses_no_server_and_a_url_must_be_one(newer, url):
    async with bench(plugins=Plugins.load(only=["mcp"])) as place:
        with pytest.raises(ComponentError, match="mcpUrl"):
            await ask(place, url, where=newer.url.removeprefix("http://").removesuffix("/mcp"))
    assert not newer.received


async def test_a_variable_of_the_agent_may_hold_the_url(newer):
    async with scripted(ScriptedLLM("Done."), variables={"server": newer.url}) as place:
        assert await ask(place, "{{server}}") == {"Output": "Done."}


async def test_a_server_that_wants_another_key_is_told_without_it():
    with RealServer("streamable-http", token="right") as server:
        async with scripted(ScriptedLLM("Done."), secrets={"k": "hush"}) as place:
            with pytest.raises(UnauthenticatedError, match="answers 401") as caught:
                await ask(place, server.url, {"headers": {"Authorization": "Bearer {{KEY(k)}}"}})
    assert "hush" not in f"{caught.value!r} {caught.value.hint}"


async def test_a_key_in_the_url_is_in_no_error():
    async with scripted(ScriptedLLM("Done."), secrets={"k": "hush"}) as place:
        with pytest.raises(UnavailableError, match="cannot be reached") as caught:
            await ask(place, "http://127.0.0.1:1/{{KEY(k)}}/mcp?key={{KEY(k)}}")
    assert "hush" not in f"{caught.value!r} {caught.value.hint}"


async def test_a_server_without_tools_is_an_error():
    with RealServer("streamable-http", tools=False) as server:
        async with scripted(ScriptedLLM("Done.")) as place:
            with pytest.raises(ComponentError, match="no tools"):
                await ask(place, server.url)


async def test_a_server_that_is_down_is_unavailable(newer):
    newer.stop()
    async with bench(plugins=Plugins.load(only=["mcp"])) as place:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await ask(place, newer.url)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, ComponentError, "it answers 404"),
        (405, ComponentError, "it answers 405"),
        (200, ComponentError, "no MCP server"),
        (302, ComponentError, "no MCP server"),
        (500, UnavailableError, "it answers 500"),
        (403, UnauthenticatedError, "answers 403"),
    ],
)
async def test_what_is_no_mcp_server_is_told(status, kind, said):
    async with (
        web_site(lambda: web.Response(status=status, text="hello", headers={"Location": "http://10.0.0.1/"})) as url,
        bench(plugins=Plugins.load(only=["mcp"])) as place,
    ):
        with pytest.raises(kind, match=said) as caught:
            await ask(place, f"{url}/mcp?key=hush")
    assert "hush" not in str(caught.value)


async def test_a_reply_that_is_packed_or_has_no_end_is_not_read():
    def packed():
        return web.Response(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})

    async def blanks():
        while True:
            yield b" " * 2**20

    async with bench(plugins=Plugins.load(only=["mcp"])) as place:
        async with web_site(packed) as url:
            with pytest.raises(UnavailableError, match="cannot be reached"):
                await ask(place, url)
        async with web_site(lambda: web.Response(body=blanks(), content_type="application/json")) as url:
            with pytest.raises(ComponentError, match="the reply is larger than"):
                await ask(place, url)


async def test_a_server_that_says_nothing_is_given_up_in_time():
    async def wait():
        await anyio.sleep_forever()

    async with web_site(wait) as url, bench(plugins=Plugins.load(only=["mcp"])) as place:
        with anyio.fail_after(60), pytest.raises(DeadlineError, match="in time"):
            await ask(place, url, {"timeout": "0.2"})


@pytest.mark.parametrize("data", [{"mcpUrl": ""}, {"prompt": "x" * 5001}, {"timeout": 0}])
async def test_settings_that_cannot_be_are_refused(data):
    async with bench(plugins=Plugins.load(only=["mcp"])) as place:
        with pytest.raises(ValidationError):
            await ask(place, "http://127.0.0.1:9", data)
