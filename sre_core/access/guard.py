"""The guard: the one place where access is decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate, Role
from sre_core.access.resource import Resource
from sre_core.access.store import AclStore
from sre_core.access.teams import Teams
from sre_core.errors import AccessDeniedError, SREError
from sre_core.events import AccessDecided, Emit, current_emit, discard

__all__ = ["AccessRequest", "Decision", "Guard", "Veto"]


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Somebody wants something."""

    candidate: Candidate
    access: Access
    resource: Resource


@dataclass(frozen=True, slots=True)
class Decision:
    """The guard's answer, with its reason in words."""

    allowed: bool
    reason: str
    vetoed: bool = False


Veto = Callable[[AccessRequest], str | None]
"""Returns a reason to refuse a request that would be allowed, or None. It cannot allow anything.

`Plugins.vetoes` turns one that raises into one that refuses.
"""

_PUBLIC = Candidate.public()
# Models belong to nobody: "llm/agent/a1/x" is what somebody called a model, and some backends take any name.
_WITHOUT_HOMES = frozenset({"llm"})
_OWN_HOME = Decision(allowed=True, reason="it lies in the candidate's own home")


class Guard:
    """Decides, in this order.

    1. A candidate owns its home, `service/role/id/…`, and the homes of its teams; models lie in no home.
    2. Else the nearest ACL up the path decides, and only it.
    3. Else no.
    4. Any veto turns a yes into a no; one that raises counts as a veto.
    """

    def __init__(
        self,
        acls: AclStore,
        *,
        teams: Teams | None = None,
        vetoes: Sequence[Veto] = (),
        emit: Emit | None = None,
    ) -> None:
        """`emit` hears decisions made outside a run; inside one they go to the run's own events."""
        self._acls = acls
        self._teams = teams or Teams()
        self._vetoes = tuple(vetoes)
        self._emit = emit

    async def check(self, request: AccessRequest) -> None:
        """Return when the request is allowed; raises AccessDeniedError with the reason when it is not."""
        decision = await self.decide(request)
        if not decision.allowed:
            line = f'"{request.resource}" = {{ "{request.candidate}" = "{request.access}" }}'
            raise AccessDeniedError(
                f"{request.candidate} may not {request.access} {str(request.resource)!r}: {decision.reason}",
                hint="no grant helps against a veto; `sre plugins` lists what is installed"
                if decision.vetoed
                else f"an owner can grant it, or the operator under [access] in sre.toml: {line}",
            )

    async def decide(self, request: AccessRequest) -> Decision:
        """Decide and report the decision as an event. Raises ConnectorError if the ACLs cannot be read."""
        try:
            decision = await self._decide(request)
        except SREError as error:
            await self._report(request, Decision(allowed=False, reason=f"its ACLs cannot be read: {error}"))
            raise
        if self._listener() is not None:
            await self._report(request, decision)
        return decision

    async def sees(self, request: AccessRequest) -> bool:
        """Whether it would be allowed. For the entries of a list, of which each is no event of its own."""
        return (await self._decide(request)).allowed

    async def _decide(self, request: AccessRequest) -> Decision:
        decision = self._at_home(request) or await self._by_acl(request)
        return self._veto(request, decision) if self._vetoes else decision

    def _listener(self) -> Emit | None:
        """Who hears of decisions now."""
        emit = current_emit.get() or self._emit
        return None if emit is discard else emit

    async def _report(self, request: AccessRequest, decision: Decision) -> None:
        emit = self._listener()
        if emit is not None:
            await emit(
                AccessDecided(
                    candidate=str(request.candidate),
                    access=str(request.access),
                    resource=str(request.resource),
                    allowed=decision.allowed,
                    reason=decision.reason,
                )
            )

    async def grant(self, asker: Candidate, resource: Resource, to: Candidate, access: Access) -> None:
        """Give `to` exactly `access` on `resource` and below. The asker must own `resource`.

        As only the nearest ACL decides, the first grant below an ACL starts from a copy of that ACL: granting
        somebody a file never takes it from those who could read its folder. What was revoked on the folder
        afterwards must be revoked on the file as well.
        """
        await self.check(AccessRequest(asker, Access.OWN, resource))
        await self._acls.update(resource, lambda acl: acl.grant(to, access))

    async def revoke(self, asker: Candidate, resource: Resource, candidate: Candidate) -> None:
        """Take back what `candidate` was granted on `resource`, or above it. The asker must own `resource`.

        A grant above ends for `resource` and below only, as these get an ACL of their own. An ACL that is emptied
        this way stays, and denies: what an ACL further up grants does not come back.
        """
        await self.check(AccessRequest(asker, Access.OWN, resource))
        await self._acls.update(resource, lambda acl: acl.revoke(candidate) if candidate in acl else None)

    async def inherit(self, asker: Candidate, resource: Resource) -> None:
        """Forget the ACL of `resource` itself: what lies further up decides again. The asker must own `resource`."""
        await self.check(AccessRequest(asker, Access.OWN, resource))
        await self._acls.remove(resource)

    async def acl(self, asker: Candidate, resource: Resource) -> ACL:
        """The ACL that decides over `resource`; empty when there is none. The asker must own `resource`."""
        await self.check(AccessRequest(asker, Access.OWN, resource))
        found = await self._acls.nearest(resource)
        return found[1] if found else ACL()

    def _at_home(self, request: AccessRequest) -> Decision | None:
        """Yes in a home of the candidate's; None elsewhere."""
        candidate, parts = request.candidate, request.resource.parts
        if len(parts) > 2 and parts[0] not in _WITHOUT_HOMES and candidate.role is not Role.PUBLIC:
            if parts[1] == candidate.role and parts[2] == candidate.id:
                return _OWN_HOME
            if parts[1] == "team" and any(team.id == parts[2] for team in self._teams.of(candidate)):
                return Decision(allowed=True, reason=f"it lies in the home of its team {parts[2]!r}")
        return None

    async def _by_acl(self, request: AccessRequest) -> Decision:
        candidate = request.candidate
        found = await self._acls.nearest(request.resource)
        if found is None:
            return Decision(
                allowed=False,
                reason="it lies in no home of the candidate's, and no ACL on its path grants it",
            )
        where, acl = found
        level = acl.level_for((candidate, _PUBLIC, *self._teams.of(candidate)))
        if level is None:
            return Decision(allowed=False, reason=f"the ACL of {str(where)!r} does not name the candidate")
        return _granted(where, level, allowed=level >= request.access)

    def _veto(self, request: AccessRequest, decision: Decision) -> Decision:
        if not decision.allowed:
            return decision
        for veto in self._vetoes:
            reason = veto(request)
            if reason is not None:
                return Decision(allowed=False, reason=f"vetoed: {reason}", vetoed=True)
        return decision


@lru_cache(maxsize=4096)
def _granted(where: Resource, level: Access, *, allowed: bool) -> Decision:
    """What an ACL says; models in constant use are asked for again and again."""
    return Decision(allowed=allowed, reason=f"the ACL of {str(where)!r} grants {level}")
