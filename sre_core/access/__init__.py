"""Who may do what: candidates, resources, ACLs and the guard."""

from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate, Role
from sre_core.access.guard import AccessRequest, Decision, Guard, Veto
from sre_core.access.resource import Resource
from sre_core.access.store import AclStore
from sre_core.access.teams import Teams

__all__ = [
    "ACL",
    "Access",
    "AccessRequest",
    "AclStore",
    "Candidate",
    "Decision",
    "Guard",
    "Resource",
    "Role",
    "Teams",
    "Veto",
]
