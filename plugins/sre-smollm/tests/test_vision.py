"""Images through the connector: the same conversation as text, with its cache, its batches and its skills."""

import asyncio
import json
from contextlib import aclosing

import pytest

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, ConnectorError, UnsupportedError
from sre_core.messages import File, Message, SkillSpec
from sre_smollm import SmolLM, SmolLMSettings
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.writing.detokenizer import Detokenizer

from .pictures import COSTS, ICON, LETTER, SALES, chart, document, plain, saved  # noqa: TID252 -- the folder is no package
from .tiny_smolvlm import save_tiny_qwen2_vl, save_tiny_smolvlm  # noqa: TID252

TOKENS = 10
READ = SkillSpec(
    name="read_bar",
    description="Read a bar of a chart.",
    parameters={
        "type": "object",
        "properties": {"bar": {"type": "integer", "minimum": 1, "maximum": 4}, "color": {"enum": ["red", "blue"]}},
        "required": ["bar", "color"],
    },
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smolvlm")
    save_tiny_smolvlm(folder)
    return folder


@pytest.fixture(scope="module")
async def model(folder, anyio_backend):
    connector = SmolLM(SmolLMSettings(weights=folder, dtype="float32", threads=1, max_tokens=TOKENS))
    await connector.start()
    yield connector
    await connector.stop()


@pytest.fixture(scope="module")
def expected(folder):
    """What plain transformers answers to a question about images."""
    tokenizer = Tokenizer.load(folder)

    def expected(question: str, *images) -> str:
        marks = "<image>" * len(images) or " "
        text = f"<|im_start|>User:{marks}{question}<end_of_utterance>\nAssistant:"
        _, written = plain(folder, text, images, TOKENS)
        end = next((place for place, token in enumerate(written) if token in tokenizer.ends), TOKENS)
        text = Detokenizer(tokenizer.bytes_of)
        return "".join(text.push(token) for token in written[:end])

    return expected


async def _ask(model, /, *messages, **changes):
    async with aclosing(model.stream(LLMRequest(messages=messages, **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


async def test_a_reply_about_images_is_that_of_plain_transformers(model, expected):
    assert "images" in model.capabilities
    for images in ((SALES,), (COSTS, LETTER), ()):
        answer = await _ask(model, Message.user("What is it?", files=tuple(saved(image) for image in images)))
        assert answer.message.text == expected("What is it?", *images)


async def test_many_conversations_at_once_do_not_mix_up_their_images(model, expected):
    images = [chart(40 + 17 * number, 90 - 9 * number, (10 * number, 90, 30)) for number in range(6)]
    asked = [_ask(model, Message.user("Which?", files=(saved(image),))) for image in images]
    texts = [answer.message.text for answer in await asyncio.gather(*asked)]
    assert texts == [expected("Which?", image) for image in images]
    assert len(set(texts)) == len(texts)


async def test_the_images_of_earlier_turns_are_not_read_again(model):
    plan, bill = chart(130, 60, (5, 15, 95)), document(100, 100, ("Bill", "coffee 2.40"))
    question = Message.user("What is it?", files=(saved(plan), saved(bill)))
    first = await _ask(model, question)
    # What stands before an image is the same in all prompts.
    assert first.usage.cached_tokens < 20
    follow = await _ask(model, question, first.message, Message.user("And which bar?"))
    # All up to the end of the first turn, which is what the two prompts have in common.
    assert follow.usage.cached_tokens > first.usage.input_tokens - len("\nAssistant:") - 2
    other = await _ask(model, Message.user("What is it?", files=(saved(plan), saved(chart(130, 60, (5, 15, 94))))))
    assert 20 < other.usage.cached_tokens < first.usage.input_tokens / 2 + 20


async def test_a_skill_is_called_about_an_image(model):
    question = Message.user("How high is the second bar?", files=(saved(SALES),))
    answer = await _ask(model, question, skills=(READ,), skill_choice="required", max_tokens=100)
    (call,) = answer.message.skill_calls
    arguments = json.loads(call.arguments)
    assert (call.name, set(arguments)) == ("read_bar", {"bar", "color"})
    schema = {"type": "object", "properties": {"sum": {"type": "integer", "maximum": 9}}, "required": ["sum"]}
    shown = await _ask(model, question, output_schema=schema, max_tokens=60)
    assert set(json.loads(shown.message.text)) == {"sum"}


async def test_files_that_are_no_images_or_damaged_are_refused_and_others_go_on(model, expected):
    page = File(name="report.pdf", media_type="application/pdf", data=b"%PDF-1.7")
    with pytest.raises(UnsupportedError, match=r"'report\.pdf'"):
        await _ask(model, Message.user("Sum up.", files=(page,)))
    whole = saved(SALES, name="sales.png")
    half = File(name=whole.name, media_type=whole.media_type, data=whole.data[: len(whole.data) // 2])
    with pytest.raises(ConfigError, match=r"the image 'sales\.png' is damaged"):
        await _ask(model, Message.user("Sum up.", files=(half,)))
    with pytest.raises(UnsupportedError, match="from the user alone"):
        await _ask(model, Message.user("a"), Message(role="assistant", text="b", files=(whole,)), Message.user("c"))
    assert (await _ask(model, Message.user("Which?", files=(whole,)))).message.text == expected("Which?", SALES)


async def test_images_that_do_not_fit_say_by_how_much(folder):
    small = SmolLM(SmolLMSettings(weights=folder, dtype="float32", context_tokens=200))
    await small.start()
    try:
        one = await _ask(small, Message.user("?", files=(saved(ICON),)), max_tokens=1)
        # Two marks of the model and letters; the rest is the image.
        size = 2 * one.usage.input_tokens - (2 + len("User:?\nAssistant:"))
        with pytest.raises(ConnectorError, match=rf"has {size} tokens, the model's context 200: {size - 199} too many"):
            await _ask(small, Message.user("?", files=(saved(ICON), saved(ICON))))
    finally:
        await small.stop()


async def test_a_model_of_text_alone_refuses_images(tiny_folder):
    small = SmolLM(SmolLMSettings(weights=tiny_folder))
    await small.start()
    try:
        assert "images" not in small.capabilities
        with pytest.raises(UnsupportedError, match="images"):
            await _ask(small, Message.user("What is it?", files=(saved(ICON),)))
    finally:
        await small.stop()


async def test_a_model_whose_images_are_not_known_here_says_what_is_missing_and_takes_text(tmp_path):
    save_tiny_qwen2_vl(tmp_path)
    other = SmolLM(SmolLMSettings(weights=tmp_path, dtype="float32", max_tokens=3))
    await other.start()
    try:
        assert "images" not in other.capabilities
        with pytest.raises(UnsupportedError, match=r"takes no images here: its positions .* three parts \(mrope\)"):
            await _ask(other, Message.user("What is it?", files=(saved(ICON),)))
        assert (await _ask(other, Message.user("Hello."))).usage.output_tokens > 0
    finally:
        await other.stop()


async def test_the_arguments_of_a_call_are_written_by_who_has_seen_the_image(model):
    told = [
        await _ask(
            model, Message.user("Read bar 2", files=files), skills=(READ,), skill_choice="required", max_tokens=60
        )
        for files in ((saved(SALES),), (saved(SALES), saved(COSTS)))
    ]
    # Each image is a run of marks in the prompt that the call was written after.
    assert told[1].usage.input_tokens - told[0].usage.input_tokens > 4
