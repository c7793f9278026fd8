"""Tests of the runtime: nothing starts before it is needed, all ends with the block, and several live side by side."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sre_core.access import Candidate
from sre_core.config import Config, load
from sre_core.connectors import LLM, Cache, LLMRequest, Storage, Vault, Vectors
from sre_core.errors import ConfigError
from sre_core.messages import Message
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_core.testing.scripted import ScriptedLLM
from tests.unit.sre_core.runtimes import Diary, TestPlugin, caches, forever, runtime_of

A1 = Candidate.agent("a1")


def below(folder: Path) -> list[str]:
    return [path.as_posix() for path in folder.rglob("*")]


async def test_a_boot_with_the_defaults_starts_nothing_and_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    async with Runtime() as runtime:
        assert runtime.connectors.started() == ()
        handles = [runtime.storage(A1), runtime.vectors(A1), runtime.cache(A1), runtime.vault(A1)]
        assert [type(handle) for handle in handles] == [Storage, Vectors, Cache, Vault]
        assert runtime.connectors.started() == ()
        assert below(tmp_path) == []
        await runtime.storage(A1).write("x", b"y")
        assert [slot.service for slot in runtime.connectors.started()] == ["storage"]
    assert any("agent/a1" in path for path in below(tmp_path / "home"))


async def test_many_first_uses_at_once_start_a_connector_once(tmp_path: Path) -> None:
    diary = Diary()
    diary.moods = {"start one": lambda: asyncio.sleep(0)}
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one")) as runtime:
        await asyncio.gather(*(runtime.cache(A1, "one").get(str(number)) for number in range(20)))
    assert diary.lines.count("start one") == diary.lines.count("stop one") == 1


async def test_two_runtimes_share_nothing(tmp_path: Path) -> None:
    first, second = Diary(), Diary()
    one = runtime_of(tmp_path, TestPlugin(first), connectors=caches("one"), teams={"ops": ["agent:a1"]})
    two = runtime_of(tmp_path, TestPlugin(second), connectors=caches("two"))
    async with one, two:
        await one.cache(A1, "one").set("x", 1)
        await two.cache(A1, "two").set("x", 2)
        assert await one.cache(A1, "one").get("x") == 1
        assert await two.cache(A1, "two").get("x") == 2
        await one.storage(A1).write("x", b"")
        assert not await two.storage(A1).exists("x")
        assert one.teams.of(A1)
        assert not two.teams.of(A1)
    assert [first.lines[0], second.lines[0]] == ["start one", "start two"]


async def test_nothing_can_be_used_after_the_end(tmp_path: Path) -> None:
    async with runtime_of(tmp_path) as runtime:
        used, unused = runtime.storage(A1), runtime.cache(A1)
        await used.write("x", b"y")
    for late in (used.read("x"), unused.get("x")):
        with pytest.raises(ConfigError, match="used after its runtime ended"):
            await late
    with pytest.raises(ConfigError, match="the runtime has ended"):
        runtime.storage(A1)


async def test_a_runtime_runs_once(tmp_path: Path) -> None:
    runtime = runtime_of(tmp_path)
    async with runtime:
        pass
    with pytest.raises(ConfigError, match="runs once"):
        await runtime.__aenter__()


async def test_a_cancelled_first_use_leaves_the_connector_to_the_next(tmp_path: Path) -> None:
    diary = Diary()
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await forever()

    diary.moods = {"start one": hang}
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one")) as runtime:
        task = asyncio.create_task(runtime.cache(A1, "one").get("x"))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        diary.moods.clear()
        assert await runtime.cache(A1, "one").get("x") is None
    assert diary.lines == ["start one", "stop one", "start one", "get one", "stop one"]


async def test_a_scripted_model_is_used_like_any_other(tmp_path: Path) -> None:
    script = ScriptedLLM("hello")
    plugins = Plugins.load(only=[], extra={"script": script.as_plugin()})
    config = load(tmp_path, {}, {"connectors": {"llm": {"default": {"use": "scripted"}}}}).config
    async with Runtime(config, plugins=plugins) as runtime:
        llm = runtime.llm(A1)
        assert isinstance(llm, LLM)
        reply = await llm.complete(LLMRequest(messages=(Message.user("hi"),)))
    assert reply.message.text == "hello"


MODELS = [
    (None, None, ("default", None)),
    (None, "big", ("default", "big")),
    (None, "echo", ("echo", None)),
    (None, "fast/big", ("fast", "big")),
    ("default", "big", ("default", "big")),
    ("default", None, ("default", None)),
    ("default/other", "big", ("default", "other")),
    ("echo", "big", ("echo", None)),
    ("fast", "big", ("fast", None)),
    ("fast/vendor/x", "big", ("fast", "vendor/x")),
    ("vendor/x", None, ("default", "vendor/x")),
    ("other", "big", ("default", "other")),
]


@pytest.mark.parametrize(("model", "configured", "resolved"), MODELS)
def test_a_models_name_says_which_connector_serves_it(
    tmp_path: Path, model: str | None, configured: str | None, resolved: tuple[str, str | None]
) -> None:
    connectors = {"llm": {"fast": {"use": "echo"}}}
    assert runtime_of(tmp_path, model=configured, connectors=connectors).resolve_model(model) == resolved


def test_the_name_of_the_default_connector_means_it_with_its_settings(tmp_path: Path) -> None:
    runtime = runtime_of(tmp_path, connectors={"llm": {"default": {"use": "echo"}, "fast": {"use": "echo"}}})
    assert runtime.resolve_model("echo") == ("default", None)
    assert runtime.resolve_model("echo/big") == ("default", "big")
    assert runtime.resolve_model("fast") == ("fast", None)


def test_a_config_made_by_hand_is_enough() -> None:
    runtime = Runtime(Config(), plugins=Plugins.load(only=[]))
    assert runtime.resolve_model(None) == ("default", None)


def test_importing_the_runtime_imports_nothing_heavy() -> None:
    heavy = ["numpy", "torch", "transformers", "aiohttp", "cryptography", "pytest"]
    code = f"import sys, sre_core.runtime; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_nothing_starts_before_the_runtime_is_open(tmp_path: Path) -> None:
    runtime = runtime_of(tmp_path)
    storage = runtime.storage(A1)
    with pytest.raises(ConfigError, match="not open"):
        await storage.write("x", b"1")
    async with runtime:
        await storage.write("x", b"1")
    assert not runtime.connectors.started()


async def test_what_is_to_be_closed_before_learns_how_the_block_ended(tmp_path: Path) -> None:
    ends: list[tuple[str, bool]] = []

    def closer(name: str) -> Callable[[bool], Awaitable[None]]:
        async def close(well: bool) -> None:
            ends.append((name, well))

        return close

    async with runtime_of(tmp_path) as runtime:
        runtime.before_stop(closer("one"))
        runtime.before_stop(closer("two"))
    assert ends == [("two", True), ("one", True)]

    async def fail() -> None:
        async with runtime_of(tmp_path) as runtime:
            runtime.before_stop(closer("three"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert ends[2:] == [("three", False)]


async def test_what_is_to_be_closed_before_still_has_the_connectors(tmp_path: Path) -> None:
    diary = Diary()
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one")) as runtime:
        await runtime.cache(A1, "one").set("x", 1)

        async def close(well: bool) -> None:
            assert await runtime.cache(A1, "one").get("x") == 1
            diary.lines.append("closed")

        runtime.before_stop(close)
    assert diary.lines.index("closed") < diary.lines.index("stop one")


async def test_one_closing_that_fails_leaves_out_no_other_and_no_connector(tmp_path: Path) -> None:
    diary = Diary()
    runtime = runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one"))

    async def close(well: bool) -> None:
        diary.lines.append(f"close {well}")

    async def fail(well: bool) -> None:
        runtime.before_stop(close)
        raise LookupError("fails to close")

    await runtime.__aenter__()
    await runtime.cache(A1, "one").set("x", 1)
    runtime.before_stop(close)
    runtime.before_stop(fail)
    with pytest.raises(LookupError, match="fails to close"):
        await runtime.__aexit__(None, None, None)
    assert [line for line in diary.lines if line.startswith(("close", "stop"))] == [
        "close False",
        "close False",
        "stop one",
    ]
