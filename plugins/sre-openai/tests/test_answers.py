"""Vectors and images as providers answer with them, by their documentation."""

import json
from typing import Any

import pytest

from sre_core.connectors.llm import ImageRequest
from sre_core.messages import File, Usage
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_openai import OpenAILLM, OpenAISettings

from .documented import FOLDER  # noqa: TID252 -- the folder of tests is no package

ANSWERS: list[dict[str, Any]] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
SKETCH = File(name="a.png", media_type="image/png", data=b"sketch")


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['preset']} {row['call']}")
async def test_an_answer_of_the_documentation_is_understood(row: dict[str, Any]):
    assert row["page"].startswith("https://")
    expected = row["expected"]
    async with ReplayServer.running(always=HttpReply.json(row["body"])) as server:
        connector = OpenAILLM(OpenAISettings.model_validate({"preset": row["preset"], "url": server.url, "key": "k"}))
        await connector.start()
        if row["call"] == "embed":
            assert await connector.embed(["text"]) == expected["vectors"]
        else:
            images = (SKETCH,) if row["call"] == "edit_images" else ()
            made = await connector.generate_images(ImageRequest(prompt="A cat", images=images))
            assert [[image.name, image.media_type] for image in made.images] == expected["images"]
            assert made.usage == Usage(**expected.get("usage", {}))
        await connector.stop()
