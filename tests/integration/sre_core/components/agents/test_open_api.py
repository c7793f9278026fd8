"""A service with an OpenAPI document, asked through a model that follows a script."""

import json

import anyio
import pytest
from aiohttp import web

from sre_core.components.http_client import HTTPClient
from sre_core.errors import ComponentError, UnavailableError
from sre_core.messages import Message, SkillCall
from sre_core.plugins import Plugins
from sre_core.testing import ScriptedLLM
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

YAML = """
openapi: 3.0.3
info: {title: Pets, description: Everything about pets., version: 2024-01-01}
paths:
  /pets/{id}:
    get:
      operationId: getPet
      summary: One pet.
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: detail, in: query, schema: {$ref: '#/components/schemas/Detail'}}
  /pets:
    post:
      operationId: addPet
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Pet'}
components:
  schemas:
    Detail: {type: string, enum: [short, long]}
    Pet:
      type: object
      required: [name]
      properties:
        name: {type: string}
        parent: {$ref: '#/components/schemas/Pet'}
"""
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Pets"},
    "paths": {"/pets": {"get": {"operationId": "listPets", "summary": "All pets."}}},
}


def call(name, arguments=None, id_="c1"):
    return Message.assistant(skill_calls=(SkillCall(id=id_, name=name, arguments=json.dumps(arguments or {})),))


def scripted(llm, **kwargs):
    return bench(
        plugins=Plugins.load(only=[], extra={"scripted": llm.as_plugin()}),
        config={"connectors": {"llm": {"default": {"use": "scripted"}}}},
        model="default/scripted",
        **kwargs,
    )


def told(llm):
    """What the model was told of the last call."""
    return llm.request.messages[-1]


def pets(document, answer=None):
    """A service that gives its document, and to all else an answer."""

    def reply(request):
        if request.target.startswith("/openapi"):
            return document if isinstance(document, dict | web.Response) else web.Response(text=document)
        return {"pets": ["Tom"]} if answer is None else answer

    return local_service(reply)


async def ask(place, service, data=None, **inputs):
    settings = {"specUrl": f"{service.url}/openapi", "name": "Pets", "desc": "", **(data or {})}
    return await place.run("OpenAPI", settings, inputs=inputs or {"Prompt": "Which pets are there?"})


async def test_a_model_calls_the_service_and_answers():
    llm = ScriptedLLM(call("getPet", {"id": "a/b", "detail": "long"}), "It is Tom.")
    async with pets(YAML) as service, scripted(llm) as place:
        outputs = await ask(place, service, Query="Who is a/b?")
    assert outputs == {"Output": "It is Tom."}
    assert service.received[1].target == "/pets/a%2Fb?detail=long"
    assert json.loads(told(llm).text) == {"pets": ["Tom"]}


async def test_each_operation_is_a_skill_with_its_own_schema():
    llm = ScriptedLLM("No call.")
    async with pets(YAML) as service, scripted(llm) as place:
        await ask(place, service)
    get, add = llm.request.skills
    assert (get.name, get.description) == ("getPet", "One pet.")
    assert get.parameters["properties"]["detail"] == {"type": "string", "enum": ["short", "long"]}
    assert add.parameters["required"] == ["name"]
    assert add.parameters["properties"]["parent"] == {}
    assert "Everything about pets." in str(llm.request)


async def test_the_author_may_say_with_inputs_what_the_task_is():
    llm = ScriptedLLM("No call.")
    async with pets(YAML) as service, scripted(llm, variables={"secret": "s3"}) as place:
        await ask(place, service, {"descForModel": "Speak as {{who}}."}, Prompt="Who?", who="{{secret}}")
    said = str(llm.request)
    assert "Speak as {{secret}}." in said
    assert "Everything about pets." not in said


async def test_a_body_is_sent_as_json():
    llm = ScriptedLLM(call("addPet", {"name": 'T"m'}), "Done.")
    async with pets(YAML) as service, scripted(llm) as place:
        await ask(place, service)
    sent = service.received[1]
    assert (sent.method, sent.target, json.loads(sent.body)) == ("POST", "/pets", {"name": 'T"m'})
    assert sent.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (web.Response(status=404, text="no such pet"), "the service answered 404: no such pet"),
        (web.Response(status=204), "the service answered 204, with no content"),
        (web.Response(body=b"\xff\xfe\x00", content_type="image/png"), "[3 bytes of image/png]"),
        (web.Response(text="x" * 60_000), "x" * 50_000 + "\n[10000 more characters]"),
    ],
    ids=["error", "nothing", "binary", "long"],
)
async def test_what_the_service_answers_goes_to_the_model_as_text(answer, text):
    llm = ScriptedLLM(call("listPets"), "Done.")
    async with pets(DOCUMENT, answer) as service, scripted(llm) as place:
        await ask(place, service)
    assert told(llm).text == text
    assert told(llm).is_error == (answer.status == 404)


async def test_arguments_that_the_schema_refuses_are_not_sent():
    llm = ScriptedLLM(call("getPet", {"id": "1", "other": 1}), "Done.")
    async with pets(YAML) as service, scripted(llm) as place:
        await ask(place, service)
    assert "'other' is not known" in told(llm).text
    assert len(service.received) == 1


async def test_a_document_cannot_send_calls_to_a_private_network():
    async with local_service(lambda _: {"secret": 1}) as hidden:
        document = {**DOCUMENT, "servers": [{"url": hidden.url}]}
        llm = ScriptedLLM(call("listPets"), "Done.")
        async with pets(document) as service, scripted(llm) as place:
            await ask(place, service, {"headers": '{"X-Key": "k"}'})
    assert "is refused" in told(llm).text
    assert not hidden.received


async def test_the_author_can_send_calls_where_the_document_does_not():
    async with local_service(lambda _: {"pets": []}) as real:
        document = {**DOCUMENT, "servers": [{"url": "https://api.example/v9"}]}
        llm = ScriptedLLM(call("listPets"), "Done.")
        async with pets(document) as service, scripted(llm) as place:
            await ask(place, service, {"serverUrl": f"{real.url}/v1/"})
    assert [request.target for request in real.received] == ["/v1/pets"]


async def test_headers_of_the_author_may_hold_secrets_and_go_to_the_author_s_place_alone():
    headers = {"Authorization": "Bearer {{KEY(pets)}}"}
    async with local_service(lambda _: {}) as other:
        llm = ScriptedLLM(call("listPets"), call("elsewhere", id_="c2"), "Done.")
        paths = {
            **DOCUMENT["paths"],
            "/x": {"get": {"operationId": "elsewhere", "servers": [{"url": other.url}]}},
        }
        async with pets({**DOCUMENT, "paths": paths}) as service, scripted(llm, secrets={"pets": "hush"}) as place:
            # As if all addresses were public ones.
            place.host.ends.http = HTTPClient(public=lambda _: True)
            await ask(place, service, {"headers": headers})
    assert service.received[1].headers["authorization"] == "Bearer hush"
    assert "authorization" not in other.received[0].headers
    assert "hush" not in str(llm.requests)


async def test_headers_of_the_author_follow_no_redirect():
    async with local_service(lambda _: {}) as other:
        moved = web.Response(status=307, headers={"Location": f"{other.url}/pets"})
        llm = ScriptedLLM(call("listPets"), "Done.")
        async with pets(DOCUMENT, moved) as service, scripted(llm) as place:
            place.host.ends.http = HTTPClient(public=lambda _: True)
            await ask(place, service, {"headers": {"X-Key": "hush"}})
    assert not other.received
    assert "answered 307" in told(llm).text


async def test_an_input_chooses_no_address():
    async with pets(DOCUMENT) as service, bench() as place:
        with pytest.raises(ComponentError):
            await place.run("OpenAPI", {"specUrl": "{{where}}"}, inputs={"Prompt": "x", "where": service.url})
    assert not service.received


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("a: [", "neither JSON nor YAML"),
        ("just text", "no OpenAPI document"),
        ("[1]", "no OpenAPI document"),
        ({"swagger": "2.0"}, "Swagger"),
        ({"openapi": "3.0.0", "paths": {}}, "no operation"),
        ("!!python/object/apply:os.getcwd []", "neither JSON nor YAML"),
        ("[" * 100_000, "neither JSON nor YAML"),
    ],
    ids=["broken", "text", "list", "swagger", "empty", "unsafe", "deep"],
)
async def test_a_document_that_is_none_is_refused(document, said):
    async with pets(document) as service, bench() as place:
        with pytest.raises(ComponentError, match=said):
            await ask(place, service)


async def test_a_document_that_is_not_there_is_an_error_that_shows_no_path_and_no_query():
    async with pets(web.Response(status=403)) as service, bench() as place:
        with pytest.raises(ComponentError, match="it answers 403") as caught:
            await ask(place, service, {"specUrl": f"{service.url}/openapi/hush?key=hush"})
    assert "hush" not in str(caught.value)


async def test_a_service_that_is_down_is_told():
    async with bench() as place:
        with pytest.raises(UnavailableError):
            await place.run("GPTPlugin", {"specUrl": "http://127.0.0.1:9/openapi"}, inputs={"Prompt": "x"})


async def test_without_a_prompt_nothing_is_read():
    async with pets(DOCUMENT) as service, bench() as place:
        with pytest.raises(ComponentError, match="nothing to ask"):
            await ask(place, service, Prompt=" ")
    assert not service.received


async def test_prompts_at_once_do_not_mix():
    def reply(request):
        last = request.messages[-1]
        if last.role == "skill":
            return last.text
        return call("getPet", {"id": last.text})

    def answer(request):
        return web.Response(text=YAML if request.target == "/openapi" else request.target)

    async with (
        local_service(answer) as service,
        scripted(ScriptedLLM(reply, repeat=True)) as place,
        anyio.create_task_group() as group,
    ):

        async def one(number):
            outputs = await ask(place, service, Prompt=f"p{number}")
            assert outputs == {"Output": f"/pets/p{number}"}

        for number in range(10):
            group.start_soon(one, number)
