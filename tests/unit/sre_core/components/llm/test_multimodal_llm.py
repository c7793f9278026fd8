"""Prompts about files of any kind."""

import base64

from sre_core.testing.scripted import ScriptedLLM

SOUND = "data:audio/mpeg;base64," + base64.b64encode(b"ID3\x03sound").decode()
PAPER = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.7\n").decode()
FILM = "data:video/mp4;base64," + base64.b64encode(b"\x00\x00\x00\x18ftypmp42").decode()


async def test_sound_and_papers_go_to_a_model_that_takes_them_and_films_are_left_out(scripted):
    llm = ScriptedLLM("heard", capabilities=["audio", "documents"])
    async with scripted(llm) as b:
        found = await b.run("MultimodalLLM", {"prompt": "p"}, inputs={"Input": [SOUND, PAPER, FILM]})
    assert found == {"Reply": "heard"}
    assert [file.media_type for file in llm.request.messages[0].files] == ["audio/mpeg", "application/pdf"]


async def test_its_reply_can_be_passed_through(scripted):
    async with scripted(ScriptedLLM("heard it", capabilities=["audio"])) as b:
        await b.run("MultimodalLLM", {"prompt": "p", "passthrough": "true"}, inputs={"Input": SOUND})
        texts = [event.text for event in b.events if event.type == "text_delta"]
    assert "".join(texts) == "heard it"
