"""A runtime in a thread: its calls, its end, Ctrl-C."""

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sre_core.errors import ConfigError
from sre_sdk import Agent, Candidate
from sre_sdk.sync import SyncRuntime


def test_call_runs_async_functions_on_one_loop(make_sync_runtime):
    async def where() -> tuple[int, int]:
        return threading.get_ident(), id(asyncio.get_running_loop())

    with make_sync_runtime() as runtime:
        first = runtime.call(where)
        assert runtime.call(where) == first
        storage = runtime.runtime.storage(Candidate.agent("a"))
        runtime.call(storage.write, "x", b"1", content_type="text/plain")
        assert runtime.call(storage.read, "x") == b"1"
    assert first[0] != threading.get_ident()


def test_many_threads_may_call(make_sync_runtime):
    with make_sync_runtime("Yes.", repeat=True) as runtime, ThreadPoolExecutor(8) as pool:
        agent = Agent("a")
        replies = list(pool.map(lambda _: runtime.call(_prompt, agent), range(40)))
    assert replies == ["Yes."] * 40


def test_outside_its_block_it_says_so(make_sync_runtime):
    runtime = make_sync_runtime()
    with pytest.raises(ConfigError, match="not open"):
        runtime.call(asyncio.sleep, 0)
    with runtime:
        assert runtime.is_open
        with pytest.raises(ConfigError, match="open already"):
            runtime.__enter__()
    with pytest.raises(ConfigError, match="not open"):
        _ = runtime.runtime


def test_a_call_from_its_own_loop_is_refused(make_sync_runtime):
    with make_sync_runtime() as runtime:

        async def inner() -> None:
            runtime.call(asyncio.sleep, 0)

        with pytest.raises(RuntimeError, match="event loop thread"):
            runtime.call(inner)


def test_ctrl_c_cancels_the_call_and_waits_for_it(make_sync_runtime):
    seen: list[str] = []

    async def work() -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            seen.append("cancelled")
            raise

    with make_sync_runtime() as runtime:
        with pytest.raises(KeyboardInterrupt):
            runtime.call(work)
        assert seen == ["cancelled"]
        assert runtime.call(_answer) == 42


def test_a_runtime_that_cannot_open_leaves_no_thread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sre.toml").write_text("nosuch = 1\n")
    before = threading.active_count()
    with pytest.raises(ConfigError, match="nosuch"):
        SyncRuntime().__enter__()
    assert threading.active_count() == before


async def _prompt(agent: Agent) -> str:
    return await agent.prompt("hi")


async def _answer() -> int:
    return 42
