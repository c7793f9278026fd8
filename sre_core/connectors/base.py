"""What every connector and every handle has in common."""

from abc import ABC
from collections.abc import AsyncGenerator, Callable
from enum import StrEnum
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate
from sre_core.access.guard import AccessRequest, Guard
from sre_core.access.resource import Resource
from sre_core.connectors.operation import Operation, Starter, stream
from sre_core.errors import UnsupportedError

__all__ = ["Connector", "Handle", "Service", "Settings"]

T = TypeVar("T")


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

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        """Open clients; import heavy drivers here, not at the top of the module."""

    async def stop(self) -> None:  # noqa: B027
        """Close everything. Must be safe to call twice, and after a failed start."""

    async def ping(self) -> None:  # noqa: B027
        """Return when the backend is healthy, raise ConnectorError when it is not."""

    def unsupported(self, capability: str) -> UnsupportedError:
        """The error to raise from a method whose capability this connector does not declare."""
        return UnsupportedError(
            f"{self.service.value} connector {self.name!r} does not support {capability!r}",
            hint=f"it supports: {', '.join(sorted(self.capabilities)) or 'no optional capability'}",
        )


class Handle:
    """A connector as one candidate sees it: every call asks the guard first.

    Paths are relative to a home, by default the candidate's own. `of` addresses the home of somebody else,
    still as the same candidate.
    """

    service: ClassVar[Service]

    def __init__(
        self,
        connector: Connector,
        candidate: Candidate,
        guard: Guard,
        *,
        start: Starter | None = None,
        timeout: float | None = None,
        home: Candidate | None = None,
    ) -> None:
        self._connector = connector
        self._candidate = candidate
        self._guard = guard
        self._start = start
        self._timeout = timeout
        self._home = home or candidate
        self._root: tuple[str, ...] = (self.service.value, self._home.role.value, self._home.id)

    @property
    def candidate(self) -> Candidate:
        """Who asks."""
        return self._candidate

    @property
    def capabilities(self) -> frozenset[str]:
        """What the connector can do beyond the required."""
        return self._connector.capabilities

    def __repr__(self) -> str:
        """Names the connector and the candidate, no settings."""
        return f"<{type(self).__name__} {self._connector.name!r} as {self._candidate}>"

    def of(self, home: Candidate) -> Self:
        """The same connector and the same candidate, with paths in the home of `home`."""
        return type(self)(
            self._connector,
            self._candidate,
            self._guard,
            start=self._start,
            timeout=self._timeout,
            home=home,
        )

    def resource(self, path: str = "") -> Resource:
        """The resource that `path` means here; the home itself when empty. Raises ConfigError."""
        home = Resource(self._root)
        return home.child(path) if path else home

    def _key(self, path: str) -> str:
        """`path` as the connector sees it: without the service, which it is."""
        return "/".join(self.resource(path).parts[1:])

    async def grant(self, path: str, candidate: Candidate, access: Access) -> None:
        """Let `candidate` have `access` to `path` and what lies below. Needs OWN on `path`."""
        await self._guard.grant(self._candidate, self.resource(path), candidate, access)

    async def revoke(self, path: str, candidate: Candidate) -> None:
        """Take back what `candidate` was granted on `path` itself. Needs OWN on `path`."""
        await self._guard.revoke(self._candidate, self.resource(path), candidate)

    async def acl(self, path: str) -> ACL:
        """The grants on `path` itself; empty when it has none. Needs OWN on `path`."""
        return await self._guard.acl(self._candidate, self.resource(path))

    async def allowed(self, path: str, access: Access) -> bool:
        """Whether the guard would let the candidate have `access` to `path`."""
        request = AccessRequest(self._candidate, access, self.resource(path))
        return (await self._guard.decide(request)).allowed

    async def ping(self) -> None:
        """Return when the backend is healthy. Needs no access; raises ConnectorError when it is not."""
        async with self._unguarded("ping"):
            await self._connector.ping()

    def _operation(self, name: str, access: Access, path: str) -> Operation:
        """The only way to the connector: check, start, span, deadline, translation of foreign errors."""
        return Operation(
            self.service,
            name,
            self._connector.name,
            guard=self._guard,
            request=AccessRequest(self._candidate, access, self.resource(path)),
            start=self._start,
            timeout=self._timeout,
        )

    def _unguarded(self, name: str) -> Operation:
        """For calls that touch no resource, or whose results are filtered one by one afterwards."""
        return Operation(self.service, name, self._connector.name, start=self._start, timeout=self._timeout)

    def _stream(
        self, name: str, access: Access, path: str, source: Callable[[], AsyncGenerator[T]]
    ) -> AsyncGenerator[T]:
        """`_operation` for the async generators of a connector; the deadline is for each item."""
        return stream(self._operation(name, access, path), source)
