"""What all language models share: pieces fold to a message, and what a model cannot take is refused."""

import pytest

from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate
from sre_core.access.resource import Resource
from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors import LLM, CallDelta, GeneratedImages, ImageRequest, LLMChunk, LLMRequest, Settings
from sre_core.connectors.llm import fold
from sre_core.errors import ConfigError, ModelReplyError, UnsupportedError
from sre_core.messages import File, FinishReason, Message, ProviderState, Usage
from tests.unit.sre_core.access.world import World

pytestmark = pytest.mark.anyio

A1 = Candidate.agent("a1")
STATE = ProviderState(connector="acme", data="signed")


def test_pieces_fold_to_a_message_with_its_calls_in_order_and_its_state():
    folded = fold(
        [
            LLMChunk(thinking="hm"),
            LLMChunk(text="I "),
            LLMChunk(call=CallDelta(index=1, id="b", name="mul", arguments="{}")),
            LLMChunk(call=CallDelta(index=0, id="a", name="add", arguments='{"x"')),
            LLMChunk(call=CallDelta(index=0, arguments=": 1}")),
            LLMChunk(text="add", state=STATE),
            LLMChunk(usage=Usage(input_tokens=3), finish_reason=FinishReason.SKILL_CALLS),
        ]
    )
    assert (folded.message.text, folded.thinking, folded.message.state) == ("I add", "hm", STATE)
    assert [(call.id, call.name, call.arguments) for call in folded.message.skill_calls] == [
        ("a", "add", '{"x": 1}'),
        ("b", "mul", "{}"),
    ]
    assert folded.usage == Usage(input_tokens=3)


@pytest.mark.parametrize("chunks", [[], [LLMChunk(text="half a ")]])
def test_pieces_without_an_end_are_no_reply(chunks):
    with pytest.raises(ModelReplyError, match="cut"):
        fold(chunks)


@pytest.mark.parametrize(
    ("media_type", "capability"),
    [("image/png", "images"), ("audio/wav", "audio"), ("video/mp4", "video"), ("application/pdf", "documents")],
)
def test_a_file_that_a_model_cannot_take_is_named(media_type, capability):
    message = Message.user("look", files=(File(name="a.bin", media_type=media_type, data=b""),))
    with pytest.raises(UnsupportedError, match=rf"'{capability}', which the file 'a.bin' \({media_type}\) needs"):
        EchoLLM(Settings()).check(LLMRequest(messages=(message,)))


class Painter(EchoLLM):
    """Makes what it is asked for."""

    capabilities = frozenset({"image-generation"})

    async def generate_images(self, request):
        file = File(name="a.png", media_type="image/png", data=request.prompt.encode())
        return GeneratedImages(images=(file,) * request.count)


def painter() -> LLM:
    world = World(configured={Resource(("llm",)): ACL().grant(A1, Access.READ)})
    return LLM(Painter(Settings()), A1, world.guard)


async def test_images_are_made_through_the_handle():
    made = await painter().generate_images(ImageRequest(prompt="red", count=2))
    assert [file.data for file in made.images] == [b"red", b"red"]


async def test_fewer_than_one_image_cannot_be_asked_for():
    with pytest.raises(ConfigError, match="illegal count 0"):
        await painter().generate_images(ImageRequest(prompt="red", count=0))
