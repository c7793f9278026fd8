"""What the memory components share: where values are kept, and who sees them."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field

from sre_core.components.base import ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.javascript import well_formed
from sre_core.components.node import Node
from sre_core.components.template import expand
from sre_core.errors import ComponentError

__all__ = ["NOT_FOUND", "Entries", "KeySettings", "MemorySettings", "Scope", "ScopedMemorySettings"]

NOT_FOUND = "key not found"
"""The warning where there is no value."""

_USUAL_TTL = 3 * 60 * 60

Scope = Literal["session", "request", "ttl"]


class MemorySettings(ComponentSettings):
    """Which memory."""

    memory_name: str = Field(
        default="", max_length=255, description="the name of the memory; keys of two memories never meet"
    )


class ScopedMemorySettings(MemorySettings):
    """Which memory, who sees what is written, and for how long."""

    scope: Scope = Field(
        default="session",
        description="who sees it: the runs of this session, this run alone, or, with ttl, all runs of the agent",
    )
    ttl: int = Field(
        default=_USUAL_TTL,
        ge=300,
        le=604_800,
        description="for the scope ttl: how long it is kept, in seconds; the other scopes keep it for three hours",
    )

    @property
    def seconds(self) -> int:
        """How long a value is kept."""
        return self.ttl if self.scope == "ttl" else _USUAL_TTL


class KeySettings(MemorySettings):
    """Which memory, and which key in it."""

    key: str = Field(
        default="", max_length=100_000, description="the key; may hold placeholders, as in cart-{{UserId}}"
    )

    async def place(self, inputs: Mapping[str, Any], context: ComponentContext, node: Node) -> tuple[str, str]:
        """The names of the memory and the key, with their placeholders filled. Raises ComponentError for no key."""
        memory = await expand(self.memory_name, inputs, context, node=node)
        key = await expand(self.key, inputs, context, node=node)
        if not key:
            raise ComponentError("there is no key", hint="fill in the setting 'key'")
        return memory, key

    def problems(self) -> list[Flaw]:
        """What `check` says of them."""
        return [] if self.key else [Flaw("it has no key", "key")]


class Entries:
    """The entries of one memory, as one run sees them: its own, those of its session, and those of all runs.

    The narrower hides the wider one. A write takes away what would hide it from this run, and touches nothing that
    another session sees. Without a session, the run is its own session.
    """

    def __init__(self, memory: str, context: ComponentContext) -> None:
        self._memory = memory
        self._cache = context.cache
        request = ("request", context.run_id)
        # With the caller, so that nobody gets into the session of somebody else by knowing its id.
        session = ("session", str(context.caller), context.request.session_id)
        self._owners: dict[Scope, tuple[str, ...]] = {
            "request": request,
            "session": session if context.request.session_id else request,
            "ttl": ("ttl",),
        }

    async def write(self, key: str, value: str, *, scope: Scope, seconds: int) -> None:
        """Keep a value for `seconds`, and replace what this run saw under the key."""
        place = self._place(self._owners[scope], key)
        await self._cache.set(place, well_formed(value), ttl=seconds)
        for hiding in self._places(key):
            if hiding == place:
                return
            await self._cache.delete(hiding)

    async def read(self, key: str) -> str | None:
        """The value that this run sees, or None."""
        for place in self._places(key):
            found: str | None = await self._cache.get(place)
            if found is not None:
                return found
        return None

    async def delete(self, key: str) -> bool:
        """Forget all that this run sees under the key; whether there was anything."""
        found = await self.read(key) is not None
        for place in self._places(key):
            await self._cache.delete(place)
        return found

    def _places(self, key: str) -> Sequence[str]:
        """Where this run looks, the narrowest first."""
        return list(dict.fromkeys(self._place(owner, key) for owner in self._owners.values()))

    def _place(self, owner: tuple[str, ...], key: str) -> str:
        """A key of the cache. Memories and keys may have any name, and a hash is legal everywhere."""
        name = json.dumps([*owner, self._memory, key])
        return f"memory/{owner[0]}/{sha256(name.encode()).hexdigest()}"
