"""What every connector has in common."""

import asyncio
import sys
from abc import ABC
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from sre_core.errors import UnsupportedError

__all__ = ["Connector", "Service", "Settings", "import_drivers"]


class Service(StrEnum):
    """The kinds of resources."""

    LLM = "llm"
    STORAGE = "storage"
    VECTORS = "vectors"
    CACHE = "cache"
    VAULT = "vault"


class Settings(BaseModel):
    """Settings of a connector: unknown keys are refused, values never change.

    Secrets are `SecretStr`, so that no log, repr or error can show them.
    """

    # What is refused may be a secret of the wrong shape, which an error must not quote.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Connector(ABC):
    """Knows one backend, and nothing about people: the guard has decided before a connector is called.

    A connector belongs to one running loop and one Runtime. Errors that it raises are ConnectorErrors; what
    escapes otherwise becomes one, with its cause.
    """

    service: ClassVar[Service]
    name: ClassVar[str]
    settings_type: ClassVar[type[Settings]] = Settings
    capabilities: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: Settings) -> None:
        """Store the settings; open nothing."""
        self.settings = settings

    async def start(self) -> None:  # noqa: B027 -- a connector without a backend needs none
        """Open clients; import heavy drivers here, not at the top of the module. `import_drivers` helps."""

    async def stop(self) -> None:  # noqa: B027
        """Close everything. Must be safe to call twice, and after a failed start."""

    async def ping(self) -> None:  # noqa: B027
        """Return when the backend is healthy, raise ConnectorError when it is not."""

    async def describe(self) -> Mapping[str, str]:
        """What `sre doctor` should tell besides, such as which model was picked and why: words by a short name.

        Works started or not, and starts nothing. Raises the ConnectorError or ConfigError that `start` would raise.
        """
        return {}

    def unsupported(self, capability: str) -> UnsupportedError:
        """The error to raise from a method whose capability this connector does not declare."""
        return UnsupportedError(
            f"{self.service.value} connector {self.name!r} does not support {capability!r}",
            hint=f"it supports: {', '.join(sorted(self.capabilities)) or 'no optional capability'}",
        )


async def import_drivers(*modules: str) -> None:
    """Import modules in a thread: some drivers take seconds, in which the event loop must go on.

    For the beginning of `Connector.start`; a plain `import` of what they have costs nothing afterwards. Raises what the
    import raises.
    """
    missing = [name for name in modules if name not in sys.modules]
    if missing:
        await asyncio.to_thread(lambda: [import_module(name) for name in missing])
