"""Secrets that settings name: those that the agent was granted, then those of its team."""

import shlex
from dataclasses import dataclass

from pydantic import SecretStr

from sre_core.access.candidate import Role
from sre_core.components.context import ComponentContext
from sre_core.errors import AccessDeniedError, NotFoundError

__all__ = ["Secret", "find_secret"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret, and what it is called where it was found."""

    name: str
    value: SecretStr


async def find_secret(name: str, context: ComponentContext) -> Secret:
    """`vault/<name>`; where that is not there or not granted, `vault/team/<team>/<name>`, which members may read.

    A name with a slash says itself where the secret lies. Raises AccessDeniedError where either is denied, else
    NotFoundError; other failures of the vault pass, and nothing takes their place.
    """
    vault, kept = context.vault, f"{Role.TEAM}/{context.agent.team}/{name}"
    try:
        return Secret(name=name, value=await vault.get(name))
    except (AccessDeniedError, NotFoundError) as error:
        if not name or "/" in name:
            raise
        own = error
    try:
        return Secret(name=kept, value=await vault.get(kept))
    except (AccessDeniedError, NotFoundError) as error:
        how = f": sre vault set {shlex.quote(kept)}" if "write" in vault.capabilities else f", as {kept!r}"
        denied = next((one for one in (own, error) if isinstance(one, AccessDeniedError)), None)
        kind, first = (NotFoundError, own) if denied is None else (AccessDeniedError, denied)
        raise kind(first.message, hint=f"{first.hint}; or keep it as the secret of its team{how}") from first
