"""Conversations that are kept turn by turn."""

import asyncio

import pytest

from sre_core.components.llm.chat_memory import ChatMemory, chat_key
from sre_core.testing.bench import bench


def memory(cache, *, ttl=100.0, now=1000.0, key="k"):
    return ChatMemory(cache=cache, key=key, ttl=ttl, clock=lambda: now)


def texts(messages):
    return [message.text for message in messages]


async def test_turns_come_back_in_order():
    async with bench() as b:
        kept = memory(b.context.cache)
        assert await kept.messages() == []
        await kept.add("q1", "a1")
        await kept.add("q2", "a2")
        assert texts(await kept.messages()) == ["q1", "a1", "q2", "a2"]
        assert await memory(b.context.cache, key="other").messages() == []


async def test_turns_that_are_added_at_once_are_all_kept():
    async with bench() as b:
        # Two of them, as two processes over one cache are.
        both = memory(b.context.cache), memory(b.context.cache)
        await asyncio.gather(*(both[i % 2].add(f"q{i}", f"a{i}") for i in range(50)))
        assert sorted(texts(await both[0].messages())[::2]) == sorted(f"q{i}" for i in range(50))


async def test_turns_of_the_era_before_are_still_known():
    async with bench() as b:
        await memory(b.context.cache, now=1099).add("q1", "a1")
        await memory(b.context.cache, now=1101).add("q2", "a2")
        assert texts(await memory(b.context.cache, now=1102).messages()) == ["q1", "a1", "q2", "a2"]
        assert await memory(b.context.cache, now=1300).messages() == []


async def test_a_turn_that_expired_leaves_no_hole():
    async with bench() as b:
        kept = memory(b.context.cache)
        for number in range(3):
            await kept.add(f"q{number}", "a")
        await b.context.cache.delete("k/10/2")
        assert texts(await kept.messages())[::2] == ["q0", "q2"]


async def test_everything_that_is_kept_expires():
    async with bench() as b:
        await memory(b.context.cache).add("q", "a")
        assert await b.context.cache.expires_in("k/10/1") == pytest.approx(100, abs=5)
        assert await b.context.cache.expires_in("k/10/count") == pytest.approx(200, abs=5)


async def test_a_long_conversation_is_read_as_far_as_it_is_of_use():
    async with bench() as b:
        kept = memory(b.context.cache)
        for number in range(6):
            await kept.add(f"{number}" * 10_000, "a")
        found = texts(await kept.messages())
    assert [text[0] for text in found[::2]] == ["2", "3", "4", "5"]


def test_keys_are_legal_and_tell_all_ids_apart():
    pairs = [("a", "bc"), ("ab", "c"), ("", "abc"), ("../x", "y/z"), ("{{KEY(x)}}", "\n"), ("ü" * 10_000, "")]
    keys = {chat_key("agent:a1", *pair) for pair in pairs}
    assert len(keys) == len(pairs)
    assert all(len(key) < 100 and key.isascii() and ".." not in key for key in keys)
