"""Tests of access in a whole runtime: what the configuration grants, vetoes, events, and ACLs in its storage."""

from pathlib import Path
from typing import Any

import pytest

from sre_core.access import Access, Candidate
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.config import load
from sre_core.connectors import Connector
from sre_core.errors import AccessDeniedError, ConfigError, ConnectorError, DeadlineError
from sre_core.events import AccessDecided
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from tests.unit.sre_core.runtimes import Diary, TestPlugin, forever, runtime_of

A1, U1 = Candidate.agent("a1"), Candidate.user("u1")
SECRET = "hunter2"


async def test_by_default_everybody_may_use_models_and_nobody_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", SECRET)
    async with runtime_of(tmp_path) as runtime:
        assert await runtime.llm(A1).allowed("any", Access.READ)
        assert not await runtime.vault(A1).allowed("acme", Access.READ)
        assert await runtime.vault(A1).names() == []
        with pytest.raises(AccessDeniedError):
            await runtime.vault(A1).get("acme")


async def test_the_configuration_grants_to_teams_and_only_the_nearest_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", SECRET)
    access = {"vault": {"user:u1": "read"}, "vault/acme": {"team:ops": "read"}, "llm/big": {}}
    async with runtime_of(tmp_path, access=access, teams={"ops": ["agent:a1"]}) as runtime:
        assert (await runtime.vault(A1).get("acme")).get_secret_value() == SECRET
        assert await runtime.vault(A1).names() == ["acme"]
        assert not await runtime.vault(U1).allowed("acme", Access.READ)
        assert await runtime.vault(U1).allowed("other", Access.READ)
        assert not await runtime.llm(A1).allowed("big", Access.READ)
        assert await runtime.llm(A1).allowed("bigger", Access.READ)
        runtime.teams.leave(A1, "ops")
        assert await runtime.vault(A1).names() == []


BAD = [
    ('[access]\n"disk/x" = { public = "read" }', "'access.disk/x' in", "begins with no service"),
    ('[access]\n"storage/../x" = { public = "read" }', "'access.storage/../x' in", "illegal path"),
    ('[access]\n"llm/gpt-4.1" = { "boss:x" = "read" }', "'access.llm/gpt-4.1' in", "illegal candidate"),
    ('[access]\nllm = { "user:a b" = "read" }', "'access.llm' in", "illegal user id"),
    ('[teams]\nops = ["a1"]', "'teams.ops' in", "illegal candidate"),
    ('[teams]\nops = ["team:dev"]', "'teams.ops' in", "cannot be in team"),
    ('[teams]\n"a b" = []', "'teams.a b' in", "illegal team id"),
    ('[access]\nllm = { public = "all" }', "'access.llm.public' in", "'read', 'write' or 'own'"),
]


@pytest.mark.parametrize(("text", "place", "words"), BAD)
def test_bad_access_and_teams_are_refused_with_their_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    (tmp_path / "sre.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        Runtime(load(tmp_path, {}).config, plugins=Plugins.load(only=[]))
    assert f"bad value for {place} {tmp_path / 'sre.toml'}" in raised.value.message
    assert words in raised.value.message


async def test_plugins_veto_and_hear_every_decision(tmp_path: Path) -> None:
    plugin = TestPlugin(Diary())
    async with runtime_of(tmp_path, plugin) as runtime:
        await runtime.storage(A1).write("x", b"y")
        plugin.veto = "not now"
        with pytest.raises(AccessDeniedError, match="vetoed: not now"):
            await runtime.storage(A1).read("x")
    decisions = [(event.access, event.allowed) for event in plugin.events if isinstance(event, AccessDecided)]
    assert decisions == [("write", True), ("read", False)]


@pytest.mark.parametrize("answer", [OSError(SECRET), 5])
async def test_a_veto_that_breaks_refuses_without_its_words(tmp_path: Path, answer: Any) -> None:
    class Broken:
        @hookimpl
        def veto_access(self, request: object) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    config = load(tmp_path, {}, {"data": str(tmp_path)}).config
    async with Runtime(config, plugins=Plugins.load(only=[], extra={"broken": Broken()})) as runtime:
        with pytest.raises(AccessDeniedError, match="the veto of plugin 'broken'") as raised:
            await runtime.storage(A1).read("x")
    assert SECRET not in f"{raised.value} {raised.value.hint}"


async def test_a_revocation_reaches_another_runtime_in_time(tmp_path: Path) -> None:
    storage = {"storage": {"default": {"use": "local", "folder": str(tmp_path / "shared")}}}
    now = 0.0
    here, there = (runtime_of(tmp_path, connectors=storage) for _ in range(2))
    there.guard._acls._clock = lambda: now  # type: ignore[attr-defined]
    async with here, there:
        await here.storage(A1).write("x", b"y")
        await here.storage(A1).grant("x", U1, Access.READ)
        assert await there.storage(U1).of(A1).read("x") == b"y"
        await here.storage(A1).revoke("x", U1)
        with pytest.raises(AccessDeniedError):
            await here.storage(U1).of(A1).read("x")
        assert await there.storage(U1).of(A1).read("x") == b"y"
        now = there.config.guard.acl_cache_seconds
        with pytest.raises(AccessDeniedError):
            await there.storage(U1).of(A1).read("x")


class Moody(MemoryStorage):
    """A storage whose reads do what a test says."""

    name = "moody"
    mood: Any = None

    async def read(self, key: str) -> bytes:
        if self.mood is not None:
            await self.mood()
        return await super().read(key)


class MoodyPlugin:
    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        return [Moody]


async def explode() -> None:
    raise OSError(SECRET)


@pytest.mark.parametrize(("mood", "error"), [(forever, DeadlineError), (explode, ConnectorError)])
async def test_acls_that_cannot_be_read_deny_in_time_and_in_our_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mood: Any, error: type[Exception]
) -> None:
    monkeypatch.setattr(Moody, "mood", staticmethod(mood))
    code = {"connectors": {"storage": {"default": {"use": "moody"}}}, "timeouts": {"operation": 0.01}}
    plugins = Plugins.load(only=[], extra={"moody": MoodyPlugin()})
    async with Runtime(load(tmp_path, {}, code).config, plugins=plugins) as runtime:
        with pytest.raises(error) as raised:
            await runtime.cache(U1).of(A1).get("x")
        assert SECRET not in str(raised.value)
        # In the own home no ACL is needed.
        await runtime.cache(A1).set("x", 1)


async def test_a_grant_is_for_one_connector_and_not_for_all_of_its_service(tmp_path: Path) -> None:
    storages = {"default": {"use": "memory"}, "second": {"use": "memory"}}
    access = {"storage@second/agent/a1/open": {"public": "read"}}
    async with runtime_of(tmp_path, connectors={"storage": storages}, access=access) as runtime:
        for id_ in storages:
            for name in ("x", "open"):
                await runtime.storage(A1, id_).write(name, b"1")
        await runtime.storage(A1).grant("x", U1, Access.READ)
        first, second = (runtime.storage(U1, id_).of(A1) for id_ in storages)
        assert await first.read("x") == b"1"
        assert not await second.allowed("x", Access.READ)
        assert await second.read("open") == b"1"
        assert not await first.allowed("open", Access.READ)
