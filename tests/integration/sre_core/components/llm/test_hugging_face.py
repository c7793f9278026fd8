"""Requests to Hugging Face as they leave, at a local server that answers as its documentation says.

https://huggingface.co/docs/inference-providers/tasks and .../providers/hf-inference, read in November 2026.
"""

import base64
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web

from sre_core.components.files import read_file
from sre_core.components.llm.hugging_face import HuggingFace
from sre_core.errors import ComponentError, UnavailableError
from sre_core.testing.bench import bench

pytestmark = pytest.mark.integration

TOKEN = "hf_secret_token"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
USUAL = {"accessToken": "{{KEY(huggingface)}}", "modelName": "owner/model"}


@pytest.fixture
async def hub():
    """The server: `hub.replies` are given in order, the last one again and again; `hub.requests` came in."""

    hub = SimpleNamespace(replies=[], requests=[], waited=[])

    async def answer(request):
        hub.requests.append((request.path, dict(request.headers), await request.read()))
        reply = hub.replies.pop(0) if len(hub.replies) > 1 else hub.replies[0]
        return reply() if callable(reply) else web.json_response(reply)

    app = web.Application(client_max_size=2**26)
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    class Local(HuggingFace):
        """The component, at the local server, with waits that take no time."""

        base_url = hub.url

        async def pause(self, seconds):
            hub.waited.append(seconds)

    hub.component = Local
    yield hub
    await runner.cleanup()


@asynccontextmanager
async def workplace():
    async with bench(secrets={"huggingface": TOKEN}) as b:
        yield b


def not_ready():
    return web.json_response({"error": "Model owner/model is currently loading", "estimated_time": 20}, status=503)


async def test_a_text_is_classified(hub):
    hub.replies = [[[{"label": "POSITIVE", "score": 0.99}]]]
    async with workplace() as b:
        data = {**USUAL, "modelTask": "text-classification", "parameters": '{"top_k": 1, "x": "{{Extra}}"}'}
        found = await b.run(hub.component, data, inputs={"Text": "I {{KEY(huggingface)}} it"})
    assert found == {"Output": [[{"label": "POSITIVE", "score": 0.99}]]}
    ((path, headers, body),) = hub.requests
    assert path == "/models/owner/model"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    assert "x-use-cache" not in headers
    assert json.loads(body) == {
        "inputs": "I {{KEY(huggingface)}} it",
        "parameters": {"top_k": 1, "x": "{{Extra}}"},
    }


async def test_an_image_goes_as_its_bytes(hub):
    hub.replies = [[{"label": "dot", "score": 1.0}]]
    async with workplace() as b:
        data = {**USUAL, "modelTask": "image-classification", "disableCache": "true"}
        await b.run(hub.component, data, inputs={"Image": PNG_URL})
    ((_, headers, body),) = hub.requests
    assert (headers["Content-Type"], body) == ("image/png", PNG)
    assert headers["x-use-cache"] == "false"


async def test_an_image_that_comes_back_is_a_file(hub):
    hub.replies = [lambda: web.Response(body=PNG, content_type="image/png")]
    async with workplace() as b:
        found = await b.run(hub.component, {**USUAL, "modelTask": "text-to-image"}, inputs={"Text": "a dot"})
        file = await read_file(found["Output"], b.context)
    assert (file.data, file.media_type) == (PNG, "image/png")


async def test_sounds_in_an_answer_are_files(hub):
    blob = base64.b64encode(b"fLaC sound").decode()
    hub.replies = [[{"label": "voice", "content-type": "audio/flac", "blob": blob}]]
    async with workplace() as b:
        data = {**USUAL, "modelTask": "audio-to-audio"}
        found = await b.run(hub.component, data, inputs={"Audio": "data:audio/flac;base64," + blob})
        file = await read_file(found["Output"][0]["blob"], b.context)
    assert (file.data, file.media_type, found["Output"][0]["label"]) == (b"fLaC sound", "audio/flac", "voice")


async def test_models_of_several_tasks_are_told_which(hub):
    hub.replies = [[0.1, 0.2]]
    async with workplace() as b:
        data = {**USUAL, "modelTask": "sentence-similarity"}
        inputs = {"Source_sentence": "a", "Sentences": ["b", "c"]}
        assert await b.run(hub.component, data, inputs=inputs) == {"Output": [0.1, 0.2]}
    assert hub.requests[0][0] == "/models/owner/model/pipeline/sentence-similarity"


async def test_an_endpoint_of_ones_own_is_asked_at_its_address(hub):
    hub.replies = [[{"summary_text": "s"}]]
    async with workplace() as b:
        data = {**USUAL, "modelName": f"{hub.url}/mine", "modelTask": "summarization"}
        await b.run(HuggingFace, data, inputs={"Text": "t"})
    assert hub.requests[0][0] == "/mine"


async def test_a_model_that_is_not_ready_is_waited_for(hub):
    hub.replies = [not_ready, not_ready, [{"summary_text": "s"}]]
    async with workplace() as b:
        found = await b.run(hub.component, {**USUAL, "modelTask": "summarization"}, inputs={"Text": "t"})
    assert found == {"Output": [{"summary_text": "s"}]}
    assert hub.waited == [5.0, 10.0]
    assert len({body for _, _, body in hub.requests}) == 1


async def test_a_model_that_does_not_get_ready_is_given_up(hub):
    hub.replies = [not_ready]
    async with workplace() as b:
        with pytest.raises(UnavailableError, match="currently loading"):
            await b.run(hub.component, {**USUAL, "modelTask": "summarization"}, inputs={"Text": "t"})
    assert len(hub.requests) == 3


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "token"), (403, "permission"), (404, "name"), (429, "wait"), (422, None), (500, None)]
)
async def test_an_error_says_what_hugging_face_says_and_never_the_token(hub, status, hint):
    hub.replies = [lambda: web.json_response({"error": f"that is wrong: Bearer {TOKEN}"}, status=status)]
    async with workplace() as b:
        with pytest.raises(ComponentError, match=f"{status}.*that is wrong") as caught:
            await b.run(hub.component, {**USUAL, "modelTask": "summarization"}, inputs={"Text": "t"})
    assert (hint or "") in (caught.value.hint or "")
    assert TOKEN not in repr(caught.value) + str(caught.value.hint)
    assert len(hub.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"{"])
async def test_a_broken_answer_is_an_error(hub, body):
    hub.replies = [lambda: web.Response(body=body, content_type="application/json")]
    async with workplace() as b:
        with pytest.raises(ComponentError, match="broken"):
            await b.run(hub.component, {**USUAL, "modelTask": "summarization"}, inputs={"Text": "t"})


async def test_an_unknown_task_is_found_before_anything_runs(hub):
    async with workplace() as b:
        with pytest.raises(ComponentError, match="telepathy"):
            await b.run(hub.component, {**USUAL, "modelTask": "telepathy"}, inputs={"Text": "t"})
    assert hub.requests == []


@pytest.mark.parametrize("parameters", ["{", "[1]", "3"])
async def test_parameters_that_are_no_object_are_an_error(hub, parameters):
    async with workplace() as b:
        data = {**USUAL, "modelTask": "summarization", "parameters": parameters}
        with pytest.raises(ComponentError, match="parameters"):
            await b.run(hub.component, data, inputs={"Text": "t"})
    assert hub.requests == []


async def test_an_input_adds_no_parameter_through_a_placeholder(hub):
    hub.replies = [[{"summary_text": "s"}]]
    async with workplace() as b:
        data = {**USUAL, "modelTask": "summarization", "parameters": '{"style": "{{Style}}", "n": "{{N}}"}'}
        inputs = {"Text": "t", "Style": '", "evil": "1', "N": 3}
        await b.run(hub.component, data, inputs=inputs)
    parameters = json.loads(hub.requests[0][2])["parameters"]
    assert parameters["style"] == '", "evil": "1'
    assert parameters["n"] == 3
    assert "evil" not in parameters


async def test_a_large_file_arrives_whole(hub):
    hub.replies = [{"text": "long"}]
    sound = b"ID3\x03" + bytes(1_000_000)
    async with workplace() as b:
        data = {**USUAL, "modelTask": "automatic-speech-recognition"}
        await b.run(hub.component, data, inputs={"Audio": sound})
    assert hub.requests[0][2] == sound
