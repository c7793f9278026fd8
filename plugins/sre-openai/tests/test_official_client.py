"""The official client as the judge: of what the fake server says, and of what the connector sends."""

from typing import Any

import openai
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.image_generate_params import ImageGenerateParamsBase
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

from sre_core.connectors.llm import ImageRequest, LLMRequest, fold
from sre_core.messages import File, Message, SkillSpec
from sre_openai import OpenAILLM, OpenAISettings

from .fake_server import KEY, PIXEL, FakeServer  # noqa: TID252 -- the folder of tests is no package

ADD = SkillSpec(
    name="add",
    description="Add.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
)
PROMPTS = ["Hello wörld 👋", 'call add {"a": 1} call add {"a": 22}', "a\nb  c "]


@pytest.fixture
async def client(fake: FakeServer) -> Any:
    async with openai.AsyncOpenAI(base_url=fake.url, api_key=KEY, max_retries=0) as client:
        yield client


async def ours(fake: FakeServer, api: str, request: LLMRequest) -> Any:
    connector = OpenAILLM(OpenAISettings(preset="openai", url=fake.url, key=KEY, model="echo", api=api))
    await connector.start()
    try:
        return fold([chunk async for chunk in connector.stream(request)])
    finally:
        await connector.stop()


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_it_reads_the_same_from_a_chat_stream(fake: FakeServer, client: openai.AsyncOpenAI, prompt: str):
    mine = await ours(fake, "chat", LLMRequest(messages=(Message.user(prompt),), skills=(ADD,)))
    async with client.chat.completions.stream(**_without_stream(fake.requests[-1])) as stream:
        theirs = await stream.get_final_completion()
    (choice,) = theirs.choices
    assert (choice.message.content or "") == mine.message.text
    found = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()]
    assert found == [(call.id, call.name, call.arguments) for call in mine.message.skill_calls]
    assert choice.finish_reason == ("tool_calls" if found else "stop")
    assert theirs.usage is not None
    assert theirs.usage.completion_tokens == mine.usage.output_tokens


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_it_reads_the_same_from_a_response(fake: FakeServer, client: openai.AsyncOpenAI, prompt: str):
    request = LLMRequest(messages=(Message.user(prompt),), skills=(ADD,), thinking=True)
    mine = await ours(fake, "responses", request)
    async with client.responses.stream(**_without_stream(fake.requests[-1])) as stream:
        theirs = await stream.get_final_response()
    assert theirs.output_text == mine.message.text
    found = [(item.call_id, item.name, item.arguments) for item in theirs.output if item.type == "function_call"]
    assert found == [(call.id, call.name, call.arguments) for call in mine.message.skill_calls]
    thoughts = [part.text for item in theirs.output if item.type == "reasoning" for part in item.summary]
    assert "".join(thoughts) == mine.thinking == "Let me think. "
    assert theirs.usage is not None
    assert theirs.usage.output_tokens == mine.usage.output_tokens


async def test_it_gets_the_same_vectors_and_images(fake: FakeServer, client: openai.AsyncOpenAI):
    connector = OpenAILLM(OpenAISettings(preset="openai", url=fake.url, key=KEY))
    await connector.start()
    try:
        mine = await connector.embed(["one", "two words"])
        assert set(fake.requests[-1]) <= set(EmbeddingCreateParams.__annotations__)
        await connector.generate_images(ImageRequest(prompt="A cat", count=1, size="auto"))
        assert set(fake.requests[-1]) <= set(ImageGenerateParamsBase.__annotations__)
        edit = ImageRequest(prompt="A cat", images=(File(name="a.png", media_type="image/png", data=PIXEL),))
        await connector.generate_images(edit)
        sent = fake.requests[-1]
    finally:
        await connector.stop()
    theirs = await client.embeddings.create(model="text-embedding-3-small", input=["one", "two words"])
    assert mine == [pytest.approx(entry.embedding) for entry in sorted(theirs.data, key=lambda entry: entry.index)]
    await client.images.edit(model="gpt-image-2", prompt="A cat", image=[("a.png", PIXEL, "image/png")], n=1)
    assert fake.requests[-1] == sent


@pytest.mark.parametrize(
    ("api", "fields"),
    [
        ("chat", CompletionCreateParamsStreaming.__mutable_keys__),
        ("responses", ResponseCreateParamsStreaming.__mutable_keys__),
    ],
)
async def test_what_the_connector_sends_has_no_field_that_it_does_not_know(
    fake: FakeServer, api: str, fields: frozenset[str]
):
    options = {"effort": "low", "verbosity": "low", "parallel_tool_calls": False}
    request = LLMRequest(
        messages=(Message.system("Be kind."), Message.user("hi")),
        skills=(ADD,),
        skill_choice="none",
        output_schema=ADD.parameters,
        max_tokens=16,
        temperature=0.5,
        top_p=0.5,
        seed=7 if api == "chat" else None,
        thinking=True,
        options=options,
    )
    await ours(fake, api, request)
    assert set(fake.requests[-1]) <= fields


async def test_it_sees_the_same_errors(fake: FakeServer, client: openai.AsyncOpenAI):
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.create(model="lost", messages=[{"role": "user", "content": "hi"}], stream=True)
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "hi"}], stream=True, extra_body={"odd": 1}
        )
    fake.limited = True
    with pytest.raises(openai.RateLimitError):
        await client.models.list()


def _without_stream(body: dict[str, Any]) -> dict[str, Any]:
    """A request that came, for the helpers of the client, which ask for a stream themselves."""
    return {name: value for name, value in body.items() if name != "stream"}
