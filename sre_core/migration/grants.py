"""Copies what was granted on things, so that it holds for their copies too."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

from sre_core.access.acl import ACL
from sre_core.access.resource import Resource
from sre_core.access.stored import ACL_PREFIX, acl_key, acl_to_json, stored_acl
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConnectorError, NotFoundError
from sre_core.migration.ends import End, is_fatal, patiently, spread
from sre_core.migration.report import Report

__all__ = ["GrantsCopy"]

_JOBS = 8


class GrantsCopy:
    """ACLs of resources of the source, which all lie in the default storage.

    Each is stored there once more, for the target's name of the resource: under the target's own id, the copies can
    be used by the same candidates at once, and by no others. What the configuration says of the source's name decides
    there, so it is what is stored for the target's. Where the source is the default storage itself, all stored ACLs go
    to the target as they are as well, so that it can take its place.
    """

    def __init__(
        self,
        kernel: End,
        source: End,
        target: End,
        *,
        prefix: str = "",
        configured: Mapping[Resource, ACL] | None = None,
    ) -> None:
        """`kernel` is the default storage; `configured` is what the configuration says, which no command changes."""
        self._kernel = kernel
        parts = tuple(prefix.split("/")) if prefix else ()
        self._from = Resource(source.root.parts + parts)
        self._to = Resource(target.root.parts + parts)
        self._heir = target if source.root.parts == ("storage",) else None
        self._is_part = bool(prefix)
        self._configured = dict(configured or {})
        self._above: dict[Resource, ACL] = {}
        self._there: set[Resource] = set()
        self._put_there: set[Resource] = set()
        self._has_own = False
        self._writes = True
        self._report = Report()

    async def run(self, report: Report, *, write: bool = True) -> None:
        """Copy the ACLs; what was found is added to `report`. Raises ConnectorError when an end is gone.

        An ACL that the target's name of a resource has already is replaced; one where the source has none is noted.
        """
        self._report, self._writes = report, write
        await spread(self._stored(), self._deal_with, jobs=_JOBS)
        await self._copy_configured()
        if self._above and not self._has_own:
            # What lies nearest above decides over all of it, and stays behind.
            nearest = max(self._above, key=lambda resource: len(resource.parts))
            await self._put(self._kernel, self._to, self._above[nearest])
            if self._heir is not None and nearest not in self._configured:
                await self._put(self._heir, self._from, self._above[nearest])
        for resource in sorted(self._there - self._put_there, key=str):
            self._report.notes.append(f"{resource} has an ACL, and the source has none there")

    async def _copy_configured(self) -> None:
        for resource, acl in sorted(self._configured.items(), key=lambda item: str(item[0])):
            if self._from.is_within(resource) and resource != self._from:
                self._above[resource] = acl
            if not resource.is_within(self._from):
                continue
            self._has_own = self._has_own or resource == self._from
            other = self._renamed(resource)
            if other in self._configured:
                continue
            line = f'[access] "{resource}" holds for no "{other}"'
            if len(other.parts) == 1:
                self._report.notes.append(f"{line}: add a line if that is what it will be called")
                continue
            await self._put(self._kernel, other, acl)
            self._report.notes.append(f"{line}: what it says now was stored there, and does not follow it")

    def _renamed(self, resource: Resource) -> Resource:
        """What the copy of a resource is called."""
        return Resource(self._to.parts + resource.parts[len(self._from.parts) :])

    async def _stored(self) -> AsyncGenerator[str]:
        async with aclosing(self._kernel.stream("list", lambda connector: connector.list(ACL_PREFIX))) as listing:
            async for info in listing:
                found: ObjectInfo = info
                yield found.key

    async def _deal_with(self, key: str) -> None:
        try:
            with suppress(NotFoundError):
                raw = await patiently(lambda: self._kernel.call("read", lambda connector: connector.read(key)))
                resource, acl = stored_acl(key, raw)
                await self._copy(resource, acl)
        except ConnectorError as error:
            if is_fatal(error):
                raise
            self._report.differs(key, error.message)

    async def _copy(self, resource: Resource, acl: ACL) -> None:
        if resource.parts[0] == self._to.parts[0]:
            # The target's under its own name: that name has no meaning any more when it takes the source's place.
            if resource.is_within(self._to):
                self._there.add(resource)
            return
        inside = resource.is_within(self._from)
        # Where the configuration has an ACL, what is stored decides nothing.
        if resource not in self._configured:
            if inside:
                self._has_own = self._has_own or resource == self._from
                await self._put(self._kernel, self._renamed(resource), acl)
            elif self._from.is_within(resource):
                self._above[resource] = acl
        if self._heir is not None and (inside or not self._is_part):
            await self._put(self._heir, resource, acl)

    async def _put(self, end: End, resource: Resource, acl: ACL) -> None:
        """Store an ACL unless it is there, and read it back."""
        key, raw = acl_key(resource), acl_to_json(resource, acl)
        if end is self._kernel:
            self._put_there.add(resource)
            if resource in self._configured:
                # There the operator decides, and nobody asks for what is stored.
                return
        if await self._raw(end, key) != raw and self._writes:
            await patiently(
                lambda: end.call("write", lambda connector: connector.write(key, raw, content_type="application/json"))
            )
            if await self._raw(end, key) != raw:
                self._report.differs(f"the ACL of {resource}", "it reads back otherwise than it was written")
                return
        self._report.acls += 1

    async def _raw(self, end: End, key: str) -> bytes | None:
        try:
            raw: bytes = await end.call("read", lambda connector: connector.read(key))
        except NotFoundError:
            return None
        return raw
