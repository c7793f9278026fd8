"""What every handle has in common: a connector, as one candidate sees it."""

from collections.abc import AsyncGenerator, Callable
from typing import Any, ClassVar, Self, TypeVar

from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate
from sre_core.access.guard import AccessRequest, Guard
from sre_core.access.resource import Resource
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.operation import Operation, stream
from sre_core.connectors.slot import Slot
from sre_core.errors import ConfigError

__all__ = ["Handle"]

T = TypeVar("T")


class Handle:
    """A connector as one candidate sees it: every call asks the guard first.

    Paths are relative to a home, by default the candidate's own. `of` addresses the home of somebody else,
    still as the same candidate.
    """

    service: ClassVar[Service]

    def __init__(
        self,
        connector: Connector | Slot,
        candidate: Candidate,
        guard: Guard,
        *,
        timeout: float | None = None,
        home: Candidate | None = None,
    ) -> None:
        """`timeout` bounds each call, in seconds; of a stream, each item. A bare connector must be started."""
        self._slot = connector if isinstance(connector, Slot) else Slot.of(connector)
        self._candidate = candidate
        self._guard = guard
        self._timeout = timeout
        self._home = home or candidate
        self._root: Resource | None = None

    @property
    def _connector(self) -> Any:
        """The started connector; each kind of handle declares its own type."""
        return self._slot.connector

    @property
    def candidate(self) -> Candidate:
        """Who asks."""
        return self._candidate

    @property
    def capabilities(self) -> frozenset[str]:
        """What the connector can do beyond the required."""
        return self._slot.capabilities

    @property
    def connector_name(self) -> str:
        """The name of the connector's type, as in `use = "openai"`."""
        return self._slot.name

    def __repr__(self) -> str:
        """Names the connector and the candidate, no settings."""
        return f"<{type(self).__name__} {self._slot.name!r} as {self._candidate}>"

    def of(self, home: Candidate) -> Self:
        """The same connector and the same candidate, with paths in the home of `home`."""
        return type(self)(self._slot, self._candidate, self._guard, timeout=self._timeout, home=home)

    def resource(self, path: str = "") -> Resource:
        """The resource that `path` means here; the home itself when empty. Raises ConfigError."""
        # Made when it is needed first: a run gets all kinds of handles, and uses few.
        if self._root is None:
            self._root = Resource((self._service_part(), self._home.role.value, self._home.id))
        return self._root.child(path) if path else self._root

    def _service_part(self) -> str:
        """The service; of another connector than the default one, with its id: a grant is for one of them."""
        return self.service.value if self._slot.id == "default" else f"{self.service.value}@{self._slot.id}"

    def _key(self, path: str) -> str:
        """`path` as the connector sees it: without the service, which it is. Raises ConfigError when empty."""
        if not path:
            raise ConfigError(f"an empty name in {str(self.resource())!r}", hint="say which one, as in 'notes.txt'")
        return self._prefix(path)

    def _prefix(self, path: str) -> str:
        """Like `_key`, of what may be the whole home."""
        return "/".join(self.resource(path).parts[1:])

    async def grant(self, path: str, candidate: Candidate, access: Access) -> None:
        """Let `candidate` have `access` to `path` and what lies below. Needs OWN on `path`."""
        await self._guard.grant(self._candidate, self.resource(path), candidate, access)

    async def revoke(self, path: str, candidate: Candidate) -> None:
        """Take back what `candidate` was granted on `path`, or above it. Needs OWN on `path`."""
        await self._guard.revoke(self._candidate, self.resource(path), candidate)

    async def inherit(self, path: str) -> None:
        """Forget what was granted and revoked on `path` itself: what lies above decides. Needs OWN on `path`."""
        await self._guard.inherit(self._candidate, self.resource(path))

    async def acl(self, path: str) -> ACL:
        """The ACL that decides over `path`, which may be one further up; empty when none does. Needs OWN."""
        return await self._guard.acl(self._candidate, self.resource(path))

    async def allowed(self, path: str, access: Access) -> bool:
        """Whether the guard would let the candidate have `access` to `path`."""
        request = AccessRequest(self._candidate, access, self.resource(path))
        return (await self._guard.decide(request)).allowed

    async def _sees(self, path: str) -> bool:
        """Whether a list may show `path` to the candidate."""
        try:
            resource = self.resource(path)
        except ConfigError:
            # Nobody can address it, so nobody misses it.
            return False
        return await self._guard.sees(AccessRequest(self._candidate, Access.READ, resource))

    async def ping(self) -> None:
        """Return when the backend is healthy. Needs no access; raises ConnectorError when it is not."""
        async with self._unguarded("ping"):
            await self._connector.ping()

    def _operation(self, name: str, access: Access, path: str) -> Operation:
        """The only way to the connector: check, start, span, deadline, translation of foreign errors."""
        return Operation(
            name,
            self._slot,
            guard=self._guard,
            request=AccessRequest(self._candidate, access, self.resource(path)),
            timeout=self._timeout,
        )

    def _unguarded(self, name: str) -> Operation:
        """For calls that touch no resource, or whose results are filtered one by one afterwards."""
        return Operation(name, self._slot, timeout=self._timeout)

    def _stream(
        self, name: str, access: Access, path: str, source: Callable[[], AsyncGenerator[T]]
    ) -> AsyncGenerator[T]:
        """`_operation` for the async generators of a connector; the deadline is for each item."""
        return stream(self._operation(name, access, path), source)
