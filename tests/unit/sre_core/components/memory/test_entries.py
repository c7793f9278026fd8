"""Who sees what the memory components remember."""

from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from sre_core.access.candidate import Candidate
from sre_core.builtin.memory_cache import MemoryCache
from sre_core.components.context import Request
from sre_core.components.memory.entries import Entries
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench

HOUR = 3600


@asynccontextmanager
async def runs():
    """Makes the entries of memory "m" as a run sees them, by the ids of its session and its run, and its caller."""
    async with bench() as b:

        def run(session: str = "", run_id: str = "run", *, caller: str = "a1", memory: str = "m") -> Entries:
            context = replace(
                b.context, request=Request(session_id=session), run_id=run_id, caller=Candidate.user(caller)
            )
            return Entries(memory, context)

        yield run


async def write(entries, key, value, scope):
    await entries.write(key, value, scope=scope, seconds=HOUR)


async def test_a_session_sees_what_it_wrote_in_its_next_runs():
    async with runs() as run:
        await write(run("s1", "r1"), "k", "v", "session")
        assert await run("s1", "r2").read("k") == "v"


async def test_no_session_sees_what_another_wrote_under_the_same_key():
    async with runs() as run:
        await write(run("s1"), "k", "one", "session")
        await write(run("s2"), "k", "two", "session")
        assert [await run(name).read("k") for name in ("s1", "s2", "s3", "")] == ["one", "two", None, None]


async def test_the_session_of_somebody_else_is_closed_to_who_knows_its_id():
    async with runs() as run:
        await write(run("s1", caller="ann"), "k", "v", "session")
        assert await run("s1", caller="eve").read("k") is None


async def test_a_request_sees_what_it_wrote_and_no_other_does():
    async with runs() as run:
        await write(run("s1", "r1"), "k", "v", "request")
        assert await run("s1", "r1").read("k") == "v"
        assert await run("s1", "r2").read("k") is None


async def test_without_a_session_the_run_is_its_own_session():
    async with runs() as run:
        await write(run("", "r1"), "k", "v", "session")
        assert await run("", "r1").read("k") == "v"
        assert await run("", "r2").read("k") is None


async def test_all_runs_see_what_has_a_time_to_live():
    async with runs() as run:
        await write(run("s1", "r1"), "k", "v", "ttl")
        assert [await run(*ids).read("k") for ids in (("s1", "r1"), ("s2", "r2"), ("", "r3"))] == ["v", "v", "v"]


@pytest.mark.parametrize("first", ["request", "session", "ttl"])
@pytest.mark.parametrize("then", ["request", "session", "ttl"])
@pytest.mark.parametrize("session", ["s1", ""])
async def test_the_last_value_that_a_run_wrote_is_the_one_that_it_reads(first, then, session):
    async with runs() as run:
        await write(run(session), "k", "old", first)
        await write(run(session), "k", "new", then)
        assert await run(session).read("k") == "new"


async def test_a_session_hides_what_all_see_from_itself_alone():
    async with runs() as run:
        await write(run("s1"), "k", "for all", "ttl")
        await write(run("s1"), "k", "mine", "session")
        assert [await run(name).read("k") for name in ("s1", "s2")] == ["mine", "for all"]


async def test_a_value_for_all_leaves_the_values_of_other_sessions():
    async with runs() as run:
        await write(run("s2"), "k", "mine", "session")
        await write(run("s1"), "k", "for all", "ttl")
        assert [await run(name).read("k") for name in ("s1", "s2")] == ["for all", "mine"]


async def test_what_is_deleted_is_gone_in_all_scopes_that_the_run_sees():
    async with runs() as run:
        await write(run("s2"), "k", "theirs", "session")
        await write(run("s1"), "k", "for all", "ttl")
        await write(run("s1"), "k", "mine", "session")
        assert await run("s1").delete("k")
        assert [await run(name).read("k") for name in ("s1", "s2", "s3")] == [None, "theirs", None]
        assert not await run("s1").delete("k")


async def test_memories_and_keys_never_meet_whatever_their_names():
    names = [
        "m",
        "",
        "../m",
        "a/b",
        "a",
        "b/c",
        "k",
        "m:k",
        "\x00",
        "é",
        "e\u0301",
        "{{KEY(x)}}",
        "x" * 5000,
        "\ud83d",
        ".",
    ]
    async with runs() as run:
        for memory in names:
            for key in names:
                await write(run("s1", memory=memory), key, f"{memory!r} {key!r}", "session")
        for memory in names:
            for key in names:
                assert await run("s1", memory=memory).read(key) == f"{memory!r} {key!r}"


async def test_a_session_cannot_pose_as_a_request_by_its_id():
    async with runs() as run:
        await write(run("s1", "r1"), "k", "v", "request")
        for name in ("r1", "request", '["request", "r1"]', "../request/r1"):
            assert await run(name, "r2").read("k") is None


async def test_many_sessions_at_once_each_keep_their_own():
    seen = {}

    async def use(run, name):
        for turn in range(5):
            await write(run(name), "k", f"{name} {turn}", "session")
            await anyio.lowlevel.checkpoint()
        seen[name] = await run(name).read("k")

    async with runs() as run, anyio.create_task_group() as tasks:
        for n in range(50):
            tasks.start_soon(use, run, f"s{n}")
    assert seen == {f"s{n}": f"s{n} 4" for n in range(50)}


async def test_a_large_value_is_kept():
    async with runs() as run:
        await write(run("s1"), "k", "é" * 2_000_000, "session")
        assert await run("s1").read("k") == "é" * 2_000_000


async def test_half_a_surrogate_pair_does_no_harm():
    async with runs() as run:
        await write(run("s1"), "k", "a\ud83d", "session")
        assert await run("s1").read("k") == "a\ufffd"


class Ledger:
    """A plugin with a cache that also notes the time to live of what it was given."""

    def __init__(self) -> None:
        self.times: list[float | None] = []

    @hookimpl
    def register_connectors(self):
        times = self.times

        class LedgerCache(MemoryCache):
            name = "ledger"

            async def set(self, key, value, *, ttl=None):
                times.append(ttl)
                await super().set(key, value, ttl=ttl)

        return [LedgerCache]


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        ({}, 3 * HOUR),
        ({"scope": "session", "ttl": "300"}, 3 * HOUR),
        ({"scope": "request", "ttl": ""}, 3 * HOUR),
        ({"scope": "ttl"}, 3 * HOUR),
        ({"scope": "ttl", "ttl": "604800"}, 604_800),
    ],
)
async def test_values_are_kept_for_three_hours_unless_a_time_to_live_is_set(data, seconds):
    ledger = Ledger()
    plugins = Plugins.load(only=[], extra={"ledger": ledger})
    async with bench(plugins=plugins, config={"connectors": {"cache": {"default": {"use": "ledger"}}}}) as b:
        await b.run("MemoryWriteKeyVal", {"key": "k", "value": "v", **data})
        await b.run("MemoryWriteObject", data, inputs={"Data": {"a": 1}})
    assert ledger.times == [seconds, seconds]
