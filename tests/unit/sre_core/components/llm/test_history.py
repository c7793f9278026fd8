"""As much of what was said as fits."""

import pytest

from sre_core.components.llm.history import plain_messages, recent
from sre_core.messages import File, Message
from sre_core.testing.bench import bench
from sre_core.testing.scripted import ScriptedLLM

CHAT = [Message.user("a b"), Message.assistant("c"), Message.user("d e f"), Message.assistant("g")]


@pytest.mark.parametrize(("tokens", "kept"), [(0, 0), (1, 0), (3, 0), (4, 2), (6, 2), (7, 4), (100, 4)])
async def test_the_newest_messages_stay_whole_and_begin_with_a_user(tokens, kept):
    async with bench() as b:
        found = await recent(CHAT, tokens, b.host.model(None))
    assert list(found) == CHAT[len(CHAT) - kept :]


async def test_without_a_tokenizer_tokens_are_estimated(scripted):
    async with scripted(ScriptedLLM(capabilities=())) as b:
        use = b.host.model(None)
        assert await recent([Message.user("x" * 30)], 10, use)
        assert not await recent([Message.user("x" * 31)], 10, use)
        assert not await recent([Message.user("ä" * 11)], 10, use)


async def test_nothing_was_said():
    async with bench() as b:
        assert await recent([], 10, b.host.model(None)) == ()


def test_only_words_of_user_and_assistant_are_plain():
    file = File(name="a", media_type="image/png", data=b"")
    chat = [Message.system("s"), Message.user("u", files=(file,)), Message.assistant(""), Message.assistant("a")]
    assert plain_messages(chat) == [Message.user("u"), Message.assistant("a")]
