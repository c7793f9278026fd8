"""The connector that `sre plugins check` examines: from words to objects."""

import asyncio
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from sre_cli.extensions import load_plugins
from sre_core.config import load
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.service import ConnectorService

__all__ = ["parse_settings", "parse_subject", "subject_maker"]


def parse_subject(text: str) -> tuple[Service, str]:
    """Read "storage:acme". Raises click.UsageError."""
    service, _, name = text.partition(":")
    if service not in list(Service) or not name:
        raise click.UsageError(
            f"{text!r} names no connector; write SERVICE:CONNECTOR, and SERVICE as one of {', '.join(Service)}."
        )
    return Service(service), name


def parse_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """Read "key=value" pairs; a value that is no TOML is text. Raises click.UsageError."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{pair!r} is no setting; write KEY=VALUE.")
        try:
            settings[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = value
    return settings


def subject_maker(service: Service, name: str, settings: Mapping[str, Any]) -> Callable[[], Connector]:
    """A function that makes the connector anew, not started, with `settings` over those that are configured.

    Raises ConfigError, UnknownConnectorError, and ConnectorError when a secret cannot be read.
    """
    configured = load().config.connectors.get(service.value, {})
    entry = dict(settings) if name in configured else {"use": name, **settings}
    config = load(code={"connectors": {service.value: {name: entry}}}).config
    connectors = ConnectorService(config, load_plugins(config).connector)

    async def make_first() -> Connector:
        connectors.open()
        try:
            return await connectors.get(service, name).make()
        finally:
            await connectors.stop()

    first = asyncio.run(make_first())
    return lambda: type(first)(first.settings)
