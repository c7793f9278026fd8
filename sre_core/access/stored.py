"""ACLs kept as objects in a storage, so that they last and are shared by all machines that use it."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pydantic_core

from sre_core import logs
from sre_core.access.acl import ACL
from sre_core.access.resource import Resource
from sre_core.errors import ConfigError, ConflictError, ConnectorError, NotFoundError

__all__ = ["ACL_PREFIX", "AclObjects", "StoredAcls", "acl_from_json", "acl_key", "acl_to_json", "stored_acl"]

log = logs.get_logger(__name__)

ACL_PREFIX = "acl"
"""What the keys of ACLs begin with. Homes begin with a role, "agent/…", so no handle can address such a key."""

T = TypeVar("T")

_ATTEMPTS = 20
_CACHED = 10_000


class AclObjects(Protocol):
    """The little that this needs of a storage connector."""

    @property
    def capabilities(self) -> frozenset[str]:
        """Whether "condition" is among them."""
        ...

    async def read(self, key: str) -> bytes:
        """Raises NotFoundError."""
        ...

    async def write(self, key: str, data: bytes, *, if_version: str | None = None) -> Any:
        """Raises ConflictError when the version differs; "" means that there is none."""
        ...

    async def delete(self, key: str) -> None:
        """A missing object is not an error."""
        ...

    async def stat(self, key: str) -> Any:
        """Something with a `version`. Raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """An ACL on its way from the storage, for all who wait for it."""

    task: asyncio.Task[ACL | None]
    began: float
    changes: int


class StoredAcls:
    """An AclStore. What the operator configured comes first, where both have an ACL for the same resource."""

    def __init__(
        self,
        objects: AclObjects,
        *,
        configured: Mapping[Resource, ACL] | None = None,
        cache_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """What was read is believed for `cache_seconds`, which is how long a revocation made on another machine
        may take to be seen here; one made here is seen at once.
        """
        self._objects = objects
        self._configured = dict(configured or {})
        self._seconds = cache_seconds
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._cache: dict[Resource, tuple[float, ACL | None]] = {}
        self._readings: dict[Resource, _Reading] = {}
        self._changes = 0
        self._answers: dict[Resource, tuple[float, tuple[Resource, ACL] | None]] = {}

    async def nearest(self, resource: Resource) -> tuple[Resource, ACL] | None:
        """The ACL of `resource` or of its closest parent that has one. Raises ConnectorError."""
        now = self._clock()
        answer = self._answers.get(resource)
        if answer is not None and now - answer[0] < self._seconds:
            return answer[1]
        found: tuple[Resource, ACL] | None = None
        oldest, changes = now, self._changes
        for place in resource.lineage():
            acl = self._configured.get(place)
            # A service as a whole belongs to the operator alone.
            if acl is None and len(place.parts) > 1:
                read, acl = await self._read(place)
                oldest = min(oldest, read)
            if acl is not None:
                found = place, acl
                break
        if changes == self._changes:
            # As old as the oldest ACL that it rests on, or a revocation could go unseen for twice the time.
            _remember(self._answers, resource, (oldest, found))
        return found

    async def update(self, resource: Resource, change: Callable[[ACL], ACL | None]) -> None:
        """Replace an ACL by what `change` makes of it; one that stays as it is is not written. Raises ConflictError,
        ConnectorError.

        A damaged ACL counts as an empty one here, so that an owner can grant anew. Without the storage's
        capability "condition", of two changes at once on different machines one is lost.
        """
        self._check_not_configured(resource)
        async with self._one_at_a_time:
            await self._update(resource, change)

    async def _update(self, resource: Resource, change: Callable[[ACL], ACL | None]) -> None:
        key = acl_key(resource)
        for _ in range(_ATTEMPTS):
            version = await _version(self._objects, key)
            place, old = await self._in_force(resource)
            acl = change(old)
            if acl is None:
                return
            condition = version if "condition" in self._objects.capabilities else None
            try:
                if (place, old) != (resource, acl):
                    await self._objects.write(key, acl_to_json(resource, acl), if_version=condition)
            except ConflictError:
                continue
            self._keep(resource, acl)
            return
        raise ConflictError(f"the ACL of {str(resource)!r} changes all the time", hint="try again")

    async def _in_force(self, resource: Resource) -> tuple[Resource | None, ACL]:
        """The ACL that decides over `resource`, read past the cache, and where it stands: nowhere if there is none."""
        for place in resource.lineage():
            if place in self._configured:
                return place, self._configured[place]
            raw = await _raw(self._objects, place) if len(place.parts) > 1 else None
            if raw is None:
                continue
            try:
                return place, acl_from_json(raw, place)
            except ConnectorError as error:
                if place != resource:
                    raise
                log.warning("damaged_acl_replaced", resource=str(resource), error=str(error))
                return None, ACL()
        return None, ACL()

    async def remove(self, resource: Resource) -> None:
        """Forget an ACL, if there is one. Raises ConflictError, ConnectorError."""
        self._check_not_configured(resource)
        async with self._one_at_a_time:
            await self._objects.delete(acl_key(resource))
            self._keep(resource, None)

    def _check_not_configured(self, resource: Resource) -> None:
        if resource in self._configured:
            raise ConflictError(
                f"the access to {str(resource)!r} is set by the configuration", hint="change [access] in sre.toml"
            )

    async def _read(self, resource: Resource) -> tuple[float, ACL | None]:
        """The ACL of exactly this resource, and when it was read."""
        cached = self._cache.get(resource)
        now = self._clock()
        if cached is not None and now - cached[0] < self._seconds:
            return cached
        reading = self._readings.get(resource)
        # A thousand agents that start together read an ACL once; but nobody gets what was read too long ago.
        if reading is None or reading.changes != self._changes or now - reading.began >= self._seconds:
            reading = self._begin_reading(resource, now)
        # Who stops waiting does not stop the others.
        acl = await asyncio.shield(reading.task)
        # A change made here while this was read must not be hidden by what was read before it.
        if reading.changes == self._changes:
            _remember(self._cache, resource, (reading.began, acl))
        return reading.began, acl

    def _begin_reading(self, resource: Resource, now: float) -> _Reading:
        task = asyncio.create_task(self._load(resource))
        reading = self._readings[resource] = _Reading(task=task, began=now, changes=self._changes)

        def forget(task: asyncio.Task[ACL | None]) -> None:
            if self._readings.get(resource) is reading:
                del self._readings[resource]
            if not task.cancelled():
                # Those who waited get its error; nobody else has to hear of it.
                task.exception()

        task.add_done_callback(forget)
        return reading

    async def _load(self, resource: Resource) -> ACL | None:
        raw = await _raw(self._objects, resource)
        return None if raw is None else acl_from_json(raw, resource)

    def _keep(self, resource: Resource, acl: ACL | None) -> None:
        """Remember a change made here; every answer that was derived is void."""
        self._changes += 1
        self._answers.clear()
        _remember(self._cache, resource, (self._clock(), acl))


def _remember(cache: dict[Resource, T], resource: Resource, value: T) -> None:
    # Entries live for seconds, so what to drop when there are too many is not worth a thought.
    if len(cache) >= _CACHED:
        cache.clear()
    cache[resource] = value


def acl_to_json(resource: Resource, acl: ACL) -> bytes:
    """An ACL as it is stored, with the resource that it belongs to."""
    grants = {str(candidate): str(access) for candidate, access in acl.grants}
    return pydantic_core.to_json({"resource": str(resource), "grants": dict(sorted(grants.items()))}, indent=2)


def acl_from_json(raw: bytes, resource: Resource) -> ACL:
    """Read what `acl_to_json` wrote. Raises ConnectorError on anything else: a damaged ACL grants nothing."""
    try:
        whose, acl = _read(raw)
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise ConnectorError(
            f"the stored ACL of {str(resource)!r} is damaged: {error}", hint="grant the access again, or delete it"
        ) from error
    if whose != resource:
        raise ConnectorError(
            f"the stored ACL of {str(resource)!r} belongs to {str(whose)!r}",
            hint="grant the access again, or delete it",
        )
    return acl


def stored_acl(key: str, raw: bytes) -> tuple[Resource, ACL]:
    """The ACL that is stored under a key, and the resource that it belongs to. Raises ConnectorError."""
    try:
        resource, acl = _read(raw)
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise ConnectorError(f"the ACL that is stored under {key!r} is damaged: {error}", hint="delete it") from error
    if acl_key(resource) != key:
        raise ConnectorError(f"the ACL of {str(resource)!r} is stored under another's key {key!r}", hint="delete it")
    return resource, acl


def _read(raw: bytes) -> tuple[Resource, ACL]:
    content = pydantic_core.from_json(raw)
    return Resource.parse(content["resource"]), ACL.parse(content["grants"])


def acl_key(resource: Resource) -> str:
    """The key of a resource's ACL in the storage."""
    # By digest: an ACL of "a" and one of "a/b" are then just two objects, whatever the names hold.
    return f"{ACL_PREFIX}/{hashlib.sha256(str(resource).encode()).hexdigest()}.json"


async def _raw(objects: AclObjects, resource: Resource) -> bytes | None:
    try:
        return await objects.read(acl_key(resource))
    except NotFoundError:
        return None


async def _version(objects: AclObjects, key: str) -> str:
    try:
        return str((await objects.stat(key)).version)
    except NotFoundError:
        return ""
