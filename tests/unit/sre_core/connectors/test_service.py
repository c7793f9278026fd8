"""Tests of the connectors of a runtime: settings, secrets from the vault, ids, and their end."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest

from sre_core.access import Candidate
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnknownConnectorError
from tests.unit.sre_core.runtimes import Diary, TestPlugin, caches, forever, runtime_of

A1 = Candidate.agent("a1")
SECRET = "hunter2"
KEY = {"key": {"vault": "acme"}}


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", SECRET)


def vault(**options: Any) -> dict[str, Any]:
    return {"vault": {"default": {"use": "env", **options}}}


async def test_several_connectors_of_one_class_have_their_own_settings(tmp_path: Path, diary: Diary) -> None:
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one", "two")) as runtime:
        for label in ("one", "two"):
            await runtime.cache(A1, label).set("x", label)
        assert [await runtime.cache(A1, label).get("x") for label in ("one", "two")] == ["one", "two"]
    assert [settings.label for settings in diary.keys] == ["one", "two"]


async def test_a_secret_comes_from_the_vault_when_it_is_needed(tmp_path: Path, diary: Diary) -> None:
    nested = {"a": [{"b": {"vault": "acme"}}]}
    connectors = vault() | caches("one", nested=nested, **KEY)
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=connectors) as runtime:
        assert runtime.connectors.started() == ()
        await runtime.cache(A1, "one").get("x")
        assert [slot.service for slot in runtime.connectors.started()] == ["vault", "cache"]
    (settings,) = diary.keys
    assert settings.key.get_secret_value() == settings.nested["a"][0]["b"].get_secret_value() == SECRET
    assert SECRET not in repr(settings)


async def test_a_missing_secret_is_named_with_who_needs_it(
    tmp_path: Path, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_API_KEY")
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=vault() | caches("one", **KEY)) as runtime:
        with pytest.raises(ConfigError, match=r"connectors\.cache\.one needs the secret 'acme'") as raised:
            await runtime.cache(A1, "one").get("x")
        assert "ACME_API_KEY" in (raised.value.hint or "")
        monkeypatch.setenv("ACME_API_KEY", SECRET)
        assert await runtime.cache(A1, "one").get("x") is None


async def test_a_secret_that_does_not_fit_is_not_shown(
    tmp_path: Path, diary: Diary, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ACME_API_KEY", f"bad {SECRET}")
    caplog.set_level("DEBUG")
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=vault() | caches("one", **KEY)) as runtime:
        with pytest.raises(ConfigError, match=r"connectors\.cache\.one\.key") as raised:
            await runtime.cache(A1, "one").get("x")
    assert SECRET not in f"{raised.value} {raised.value.hint} {caplog.text}"


async def test_the_default_vault_cannot_need_itself(tmp_path: Path) -> None:
    runtime = runtime_of(tmp_path, connectors=vault(names={"vault": "acme"}))
    with pytest.raises(ConfigError, match=r"connectors\.vault\.default in code refers to the vault"):
        await runtime.__aenter__()


BAD = [
    ({"lable": "x"}, "unknown key 'connectors.cache.one.lable' in code", "'label'"),
    ({"label": ["x"]}, "bad value for 'connectors.cache.one.label' in code: Input should be a valid string", "there"),
]


@pytest.mark.parametrize(("options", "message", "hint"), BAD)
async def test_bad_settings_are_found_at_the_boot(
    tmp_path: Path, diary: Diary, options: dict[str, Any], message: str, hint: str
) -> None:
    connectors = {"cache": {"one": {"use": "diary", **options}}}
    runtime = runtime_of(tmp_path, TestPlugin(diary), connectors=connectors)
    with pytest.raises(ConfigError) as raised:
        await runtime.__aenter__()
    assert raised.value.message.startswith(message)
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize("id_", ["a/b", "..", "", "a b", "x" * 65])
async def test_an_illegal_id_is_found_at_the_boot(tmp_path: Path, id_: str) -> None:
    runtime = runtime_of(tmp_path, connectors={"cache": {id_: {"use": "memory"}}})
    with pytest.raises(ConfigError, match="illegal connector id in code"):
        await runtime.__aenter__()


async def test_relative_folders_of_settings_lie_beside_the_file(tmp_path: Path, diary: Diary) -> None:
    connectors = caches("one", folder="x")
    connectors["cache"]["two"] = {"use": "diary", "label": "two", "folder": ".sre/y"}
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=connectors) as runtime:
        for label in ("one", "two"):
            await runtime.cache(A1, label).get("x")
    assert [settings.folder for settings in diary.keys] == [tmp_path / "x", tmp_path / "y"]


async def test_an_unknown_id_is_answered_with_the_near_one(tmp_path: Path, diary: Diary) -> None:
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("fast")) as runtime:
        with pytest.raises(UnknownConnectorError, match="no cache connector has the id 'fsat'") as raised:
            runtime.cache(A1, "fsat")
        assert raised.value.hint == "did you mean 'fast'?"
        with pytest.raises(UnknownConnectorError) as raised:
            runtime.cache(A1, "redis")
        assert raised.value.hint == "pip install sre-redis"


async def test_an_installed_connector_is_there_by_its_name(tmp_path: Path, diary: Diary) -> None:
    async with runtime_of(tmp_path, TestPlugin(diary)) as runtime:
        await runtime.cache(A1, "diary").set("x", 1)
        assert await runtime.cache(A1, "diary").get("x") == 1
    assert diary.keys[0].label == "plain"


async def test_what_is_not_installed_fails_when_it_is_used_not_before(tmp_path: Path) -> None:
    async with runtime_of(tmp_path, connectors={"cache": {"default": {"use": "redis"}}}) as runtime:
        with pytest.raises(UnknownConnectorError, match="'redis'"):
            runtime.cache(A1)
        await runtime.storage(A1).write("x", b"y")


async def use(runtime: Any, *labels: str) -> None:
    for label in labels:
        await runtime.cache(A1, label).get("x")


async def test_all_are_stopped_last_first_also_after_failures(tmp_path: Path, diary: Diary) -> None:
    diary.moods = {"stop two": OSError(SECRET), "stop three": forever}
    config = {"connectors": caches("one", "two", "three", "idle"), "timeouts": {"stop": 0.01}}
    with pytest.raises(DeadlineError, match="cache stop"):
        async with runtime_of(tmp_path, TestPlugin(diary), **config) as runtime:
            await use(runtime, "one", "two", "three")
    assert [line for line in diary.lines if "stop" in line] == ["stop three", "stop two", "stop one"]


async def test_a_failing_stop_does_not_hide_the_error_of_the_block(tmp_path: Path, diary: Diary) -> None:
    diary.moods = {"stop one": OSError(SECRET)}

    async def work() -> None:
        async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one")) as runtime:
            await use(runtime, "one")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await work()


async def test_a_cancelled_stop_still_stops_the_others(tmp_path: Path, diary: Diary) -> None:
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await forever()

    diary.moods = {"stop two": hang}

    async def work() -> None:
        async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one", "two")) as runtime:
            await use(runtime, "one", "two")

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert diary.lines[-2:] == ["stop two", "stop one"]


async def test_a_cancelled_scope_still_stops_all_to_the_end(tmp_path: Path, diary: Diary) -> None:
    diary.moods = {"stop two": lambda: asyncio.sleep(0)}
    with anyio.CancelScope() as scope:
        async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one", "two")) as runtime:
            await use(runtime, "one", "two")
            scope.cancel()
            await asyncio.sleep(0)
    assert diary.lines[-2:] == ["stop two", "stop one"]


async def test_a_connector_that_fails_to_start_is_tried_again_at_the_next_use(tmp_path: Path, diary: Diary) -> None:
    diary.moods = {"start one": OSError(SECRET)}
    async with runtime_of(tmp_path, TestPlugin(diary), connectors=caches("one")) as runtime:
        with pytest.raises(ConnectorError, match="cache start through 'diary' failed: OSError") as raised:
            await use(runtime, "one")
        assert SECRET not in str(raised.value)
        diary.moods.clear()
        await use(runtime, "one")
    assert diary.lines == ["start one", "stop one", "start one", "get one", "stop one"]


async def test_starts_and_calls_that_hang_are_given_up(tmp_path: Path, diary: Diary) -> None:
    diary.moods = {"start one": forever, "get two": forever}
    config = {"connectors": caches("one", "two"), "timeouts": {"start": 0.01, "operation": 0.01}}
    async with runtime_of(tmp_path, TestPlugin(diary), **config) as runtime:
        with pytest.raises(DeadlineError, match="cache start"):
            await use(runtime, "one")
        with pytest.raises(DeadlineError, match="cache get"):
            await use(runtime, "two")
