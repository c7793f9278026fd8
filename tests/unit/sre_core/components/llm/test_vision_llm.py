"""Prompts about images."""

import base64

import pytest

from sre_core.errors import ComponentError
from sre_core.messages import Message
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


async def test_the_model_sees_all_images_and_the_limit_of_its_reply(scripted):
    llm = ScriptedLLM("two dots", capabilities=["images"])
    async with scripted(llm) as b:
        data = {"prompt": "Count {{What}}.", "maxTokens": "100"}
        found = await b.run("VisionLLM", data, inputs={"Images": [PNG_URL, PNG_URL], "What": "dots"})
    assert found == {"Reply": "two dots"}
    assert llm.request.messages == (Message.user("Count dots.", files=llm.request.messages[0].files),)
    assert [file.data for file in llm.request.messages[0].files] == [PNG, PNG]
    assert llm.request.max_tokens == 100


async def test_its_reply_can_be_passed_through(scripted):
    async with scripted(ScriptedLLM("a dot", capabilities=["images"])) as b:
        await b.run("VisionLLM", {"prompt": "p", "passthrough": True}, inputs={"Images": PNG_URL})
        texts = [event.text for event in b.events if event.type == "text_delta"]
    assert "".join(texts) == "a dot"


async def test_its_own_outputs_are_fields_of_the_reply(scripted):
    async with scripted(ScriptedLLM('{"count": 1}', capabilities=["images", "schema"])) as b:
        found = await b.run("VisionLLM", {"prompt": "p"}, inputs={"Images": PNG_URL}, outputs=["count"])
    assert found["count"] == 1


@pytest.mark.parametrize("images", [None, "", []])
async def test_no_image_at_all_is_an_error(scripted, images):
    async with scripted(ScriptedLLM("?", capabilities=["images"])) as b:
        with pytest.raises(ComponentError, match="no file"):
            await b.run("VisionLLM", {"prompt": "p"}, inputs={"Images": images})


async def test_a_model_without_eyes_says_so(scripted):
    async with scripted(ScriptedLLM("?", capabilities=())) as b:
        with pytest.raises(ComponentError, match="none of the files"):
            await b.run("VisionLLM", {"prompt": "p"}, inputs={"Images": PNG_URL})


async def test_a_file_of_another_agent_is_not_read_for_who_asks(scripted):
    from sre_core.access.candidate import Candidate
    from sre_core.errors import AccessDeniedError, NotFoundError

    async with scripted(ScriptedLLM("?", capabilities=["images"]), caller=Candidate.user("mallory")) as b:
        with pytest.raises((AccessDeniedError, NotFoundError)):
            await b.run("VisionLLM", {"prompt": "p"}, inputs={"Images": "smythfs://default.team/a2/secret.png"})


async def test_echo_repeats_the_prompt():
    async with bench() as b:
        assert await b.run("VisionLLM", {"prompt": "p"}, inputs={"Images": PNG_URL}) == {"Reply": "p"}
