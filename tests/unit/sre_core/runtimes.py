"""Runtimes for tests: connectors that do what a test says, and a configuration that touches nothing of the user's."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, field_validator

from sre_core.access import AccessRequest
from sre_core.builtin.memory_cache import MemoryCache, MemoryCacheSettings
from sre_core.config import load
from sre_core.connectors import Connector, Settings
from sre_core.events import Event
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime

__all__ = ["Diary", "TestPlugin", "runtime_of"]


class Diary:
    """What the connectors of one test did, and what they must do."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.keys: list[Any] = []
        self.moods: dict[str, Any] = {}

    async def write(self, line: str) -> None:
        self.lines.append(line)
        mood = self.moods.get(line)
        if isinstance(mood, BaseException):
            raise mood
        if mood is not None:
            await mood()


async def forever() -> None:
    await asyncio.Event().wait()


class TestPlugin:
    """A plugin with one connector, the cache "diary"; it vetoes what a test says, and hears all events."""

    __test__ = False

    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self.events: list[Event] = []
        self.veto: str | None = None

    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        diary = self.diary

        class DiarySettings(MemoryCacheSettings):
            label: str = "plain"
            key: SecretStr | None = None
            nested: Mapping[str, list[Mapping[str, SecretStr]]] | None = None
            folder: Path | None = None

            @field_validator("key")
            @classmethod
            def _quotes(cls, key: SecretStr | None) -> SecretStr | None:
                if key is not None and "bad" in key.get_secret_value():
                    raise ValueError(f"{key.get_secret_value()} is no key")
                return key

        class DiaryCache(MemoryCache):
            name = "diary"
            settings_type: type[Settings] = DiarySettings
            settings: DiarySettings  # type: ignore[assignment]

            async def start(self) -> None:
                diary.keys.append(self.settings)
                await diary.write(f"start {self.settings.label}")

            async def stop(self) -> None:
                await diary.write(f"stop {self.settings.label}")

            async def get(self, key: str) -> bytes | None:
                await diary.write(f"get {self.settings.label}")
                return await super().get(key)

        return [DiaryCache]

    @hookimpl
    def veto_access(self, request: AccessRequest) -> str | None:
        return self.veto

    @hookimpl
    def on_event(self, event: Event) -> None:
        self.events.append(event)


MEMORY = {service: {"default": {"use": "memory"}} for service in ("storage", "vectors", "cache")}


def runtime_of(folder: Path, plugin: TestPlugin | None = None, **config: Any) -> Runtime:
    """A runtime in memory; `config` as in `sre.toml`."""
    connectors = {"llm": {"default": {"use": "echo"}}, **MEMORY, **config.pop("connectors", {})}
    code = {"data": str(folder), **config, "connectors": connectors}
    extra = {} if plugin is None else {"diary": plugin}
    return Runtime(load(folder, {}, code).config, plugins=Plugins.load(only=[], extra=extra))


def caches(*labels: str, **options: Any) -> dict[str, Any]:
    """Caches of the class "diary", by their label."""
    return {"cache": {label: {"use": "diary", "label": label, **options} for label in labels}}
