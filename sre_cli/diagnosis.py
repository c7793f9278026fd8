"""What `sre doctor` looks at; each check is a finding, and none ends the others."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from sre_cli.masking import is_reference
from sre_cli.operator import OPERATOR
from sre_core.builtin.local_vault import LocalVault
from sre_core.config import CONFIG_FILE, Config
from sre_core.connectors.base import Service
from sre_core.errors import SREError
from sre_core.runtime import Runtime

__all__ = ["Finding", "examine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `detail` says what was found, `hint` what to do when it is not good."""

    area: str
    name: str
    ok: bool
    detail: str
    hint: str | None = None


async def examine(config: Config, *, patience: float) -> AsyncGenerator[Finding]:
    """Look at everything; `patience` is in seconds, for each connector."""
    yield _python()
    yield _configuration(config)
    yield _data(config)
    async with Runtime(config) as runtime:
        for finding in _plugins(runtime):
            yield finding
        for service in Service:
            for id_ in config.connectors.get(service.value, {}):
                health = await _connector(runtime, service, id_, patience)
                yield health
                for finding in await _details(runtime, health, service, id_, patience):
                    yield finding
                if service is Service.LLM:
                    yield await _models(runtime, id_, patience)
        for place, secret in _references(config):
            yield await _key(runtime, place, secret, patience)


def _python() -> Finding:
    detail = f"{platform.python_version()} on {platform.platform()}, sre-runtime {version('sre-runtime')}"
    return Finding(area="system", name="python", ok=True, detail=detail)


def _configuration(config: Config) -> Finding:
    file = config.root / CONFIG_FILE
    detail = str(file) if file.is_file() else f"no {CONFIG_FILE} in {config.root} or above; the defaults hold"
    return Finding(area="system", name="configuration", ok=True, detail=detail)


def _data(config: Config) -> Finding:
    folder = config.data_folder
    there = next(place for place in (folder, *folder.parents) if place.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return Finding(
        area="system",
        name="data folder",
        ok=writable,
        detail=str(folder) if writable else f"{folder} cannot be written",
        hint=None if writable else f"change the rights of {there}, or set data = '<folder>' in {CONFIG_FILE}",
    )


def _plugins(runtime: Runtime) -> Iterator[Finding]:
    for info in runtime.plugins.infos:
        error = info.error
        detail = error.message if error else f"{info.version} offers {info.summary() or 'hooks only'}".strip()
        yield Finding(area="plugin", name=info.name, ok=not error, detail=detail, hint=error.hint if error else None)


async def _connector(runtime: Runtime, service: Service, id_: str, patience: float) -> Finding:
    name = f"{service.value}:{id_}"
    began = time.perf_counter()
    try:
        async with asyncio.timeout(patience):
            handle = getattr(runtime, service.value)(OPERATOR, id_)
            await handle.ping()
    except (SREError, TimeoutError) as error:
        return _failed("connector", name, error, patience)
    took = (time.perf_counter() - began) * 1000
    use = runtime.config.connectors[service.value][id_].use
    return Finding(area="connector", name=name, ok=True, detail=f"{use}, answered in {took:.0f} ms")


async def _details(runtime: Runtime, health: Finding, service: Service, id_: str, patience: float) -> list[Finding]:
    """What a connector tells of itself. One that did not start has said why already."""
    try:
        async with asyncio.timeout(patience):
            told = await runtime.connectors.get(service, id_).describe()
    except (SREError, TimeoutError) as error:
        return [_failed("connector", f"{health.name} details", error, patience)] if health.ok else []
    return [
        Finding(area="connector", name=f"{health.name} {word}", ok=True, detail=text) for word, text in told.items()
    ]


async def _models(runtime: Runtime, id_: str, patience: float) -> Finding:
    name = f"llm:{id_}"
    try:
        async with asyncio.timeout(patience):
            models = await runtime.llm(OPERATOR, id_).models()
    except (SREError, TimeoutError) as error:
        return _failed("models", name, error, patience)
    shown = [f"{model.id} in {model.place}" if model.place else model.id for model in models]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return Finding(area="models", name=name, ok=True, detail=", ".join(shown[:3]) + more)


def _references(config: Config) -> Iterator[tuple[str, str]]:
    for service, entries in config.connectors.items():
        for id_, entry in entries.items():
            for option, value in entry.options.items():
                for secret in _names(value):
                    yield f"{service}:{id_} {option}", secret


def _names(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if is_reference(value):
            yield str(value["vault"])
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)


async def _key(runtime: Runtime, place: str, secret: str, patience: float) -> Finding:
    # Settings are always resolved by the default vault.
    try:
        async with asyncio.timeout(patience):
            await runtime.vault(OPERATOR).get(secret)
            where = await _source(runtime, secret)
    except (SREError, TimeoutError) as error:
        return _failed("key", place, error, patience)
    return Finding(area="key", name=place, ok=True, detail=f"{secret!r} comes from {where}")


async def _source(runtime: Runtime, secret: str) -> str:
    """Which part of the default vault has a secret that was just read through its handle."""
    vault = runtime.connectors.get(Service.VAULT).connector
    if not isinstance(vault, LocalVault):
        return f"the {vault.name!r} vault"
    return "the vault file" if await vault.source(secret) == "file" else "the environment"


def _failed(area: str, name: str, error: SREError | TimeoutError, patience: float) -> Finding:
    if isinstance(error, SREError):
        return Finding(area=area, name=name, ok=False, detail=error.message, hint=error.hint)
    detail = f"no answer within {patience:g} s"
    return Finding(area=area, name=name, ok=False, detail=detail, hint="give it longer with --timeout")
