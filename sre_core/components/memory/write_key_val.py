"""MemoryWriteKeyVal: remember a value under a key."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.memory.entries import Entries, KeySettings, ScopedMemorySettings
from sre_core.components.node import OutputPort
from sre_core.components.template import expand

__all__ = ["MemoryWriteKeyVal", "MemoryWriteKeyValSettings"]


class MemoryWriteKeyValSettings(ScopedMemorySettings, KeySettings):
    """What is remembered, and for whom."""

    value: str = Field(default="", max_length=100_000, description="the value; may hold placeholders, as in {{Input}}")


class MemoryWriteKeyVal(Component):
    """Remembers a text under a key, for the runs that its scope names.

    `Key` is the key that it was written under. Values that are no text are kept as their JSON text, as in SmythOS.
    Unlike there, a session never sees, hides or replaces what another session wrote.
    """

    name = "MemoryWriteKeyVal"
    settings_type = MemoryWriteKeyValSettings
    settings: MemoryWriteKeyValSettings
    outputs = (OutputPort(name="Key", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The key."""
        memory, key = await self.settings.place(inputs, context, self.node)
        value = await expand(self.settings.value, inputs, context, node=self.node)
        await Entries(memory, context).write(key, value, scope=self.settings.scope, seconds=self.settings.seconds)
        return {"Key": key}

    def check(self) -> list[Flaw]:
        """No key."""
        return self.settings.problems()
