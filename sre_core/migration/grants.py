"""Copies what was granted on things, so that it holds for their copies too."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

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

    The nearest ACL decides, so one that lies deeper is stored before those above it: at no time, nor after a kill, is
    a copy open to anybody whom the source shuts out. For that, all of them are in memory.
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
        self._wanted: dict[Resource, ACL] = {}
        self._inherited: dict[Resource, ACL] = {}
        self._report = Report()

    async def run(self, report: Report, *, write: bool = True) -> None:
        """Copy the ACLs; what was found is added to `report`. Raises ConnectorError when an end is gone.

        An ACL that the target's name of a resource has already is replaced; one where the source has none is noted.
        """
        self._report = report
        await spread(self._stored(self._kernel), self._sort, jobs=_JOBS)
        has_own = self._from in self._configured or self._to in self._wanted
        self._sort_configured()
        if self._above and not has_own:
            # What lies nearest above decides over all of it, and stays behind.
            nearest = max(self._above, key=lambda resource: len(resource.parts))
            self._wanted[self._to] = self._above[nearest]
            if nearest not in self._configured:
                self._inherited[self._from] = self._above[nearest]
        # Of what the configuration has, nobody asks for what is stored.
        await self._put_all(
            self._kernel,
            {resource: acl for resource, acl in self._wanted.items() if resource not in self._configured},
            write=write,
        )
        for resource in sorted(self._there - set(self._wanted), key=str):
            report.notes.append(f"{resource} has an ACL, and the source has none there")
        if self._heir is not None:
            await self._put_all(self._heir, self._inherited, write=write)
            await self._note_surplus(self._heir)

    def _sort_configured(self) -> None:
        for resource, acl in sorted(self._configured.items(), key=lambda item: str(item[0])):
            if self._from.is_within(resource) and resource != self._from:
                self._above[resource] = acl
            if not resource.is_within(self._from):
                continue
            other = self._renamed(resource)
            if other in self._configured:
                continue
            line = f'[access] "{resource}" holds for no "{other}"'
            if len(other.parts) == 1:
                self._report.notes.append(f"{line}: add a line if that is what it will be called")
                continue
            self._wanted[other] = acl
            self._report.notes.append(f"{line}: what it says now was stored there, and does not follow it")

    def _renamed(self, resource: Resource) -> Resource:
        """What the copy of a resource is called."""
        return Resource(self._to.parts + resource.parts[len(self._from.parts) :])

    async def _stored(self, end: End) -> AsyncGenerator[str]:
        async with aclosing(end.stream("list", lambda connector: connector.list(ACL_PREFIX))) as listing:
            async for info in listing:
                found: ObjectInfo = info
                yield found.key

    async def _read(self, end: End, key: str) -> tuple[Resource, ACL] | None:
        """The ACL under a key, and what it is of; None if it is gone, or damaged, which is a difference."""
        try:
            raw = await patiently(lambda: self._raw(end, key))
            return None if raw is None else stored_acl(key, raw)
        except ConnectorError as error:
            if await is_fatal(error, end):
                raise
            self._report.differs(key, error.message)
            return None

    async def _sort(self, key: str) -> None:
        found = await self._read(self._kernel, key)
        if found is None:
            return
        resource, acl = found
        if resource.parts[0] == self._to.parts[0]:
            # The target's under its own name: that name has no meaning any more when it takes the source's place.
            if resource.is_within(self._to):
                self._there.add(resource)
            return
        inside = resource.is_within(self._from)
        # Where the configuration has an ACL, what is stored decides nothing.
        if resource not in self._configured:
            if inside:
                self._wanted[self._renamed(resource)] = acl
            elif self._from.is_within(resource):
                self._above[resource] = acl
        if inside or not self._is_part:
            self._inherited[resource] = acl

    async def _put_all(self, end: End, acls: Mapping[Resource, ACL], *, write: bool) -> None:
        failed: set[Resource] = set()

        async def those(depth: int) -> AsyncGenerator[Resource]:
            for resource in [one for one in acls if len(one.parts) == depth]:
                yield resource

        async def put(resource: Resource) -> None:
            below = next((one for one in failed if one.is_within(resource)), None)
            why = f"that of {below} below it could not be stored" if below else ""
            try:
                if not below and not await patiently(lambda: self._put(end, resource, acls[resource], write=write)):
                    why = "it reads back otherwise than it was written"
            except ConnectorError as error:
                if await is_fatal(error, end):
                    raise
                why = error.message
            if not why:
                self._report.acls += 1
                return
            failed.add(resource)
            self._report.differs(f"the ACL of {resource}", why)

        for depth in sorted({len(resource.parts) for resource in acls}, reverse=True):
            await spread(those(depth), put, jobs=_JOBS)

    async def _put(self, end: End, resource: Resource, acl: ACL, *, write: bool) -> bool:
        """Store an ACL unless it is there; whether it reads back the same."""
        key, raw = acl_key(resource), acl_to_json(resource, acl)
        if not write or await self._raw(end, key) == raw:
            return True
        await end.call("write", lambda connector: connector.write(key, raw, content_type="application/json"))
        return await self._raw(end, key) == raw

    async def _note_surplus(self, heir: End) -> None:
        """Name what is granted in the target, and not in the source: it holds once the target takes its place."""
        keys = {acl_key(resource) for resource in self._inherited}
        surplus: list[Resource] = []

        async def note(key: str) -> None:
            found = None if key in keys else await self._read(heir, key)
            if found is not None and found[0].parts[0] != self._to.parts[0]:
                surplus.append(found[0])

        await spread(self._stored(heir), note, jobs=_JOBS)
        for resource in sorted(surplus, key=str):
            if not self._is_part or resource.is_within(self._from):
                self._report.notes.append(f"the target keeps an ACL of {resource}, and the source has none there")

    async def _raw(self, end: End, key: str) -> bytes | None:
        try:
            raw: bytes = await end.call("read", lambda connector: connector.read(key))
        except NotFoundError:
            return None
        return raw
