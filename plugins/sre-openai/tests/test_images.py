"""Making images, and changing them."""

import base64
from typing import Any

import pytest

from sre_core.connectors.llm import ImageRequest
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnsupportedError
from sre_core.messages import File
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_openai import OpenAILLM, OpenAISettings
from sre_openai.images import image_media_type

from .fake_server import KEY, PIXEL, FakeServer  # noqa: TID252 -- the folder of tests is no package


async def made(request: ImageRequest, **settings: Any) -> Any:
    connector = OpenAILLM(OpenAISettings.model_validate(settings))
    await connector.start()
    try:
        return await connector.generate_images(request)
    finally:
        await connector.stop()


async def test_images_are_made(fake: FakeServer):
    request = ImageRequest(prompt="A cat", count=2, size="1024x1024", options={"quality": "low"})
    found = await made(request, preset="openai", url=fake.url, key=KEY)
    assert [(image.name, image.media_type, image.data) for image in found.images] == [
        ("image-1.png", "image/png", PIXEL),
        ("image-2.png", "image/png", PIXEL),
    ]
    assert (found.usage.input_tokens, found.usage.output_tokens) == (3, 272)
    sent = {"model": "gpt-image-2", "prompt": "A cat", "n": 2, "size": "1024x1024", "quality": "low"}
    assert fake.requests == [sent]


async def test_images_are_changed(fake: FakeServer):
    images = (
        File(name="a.png", media_type="image/png", data=PIXEL),
        File(name="b.png", media_type="image/png", data=b"b"),
    )
    request = ImageRequest(prompt="More wörds", images=images)
    found = await made(request, preset="openai", url=fake.url, key=KEY)
    assert found.images[0].data == PIXEL
    assert fake.requests[0]["images"] == [PIXEL, b"b"]
    assert fake.requests[0]["prompt"] == "More wörds"


async def test_links_are_followed_without_the_key():
    async with ReplayServer.running() as server:
        data = base64.b64encode(b"GIF89a").decode()
        links = [{"url": f"{server.url}/image"}, {"url": f"data:image/gif;base64,{data}"}]
        server.replies += [HttpReply.json({"data": links}), HttpReply(pieces=[b"\xff\xd8\xff jpeg"])]
        request = ImageRequest(prompt="A cat")
        found = await made(request, preset="xai", url=server.url, key="sk-very-secret")
        assert [image.media_type for image in found.images] == ["image/jpeg", "image/gif"]
        assert "Authorization" not in server.requests[1].headers
        assert b'"response_format": "b64_json"' in server.requests[0].body


async def test_what_cannot_be_done_is_said(fake: FakeServer):
    cat = ImageRequest(prompt="A cat")
    images = (File(name="a.png", media_type="image/png", data=PIXEL),)
    here = {"url": fake.url, "key": KEY}
    with pytest.raises(UnsupportedError, match="image-generation"):
        await made(cat, preset="groq", **here)
    with pytest.raises(UnsupportedError, match="images to make images from"):
        await made(ImageRequest(prompt="A cat", images=images), preset="xai", **here)
    with pytest.raises(ConfigError, match="no model for images"):
        await made(cat, preset="azure", **here)
    with pytest.raises(ConfigError, match="qualty"):
        await made(ImageRequest(prompt="A cat", options={"qualty": "low"}), preset="openai", **here)
    with pytest.raises(NotFoundError, match="no model 'dall-e-1'"):
        await made(ImageRequest(prompt="A cat", model="dall-e-1"), preset="openai", **here)


@pytest.mark.parametrize(
    "data",
    [
        {"data": []},
        {"data": [{}]},
        {"created": 1},
        [],
        {"data": [{"b64_json": "?"}]},
        {"data": [{"b64_json": "="}]},
        {"data": [{"url": "data:image/png;base64,?"}]},
        {"data": [{"url": "data:image/png;base64,"}]},
        {"data": [{"url": 7}]},
    ],
)
async def test_an_answer_without_images_is_none(data: Any):
    async with ReplayServer.running(always=HttpReply.json(data)) as server:
        with pytest.raises(ConnectorError, match="no images"):
            await made(ImageRequest(prompt="A cat"), preset="openai", url=server.url, key="k")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a\r\nX-Evil: 1.png", "image/png"), ("a.png", "image/png\r\nX-Evil: 1"), ("\0", "image/png")],
)
async def test_names_that_no_form_can_hold_are_refused(fake: FakeServer, name: str, media_type: str):
    request = ImageRequest(prompt="A cat", images=(File(name=name, media_type=media_type, data=PIXEL),))
    with pytest.raises(UnsupportedError, match="cannot send the file"):
        await made(request, preset="openai", url=fake.url, key=KEY)
    assert fake.requests == []


def test_the_kind_of_an_image_is_seen():
    assert image_media_type(b"RIFF\0\0\0\0WEBPVP8 ", {}) == "image/webp"
    assert image_media_type(b"<svg xmlns=''>", {}) == "image/svg+xml"
    assert image_media_type(b"??", {"output_format": "avif"}) == "image/avif"
    assert image_media_type(b"??", {}) == "image/png"
