"""MemoryReadKeyVal: what was remembered under a key."""

from collections.abc import Mapping
from typing import Any

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.memory.entries import NOT_FOUND, Entries, KeySettings
from sre_core.components.node import OutputPort

__all__ = ["MemoryReadKeyVal"]


class MemoryReadKeyVal(Component):
    """Reads what was remembered under a key: by this run, else in this session, else by any run with the scope ttl.

    `Value` is the text. Where there is none, `Value` does not fire, and `_warning` says so.
    """

    name = "MemoryReadKeyVal"
    settings_type = KeySettings
    settings: KeySettings
    outputs = (OutputPort(name="Value", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The value, or a warning."""
        memory, key = await self.settings.place(inputs, context, self.node)
        value = await Entries(memory, context).read(key)
        return {"_warning": NOT_FOUND} if value is None else {"Value": value}

    def check(self) -> list[Flaw]:
        """No key."""
        return self.settings.problems()
