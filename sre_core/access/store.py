"""Where ACLs are kept: the protocol that the guard reads through."""

from collections.abc import Callable
from typing import Protocol

from sre_core.access.acl import ACL
from sre_core.access.resource import Resource

__all__ = ["AclStore"]


class AclStore(Protocol):
    """ACLs by resource. An ACL exists for a resource or it does not; an empty one exists, and grants nothing."""

    async def nearest(self, resource: Resource) -> tuple[Resource, ACL] | None:
        """The ACL of `resource` or of its closest parent that has one, with where it was found."""
        ...

    async def update(self, resource: Resource, change: Callable[[ACL], ACL | None]) -> None:
        """Give `resource` the ACL that `change` makes of the one that decides over it now.

        That is its own, else the nearest above, else an empty one, read anew: a grant that was revoked must not
        come back from a cache. Nothing is stored when `change` returns None. Atomic also among several machines:
        `change` may run again when somebody else was faster.
        """
        ...

    async def remove(self, resource: Resource) -> None:
        """Forget the ACL of `resource`, if it has one."""
        ...
