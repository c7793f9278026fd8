"""What else a user sees of the connector: settings, models, embeddings, images, tokens, limits."""

import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from sre_core.connectors.llm import ImageRequest, LLMRequest, ModelInfo, fold
from sre_core.errors import ConfigError, ConnectorError, UnavailableError, UnsupportedError
from sre_core.messages import File, Message, Usage
from sre_core.models.catalogue import Catalogue
from sre_core.plugins import Plugins
from sre_core.testing.conformance.lifecycle import CAPABILITIES
from sre_core.testing.conformance.llm_cases import picture
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_google import GoogleLLM, GoogleSettings, register_models

from .fake_google import LOCATION, PROJECT, FakeGoogle, served  # noqa: TID252 -- the folder of tests is no package
from .google_connectors import Make, gemini, vertex  # noqa: TID252

HELLO = LLMRequest(messages=(Message.user("hello"),))


@pytest.fixture(params=[gemini, vertex], ids=["gemini", "vertex"])
def make(request: pytest.FixtureRequest) -> Make:
    found: Make = request.param
    return found


@pytest.fixture
async def connector(make: Make, google: FakeGoogle) -> AsyncIterator[GoogleLLM]:
    made = make(google)
    await made.start()
    yield made
    await made.stop()


async def say(connector: GoogleLLM, request: LLMRequest = HELLO) -> str:
    async with aclosing(connector.stream(request)) as chunks:
        return fold([chunk async for chunk in chunks]).message.text


def embedding(length: int) -> dict[str, Any]:
    return {"values": [float(number) for number in range(1, length + 1)]}


def drawn(*parts: dict[str, Any], **candidate: Any) -> HttpReply:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 1290, "totalTokenCount": 1295}
    event = {"candidates": [{"content": {"parts": parts}, **candidate}], "usageMetadata": usage}
    return HttpReply.events([b"data: " + json.dumps(event).encode() + b"\r\n\r\n"])


# Settings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"project": "p"}, 'project is for backend = "vertex"'),
        ({"credentials_file": "x.json"}, 'credentials_file is for backend = "vertex"'),
        ({"backend": "vertex", "key": "k", "project": "p"}, "a key replaces project and credentials"),
        ({"backend": "vertex", "credentials": "{}", "credentials_file": "x"}, "not both"),
        ({"url": "localhost:1"}, "pattern"),
        ({"thinking_level": "deep"}, "thinking_level"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        GoogleSettings(**settings)


async def test_the_gemini_api_wants_a_key() -> None:
    with pytest.raises(ConfigError, match="needs a key"):
        await GoogleLLM(GoogleSettings()).start()


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    heavy = "{'aiohttp', 'google.genai', 'google.auth', 'requests', 'httpx'}"
    code = f"import sys, sre_google; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def test_requests_go_where_each_api_has_its_models(google: FakeGoogle, make: Make) -> None:
    connector = make(google)
    await connector.start()
    await say(connector)
    prefix = f"/v1beta1/projects/{PROJECT}/locations/{LOCATION}/publishers/google" if make is vertex else "/v1beta"
    assert google.received[0].path == f"{prefix}/models/gemini-3.8-flash:streamGenerateContent"
    await connector.stop()


async def test_vertex_ai_takes_a_key_instead_of_a_project() -> None:
    async with ReplayServer.running(always=HttpReply.json({"totalTokens": 3})) as server:
        connector = GoogleLLM(GoogleSettings(backend="vertex", key=SecretStr("some-key"), url=server.url))
        await connector.start()
        assert await connector.count_tokens(["hello"]) == [3]
        (request,) = server.requests
        assert request.path == "/v1beta1/publishers/google/models/gemini-3.8-flash:countTokens"
        assert request.headers["x-goog-api-key"] == "some-key"
        await connector.stop()


async def test_version_and_headers_can_be_set_for_a_gateway() -> None:
    async with ReplayServer.running(always=HttpReply.json({"totalTokens": 3})) as server:
        settings = GoogleSettings(
            key=SecretStr("some-key"),
            url=f"{server.url}/gateway",
            api_version="v1",
            headers={"X-Team": SecretStr("secret-of-the-team")},
        )
        connector = GoogleLLM(settings)
        assert "secret-of-the-team" not in repr(settings)
        await connector.start()
        await connector.count_tokens(["hello"])
        (request,) = server.requests
        assert request.path == "/gateway/v1/models/gemini-3.8-flash:countTokens"
        assert request.headers["X-Team"] == "secret-of-the-team"
        await connector.stop()


async def test_what_the_environment_says_to_the_library_changes_nothing(
    google: FakeGoogle, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    for name, value in {
        "GOOGLE_API_KEY": "another-key",
        "GEMINI_API_KEY": "another-key",
        "GOOGLE_CLOUD_PROJECT": "another-project",
        "GOOGLE_CLOUD_LOCATION": "another-place",
        "GOOGLE_GENAI_USE_VERTEXAI": "true" if make is gemini else "false",
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1",
        "GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:1",
        "GOOGLE_GENAI_API_VERSION": "v9",
    }.items():
        monkeypatch.setenv(name, value)
    connector = make(google)
    await connector.start()
    assert await say(connector) == "hello"
    await connector.stop()


async def test_it_says_which_models_it_is_set_to(make: Make, server: FakeGoogle) -> None:
    told = await make(server).describe()
    assert told == {"backend": make.__name__, "model": "gemini-3.8-flash", "url": server.url}


async def test_before_the_start_nothing_can_be_asked(server: FakeGoogle) -> None:
    connector = gemini(server)
    assert await connector.models() == [
        ModelInfo(id="gemini-3.8-flash", context_tokens=1_048_576, output_tokens=65_536)
    ]
    for call in (connector.ping(), connector.embed(["a"]), connector.count_tokens(["a"]), say(connector)):
        with pytest.raises(UnavailableError, match="not running"):
            await call


# Models


async def test_all_pages_of_models_are_listed_and_the_default_comes_first(connector: GoogleLLM) -> None:
    found = await connector.models()
    on_vertex = (await connector.describe())["backend"] == "vertex"
    assert [model.id for model in found] == served(vertex=on_vertex)
    assert found[0] == ModelInfo(id="gemini-3.8-flash", context_tokens=1_048_576, output_tokens=65_536)
    # Vertex AI tells no limits, so there it is the catalogue that does.
    assert found[3].context_tokens == (2048 if on_vertex else 1_048_576)


def test_the_catalogue_finds_models_by_id_alias_and_name() -> None:
    catalogue = Catalogue([(entry, "google") for entry in register_models()])
    found = catalogue.get("google/gemini-3.8-flash").entry
    assert catalogue.get("gemini-flash").entry is found
    assert catalogue.get("gemini-3.8-flash").entry is found
    assert found.cost(Usage(input_tokens=1_000_000, cached_tokens=500_000, output_tokens=100_000)) == pytest.approx(
        0.375 + 0.0375 + 0.375
    )
    assert not catalogue.clashes


def test_entries_of_the_catalogue_are_sound() -> None:
    kind = {plugin: kind for (_, plugin), kind in Plugins.load(only=("google",)).connectors.items()}["google"]
    for entry in register_models():
        assert entry.features <= CAPABILITIES[kind.service]
        kind.settings_type.model_validate({**entry.settings, "key": "k"})
        assert (entry.input_price is None) == (entry.output_price is None)


# Embeddings


async def test_texts_are_embedded_in_batches_in_their_order(make: Make, google: FakeGoogle) -> None:
    connector = make(google, embedding_batch=3)
    await connector.start()
    texts = [f"text number {number}" for number in range(7)]
    vectors = await connector.embed(texts)
    sizes = [len(body.get("requests", [body])) for body in google.bodies("batchEmbedContents")]
    assert sizes + [1] * len(google.bodies("embedContent")) == [3, 3, 1]
    for text, vector in zip(texts, vectors, strict=True):
        assert await connector.embed([text]) == [vector]
        assert sum(value * value for value in vector) == pytest.approx(1)
    await connector.stop()


async def test_length_and_purpose_of_vectors_can_be_set(make: Make, google: FakeGoogle) -> None:
    connector = make(google, embedding_dimensions=256, embedding_task="RETRIEVAL_QUERY")
    await connector.start()
    await connector.embed(["one", "two"])
    (body,) = google.bodies("batchEmbedContents")
    for request in body["requests"]:
        settings = request.get("embedContentConfig", request)
        assert settings["outputDimensionality"] == 256
        assert settings["taskType"] == "RETRIEVAL_QUERY"
    await connector.stop()


async def test_models_of_vertex_ai_that_are_older_embed_too(google: FakeGoogle) -> None:
    connector = vertex(google, embedding_dimensions=256, embedding_task="CLUSTERING")
    await connector.start()
    vectors = await connector.embed(["one", "two"], model="text-embedding-005")
    assert vectors == await connector.embed(["one", "two"])
    (body,) = google.bodies("predict")
    assert body["instances"][1] == {"content": "two", "task_type": "CLUSTERING"}
    assert body["parameters"] == {"outputDimensionality": 256}
    await connector.stop()


@pytest.mark.parametrize("embeddings", [[], [embedding(3)], [embedding(3), embedding(2)], [{"values": []}] * 2])
async def test_vectors_that_do_not_fit_their_texts_are_an_error(embeddings: list[Mapping[str, Any]]) -> None:
    async with ReplayServer.running(always=HttpReply.json({"embeddings": embeddings})) as server:
        connector = GoogleLLM(GoogleSettings(key=SecretStr("key"), url=server.url))
        await connector.start()
        with pytest.raises(ConnectorError, match="no vectors, or not one for each text"):
            await connector.embed(["one", "two"])
        await connector.stop()


# Images


async def test_images_are_made_one_by_one_and_sketches_are_left_out(google: FakeGoogle, connector: GoogleLLM) -> None:
    made = await connector.generate_images(ImageRequest(prompt="A red square", count=3, images=(picture(),), size="1K"))
    assert [file.name for file in made.images] == ["image-1.png", "image-2.png", "image-3.png"]
    assert {file.data for file in made.images} == {picture().data}
    assert made.usage == Usage(input_tokens=24, output_tokens=3870)
    bodies = google.bodies("streamGenerateContent")
    assert len(bodies) == 3
    sent = bodies[0]["contents"][0]["parts"]
    assert base64.b64decode(sent[0]["inlineData"]["data"]) == picture().data
    assert sent[1] == {"text": "A red square"}


async def test_an_image_that_is_held_back_is_missing_unless_it_is_the_only_one() -> None:
    image = {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}}
    blocked = drawn(finishReason="IMAGE_SAFETY")
    async with ReplayServer.running(blocked, drawn(image, finishReason="STOP"), always=blocked) as server:
        connector = GoogleLLM(GoogleSettings(key=SecretStr("key"), url=server.url))
        await connector.start()
        made = await connector.generate_images(ImageRequest(prompt="x", count=2))
        assert [(file.name, file.media_type) for file in made.images] == [("image-1.webp", "image/webp")]
        with pytest.raises(ConnectorError, match=r"held it back \(IMAGE_SAFETY\)"):
            await connector.generate_images(ImageRequest(prompt="x"))
        await connector.stop()


async def test_words_instead_of_an_image_are_an_error_that_quotes_them() -> None:
    async with ReplayServer.running(always=drawn({"text": "I only talk."}, finishReason="STOP")) as server:
        connector = GoogleLLM(GoogleSettings(key=SecretStr("key"), url=server.url))
        await connector.start()
        with pytest.raises(ConnectorError, match="I only talk"):
            await connector.generate_images(ImageRequest(prompt="x", count=2))
        await connector.stop()


async def test_the_first_failure_ends_all_images(google: FakeGoogle, connector: GoogleLLM) -> None:
    with pytest.raises(ConnectorError, match="response modalities"):
        await connector.generate_images(ImageRequest(prompt="x", count=40, model="gemini-3.8-flash"))
    assert len(google.received) < 40


# Tokens and files


async def test_an_empty_text_has_no_tokens_and_costs_no_request(google: FakeGoogle, connector: GoogleLLM) -> None:
    assert await connector.count_tokens(["", "one two", ""]) == [0, 2, 0]
    # Not of all that came: requests that an earlier test left behind may still arrive.
    assert len(google.bodies("countTokens")) == 1


async def test_counting_can_be_switched_off(server: FakeGoogle) -> None:
    connector = gemini(server, count_tokens=False)
    assert "count-tokens" not in connector.capabilities
    assert "count-tokens" in GoogleLLM.capabilities
    await connector.start()
    with pytest.raises(UnsupportedError):
        await connector.count_tokens(["hello"])
    await connector.stop()


async def test_files_beyond_the_limit_never_leave(google: FakeGoogle, make: Make) -> None:
    connector = make(google, file_bytes=10_000)
    await connector.start()
    photo = File(name="a.png", media_type="image/png", data=bytes(8000))
    with pytest.raises(ConfigError, match="limit is 10000"):
        await say(connector, LLMRequest(messages=(Message.user("see", files=(photo,)),)))
    with pytest.raises(ConfigError, match="limit is 10000"):
        await connector.generate_images(ImageRequest(prompt="see", images=(photo,)))
    assert not google.received
    await connector.stop()


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")  # google-genai sends bytes
async def test_large_files_arrive_whole(google: FakeGoogle, connector: GoogleLLM) -> None:
    film = File(name="a.mp4", media_type="video/mp4", data=bytes(range(256)) * 16_000)
    assert await say(connector, LLMRequest(messages=(Message.user("see", files=(film,)),))) == "see"
    part = google.bodies("streamGenerateContent")[0]["contents"][0]["parts"][0]
    assert base64.b64decode(part["inlineData"]["data"]) == film.data
