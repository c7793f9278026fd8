"""Models that no configuration speaks of: reached as the catalogue says, on first use, under the same law."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.access import Candidate
from sre_core.builtin.echo_llm import EchoLLM
from sre_core.config import load
from sre_core.connectors import Connector, LLMChunk, LLMRequest, Settings
from sre_core.connectors.llm import Completion
from sre_core.errors import AccessDeniedError, ConfigError, UnknownConnectorError
from sre_core.hookspecs import hookimpl
from sre_core.messages import Message
from sre_core.models import ModelEntry
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from tests.unit.sre_core.runtimes import MEMORY

A1 = Candidate.agent("a1")

ENTRIES = [
    ModelEntry(
        id="acme/large",
        connector="remote",
        settings={"preset": "acme", "key": {"vault": "acme"}},
        aliases=("big",),
        params={"temperature": 0.3},
    ),
    ModelEntry(id="acme/small", connector="remote", settings={"preset": "acme", "key": {"vault": "acme"}}),
    ModelEntry(id="odd/x", connector="remote", settings={"presett": "odd"}),
    ModelEntry(id="gone/x", connector="absent"),
]


class RemotePlugin:
    """Offers a model connector that repeats, whatever the model is called, and tells what it was given."""

    def __init__(self) -> None:
        self.settings: list[Any] = []
        self.asked: list[str | None] = []
        self.stopped = 0

    @hookimpl
    def register_models(self) -> list[ModelEntry]:
        return ENTRIES

    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        plugin = self

        class RemoteSettings(Settings):
            preset: str = "none"
            url: str | None = None
            key: SecretStr | None = None

        class Remote(EchoLLM):
            name = "remote"
            settings_type = RemoteSettings

            async def start(self) -> None:
                plugin.settings.append(self.settings)

            async def stop(self) -> None:
                plugin.stopped += 1

            async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
                plugin.asked.append(request.model)
                async for chunk in super().stream(LLMRequest(messages=request.messages)):
                    yield chunk

        return [Remote]


def runtime(folder: Path, plugin: RemotePlugin, **code: Any) -> Runtime:
    model = {"default": {"use": "echo"}, **code.pop("llm", {})}
    connectors = {**MEMORY, "vault": {"default": {"use": "env"}}, "llm": model}
    config = load(folder, {}, {"data": str(folder), "connectors": connectors, **code}).config
    return Runtime(config, plugins=Plugins.load(only=[], extra={"remote": plugin}))


async def ask(open_runtime: Runtime, name: str, candidate: Candidate = A1) -> Completion:
    choice = open_runtime.choose_model(name)
    request = LLMRequest(messages=(Message.user("hi"),), model=choice.model)
    return await open_runtime.llm(candidate, choice.connector).complete(request)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> RemotePlugin:
    monkeypatch.setenv("ACME_API_KEY", "sk-4711")
    return RemotePlugin()


async def test_a_connector_is_opened_once_on_first_use_with_the_settings_of_the_entry(
    tmp_path: Path, plugin: RemotePlugin
) -> None:
    async with runtime(tmp_path, plugin) as opened:
        assert plugin.settings == []
        for name in ("acme/large", "acme/big", "acme/small", "acme/not-listed"):
            assert (await ask(opened, name)).message.text == "hi"
        (settings,) = plugin.settings
        assert (settings.preset, settings.key.get_secret_value()) == ("acme", "sk-4711")
        started = [(slot.service, slot.id) for slot in opened.connectors.started()]
        assert ("llm", "acme") in started
        assert (await opened.llm(A1, "acme").models())[0].id == "remote"
    assert plugin.asked == ["large", "large", "small", "not-listed"]
    assert plugin.stopped == 1


async def test_a_configured_connector_is_used_instead(tmp_path: Path, plugin: RemotePlugin) -> None:
    own = {"acme": {"use": "remote", "preset": "mine"}}
    async with runtime(tmp_path, plugin, llm=own) as opened:
        await ask(opened, "acme/large")
    assert [settings.preset for settings in plugin.settings] == ["mine"]


async def test_a_missing_secret_is_asked_for_in_the_name_of_the_model(
    tmp_path: Path, plugin: RemotePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_API_KEY")
    async with runtime(tmp_path, plugin) as opened:
        with pytest.raises(ConfigError, match="model 'acme/large' of plugin 'remote' needs the secret 'acme'"):
            await ask(opened, "acme/small")
    assert plugin.settings == []


async def test_wrong_settings_of_an_entry_are_the_plugins_fault(tmp_path: Path, plugin: RemotePlugin) -> None:
    async with runtime(tmp_path, plugin) as opened:
        with pytest.raises(ConfigError) as raised:
            await ask(opened, "odd/x")
    assert raised.value.message == ("unknown key 'connectors.llm.odd.presett' in model 'odd/x' of plugin 'remote'")


async def test_a_model_of_a_connector_that_is_not_installed_says_so(tmp_path: Path, plugin: RemotePlugin) -> None:
    async with runtime(tmp_path, plugin) as opened:
        with pytest.raises(UnknownConnectorError, match="no llm connector 'absent' is installed"):
            await ask(opened, "gone/x")


@pytest.mark.parametrize("name", ["acme/large", "acme/big"])
async def test_a_grant_is_on_the_name_that_the_provider_knows_by_whatever_name_it_was_asked_for(
    tmp_path: Path, plugin: RemotePlugin, name: str
) -> None:
    access = {"llm": {}, "llm/large": {"agent:a1": "read"}, "llm/big": {"agent:other": "read"}}
    async with runtime(tmp_path, plugin, access=access) as opened:
        with pytest.raises(AccessDeniedError, match="'llm/large'"):
            await ask(opened, name, Candidate.agent("other"))
        # Nothing was opened for one who may not.
        assert plugin.settings == []
        assert (await ask(opened, name)).message.text == "hi"


async def test_a_provider_is_not_a_way_around_a_denied_model(tmp_path: Path, plugin: RemotePlugin) -> None:
    access = {"llm": {"public": "read"}, "llm/large": {}}
    async with runtime(tmp_path, plugin, access=access) as opened:
        for name in ("acme/large", "default/large", "remote/large"):
            with pytest.raises(AccessDeniedError, match="'llm/large'"):
                await ask(opened, name)
        assert await ask(opened, "acme/small")


async def test_a_grant_on_a_connector_opens_what_a_provider_calls_so_and_one_on_a_model_does_not(
    tmp_path: Path, plugin: RemotePlugin
) -> None:
    for granted, others in (("llm/remote", True), ("llm/small", False)):
        access = {"llm": {}, granted: {"public": "read"}}
        async with runtime(tmp_path, plugin, access=access, model="acme/small") as opened:
            if others:
                assert await ask(opened, "acme/remote/huge")
            else:
                with pytest.raises(AccessDeniedError, match="'llm/remote/huge'"):
                    await ask(opened, "acme/remote/huge")
                # The one that the configuration names is asked for by its own name.
                assert (await ask(opened, "default")).message.text == "hi"


SETTINGS = """
model_files = ["models/"]

[models."acme/large"]
aliases = ["fast"]

[models."acme/desk"]
settings = { url = "http://desk" }
"""


async def test_the_user_adds_models_in_the_configuration_and_in_files(tmp_path: Path, plugin: RemotePlugin) -> None:
    (tmp_path / "sre.toml").write_text(SETTINGS)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/echo.json").write_text(json.dumps({"parrot": {"provider": "Echo", "modelId": "echo"}}))
    async with runtime(tmp_path, plugin) as opened:
        assert opened.resolve_model("fast") == ("acme", "large")
        assert opened.resolve_model("parrot") == ("default", "echo")
        assert (await ask(opened, "acme/desk")).message.text == "hi"
        assert [settings.url for settings in plugin.settings] == ["http://desk"]
        sources = opened.catalogue.get("fast").sources
    assert sources == ("plugin 'remote'", str(tmp_path / "sre.toml"))


@pytest.mark.parametrize("text", ['model_files = ["none.json"]', '[models."nobody/x"]'])
async def test_what_cannot_be_read_of_models_fails_at_once(tmp_path: Path, plugin: RemotePlugin, text: str) -> None:
    (tmp_path / "sre.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"none\.json|sre\.toml"):
        await runtime(tmp_path, plugin).__aenter__()
