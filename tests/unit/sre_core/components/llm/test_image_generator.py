"""Images that a model makes become files of the agent."""

import base64
from collections.abc import AsyncGenerator

import pytest

from sre_core.components.files import read_file
from sre_core.components.node import InputPort
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import GeneratedImages, LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ComponentError, ConfigError, UnsupportedError
from sre_core.messages import File, Usage
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM, ScriptedPlugin

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


class Painter(LLMConnector):
    """Makes one dot for each image that it is asked for, and keeps what it was asked."""

    name = "scripted"
    capabilities = frozenset({"image-generation"})
    asked: list

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        raise NotImplementedError
        yield

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo(id="scripted")]

    async def generate_images(self, request):
        self.asked.append(request)
        for option in request.options:
            if option not in {"quality", "style"}:
                raise ConfigError(f"llm connector 'painter' knows no option {option!r}")
        images = [File(name=f"image-{i}.png", media_type="image/png", data=PNG) for i in range(request.count)]
        return GeneratedImages(images=tuple(images), usage=Usage(input_tokens=3, output_tokens=5))


class Plugin:
    """Brings the painter."""

    def __init__(self) -> None:
        self.asked: list = []

    def as_plugin(self):
        return ScriptedPlugin(type("MyPainter", (Painter,), {"asked": self.asked, "__doc__": Painter.__doc__}))


async def test_an_image_is_a_file_that_other_components_can_read(scripted):
    painter = Plugin()
    async with scripted(painter) as b:
        data = {"model": "dall-e-3", "prompt": "A {{Thing}}", "sizeDalle3": "1024x1792"}
        found = await b.run("ImageGenerator", data, inputs={"Thing": 'red "dot"'})
        file = await read_file(found["Output"], b.context)
        usage = [event.usage.total_tokens for event in b.events if event.type == "usage_reported"]
    assert (file.media_type, file.data) == ("image/png", PNG)
    assert found["Output"]["mimetype"] == "image/png"
    (asked,) = painter.asked
    assert (asked.prompt, asked.model, asked.size, asked.count) == ('A red "dot"', "dall-e-3", "1024x1792", 1)
    assert usage == [8]


async def test_several_images_are_a_list(scripted):
    async with scripted(Plugin()) as b:
        found = await b.run("ImageGenerator", {"prompt": "dots", "numberOfImages": "3"})
    assert [one["size"] for one in found["Output"]] == [len(PNG)] * 3


async def test_the_input_is_the_prompt_when_there_is_no_other_and_is_no_template(scripted):
    painter = Plugin()
    async with scripted(painter, secrets={"code": "42"}) as b:
        await b.run("ImageGenerator", {}, inputs={"Prompt": "{{KEY(code)}}"})
    assert painter.asked[0].prompt == "{{KEY(code)}}"


async def test_options_of_other_families_are_left_out(scripted):
    painter = Plugin()
    async with scripted(painter) as b:
        found = await b.run("ImageGenerator", {"prompt": "p", "negativePrompt": "rain", "quality": "high"})
    assert found["Output"]["url"]
    assert [dict(one.options) for one in painter.asked] == [
        {"quality": "high", "negative_prompt": "rain"},
        {"quality": "high"},
    ]


async def test_images_that_come_in_are_changed_by_models_that_can(scripted):
    painter = Plugin()
    port = InputPort(name="Photo", type="Image")
    async with scripted(painter) as b:
        data = {"model": "gpt-image-1", "prompt": "Make it blue."}
        await b.run("ImageGenerator", data, inputs={"Photo": PNG_URL}, input_ports=[port])
        data["model"] = "dall-e-3"
        with pytest.raises(ComponentError, match="cannot change images"):
            await b.run("ImageGenerator", data, inputs={"Photo": PNG_URL}, input_ports=[port])
    assert [[file.data for file in one.images] for one in painter.asked] == [[PNG]]


@pytest.mark.parametrize("inputs", [{}, {"Prompt": ""}, {"Prompt": " "}])
async def test_no_prompt_is_an_error(scripted, inputs):
    async with scripted(Plugin()) as b:
        with pytest.raises(ComponentError, match="no prompt"):
            await b.run("ImageGenerator", {}, inputs=inputs)


async def test_a_model_that_makes_no_images_says_so(scripted):
    async with scripted(ScriptedLLM()) as b:
        with pytest.raises(UnsupportedError, match="image-generation"):
            await b.run("ImageGenerator", {"prompt": "p"})


async def test_echo_makes_no_images():
    async with bench() as b:
        with pytest.raises(UnsupportedError):
            await b.run("ImageGenerator", {"model": "Echo", "prompt": "p"})
