"""The window: its budget is kept, and a call is never split from its results."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.window import estimate_message, estimate_text
from sre_core.errors import LimitExceededError
from sre_core.events import RunFailed
from sre_core.messages import File, Message, MessageRole, SkillCall

CALL = SkillCall(id="c", name="add", arguments='{"a": 1}')


def exchange(calls: int, words: int) -> list[Message]:
    called = [
        Message.assistant("", skill_calls=(CALL, CALL)),
        Message.result(CALL, "1"),
        Message.result(CALL, "2"),
    ]
    turns = called * calls
    return [Message.user("word " * words), *turns, Message.assistant("word " * words)]


exchanges = st.builds(exchange, st.integers(0, 3), st.integers(0, 30))
histories = st.tuples(
    st.lists(st.sampled_from([Message.system("rules " * 5), Message.assistant("welcome")]), max_size=3),
    st.lists(exchanges, max_size=8),
    st.integers(0, 3),
).map(lambda parts: [*parts[0], *itertools.chain(*parts[1]), *exchange(parts[2], 3)[:-1]])


@given(histories, st.integers(0, 1500), st.integers(0, 100))
def test_a_window_is_never_over_budget_and_never_splits_a_pair(history, budget, reserved):
    conversation = Conversation(messages=history)
    try:
        window = conversation.window(budget, reserved=reserved)
    except LimitExceededError:
        window = None
    tail = max(index for index, message in enumerate(history) if message.role is MessageRole.USER)
    system = [message for message in history if message.role is MessageRole.SYSTEM]
    must = [*(m for m in history[:tail] if m in system), *history[tail:]]
    least = reserved + sum(map(estimate_message, must))
    if window is None:
        assert least > budget
        return
    assert reserved + sum(map(estimate_message, window)) <= budget
    assert window[-len(history[tail:]) :] == history[tail:]
    assert [m for m in window if m.role is MessageRole.SYSTEM] == system
    assert_pairs_are_whole(window)
    kept = [message for message in window if message.role is not MessageRole.SYSTEM]
    said = [message for message in history if message.role is not MessageRole.SYSTEM]
    assert kept == said[len(said) - len(kept) :]
    assert len(kept) == len(said) or kept[0].role is MessageRole.USER
    if len(kept) < len(said):
        dropped = said[: len(said) - len(kept)]
        starts = [index for index, message in enumerate(dropped) if message.role is MessageRole.USER]
        newest = dropped[starts[-1] if starts else 0 :]
        used = reserved + sum(map(estimate_message, window))
        assert used + sum(map(estimate_message, newest)) > budget


def assert_pairs_are_whole(window: list[Message]) -> None:
    waiting = 0
    for message in window:
        if message.role is MessageRole.SKILL:
            assert waiting > 0, "a result without its call"
            waiting -= 1
        else:
            assert waiting == 0, "a call without its result"
            waiting = len(message.skill_calls)
    assert waiting == 0


def test_a_window_that_holds_everything_is_everything():
    history = [Message.system("s"), Message.assistant("welcome"), *exchange(2, 5), *exchange(0, 1)]
    assert Conversation(messages=history).window(10_000) == history


@given(st.text())
def test_an_estimate_is_never_negative_and_text_costs_something(text):
    assert estimate_text(text) >= (1 if text else 0)
    assert estimate_text(text) <= 2 * len(text) + 1


def test_files_count():
    picture = File(name="a.png", media_type="image/png", data=b"x" * 10)
    letter = File(name="a.txt", media_type="text/plain", data=b"x" * 1000)
    plain = estimate_message(Message.user("look"))
    assert estimate_message(Message.user("look", files=(picture,))) > plain + 1000
    assert estimate_message(Message.user("look", files=(letter,))) >= plain + 500


async def test_a_run_sends_no_more_than_its_window(stage):
    conversation = Conversation(messages=[m for n in range(50) for m in exchange(0, n % 7)])
    await stage.run("ok", conversation=conversation, behavior="Be brief.", limits=Limits(window_tokens=200))
    sent = stage.model.request.messages
    assert sum(map(estimate_message, sent)) <= 200
    assert sent[0].text == "Be brief."
    assert sent[-1].text == "hi"
    assert 3 < len(sent) < 30


async def test_the_models_own_tokenizer_counts_where_there_is_one(stage):
    counted = []
    conversation = Conversation(messages=exchange(0, 20))

    async def prompt(**options):
        original = type(stage.model).count_tokens

        async def count(self, texts, *, model=None):
            counted.extend(texts)
            return await original(self, texts, model=model)

        limits = Limits(window_tokens=10_000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(stage.model), "count_tokens", count)
            await stage.run("ok", conversation=conversation, capabilities=["count-tokens"], limits=limits, **options)

    await prompt(prompt="one")
    await prompt(prompt="two")
    assert sorted(counted) == sorted(["word " * 20, "word " * 20, "one", "ok", "two"])


async def test_a_window_too_small_for_the_prompt_fails_with_numbers(stage):
    with pytest.raises(LimitExceededError, match=r"window of 20 tokens is too small: .* take \d+") as caught:
        await stage.run("ok", prompt="word " * 100, limits=Limits(window_tokens=20))
    assert "Limits.window_tokens" in caught.value.hint
    assert stage.model.requests == []
    assert stage.of(RunFailed)[0].code == "agent.limit"


async def test_the_skills_schemas_take_their_part_of_the_window(stage):
    def long_winded(text: str) -> str:
        return text

    long_winded.__doc__ = "Explain. " * 200
    with pytest.raises(LimitExceededError, match="the skills"):
        await stage.run("ok", skills=[long_winded], limits=Limits(window_tokens=300))
    assert await stage.run("ok", limits=Limits(window_tokens=300)) == "ok"
