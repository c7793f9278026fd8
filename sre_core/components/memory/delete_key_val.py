"""MemoryDeleteKeyVal: forget what was remembered under a key."""

from collections.abc import Mapping
from typing import Any

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.memory.entries import NOT_FOUND, Entries, KeySettings
from sre_core.components.node import OutputPort

__all__ = ["MemoryDeleteKeyVal"]


class MemoryDeleteKeyVal(Component):
    """Forgets what this run would read under a key, in all scopes; what other sessions wrote for themselves stays.

    `Key` is the key and `deleted` is true. Where there was nothing, neither fires, and `_warning` says so.
    """

    name = "MemoryDeleteKeyVal"
    settings_type = KeySettings
    settings: KeySettings
    outputs = (OutputPort(name="Key", default=True), OutputPort(name="deleted", default=True))
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The key, or a warning."""
        memory, key = await self.settings.place(inputs, context, self.node)
        found = await Entries(memory, context).delete(key)
        return {"Key": key, "deleted": True} if found else {"_warning": NOT_FOUND}

    def check(self) -> list[Flaw]:
        """No key."""
        return self.settings.problems()
