"""MemoryWriteObject: remember all members of an object, each under its own key."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from sre_core.components.base import Component
from sre_core.components.context import ComponentContext
from sre_core.components.memory.entries import Entries, ScopedMemorySettings
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import as_text, expand
from sre_core.errors import ComponentError

__all__ = ["MemoryWriteObject"]


class MemoryWriteObject(Component):
    """Remembers the members of an object, or of its JSON text, for the runs that its scope names.

    `Keys` are their keys and `Count` is their number. Values that are no text are kept as their JSON text; SmythOS
    keeps `[object Object]`. Members are written one after the other, so that a failure leaves those before it.
    """

    name = "MemoryWriteObject"
    settings_type = ScopedMemorySettings
    settings: ScopedMemorySettings
    inputs = (InputPort(name="Data"),)
    outputs = (OutputPort(name="Keys", default=True), OutputPort(name="Count", default=True))

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The keys, and how many."""
        members = _members(inputs.get("Data"))
        entries = Entries(await expand(self.settings.memory_name, inputs, context, node=self.node), context)
        for key, value in members.items():
            await entries.write(key, value, scope=self.settings.scope, seconds=self.settings.seconds)
        return {"Keys": list(members), "Count": len(members)}


def _members(data: Any) -> dict[str, str]:
    """All members as text."""
    if isinstance(data, str):
        try:
            data = from_json(data)
        except ValueError as error:
            raise ComponentError(f"Data is no JSON: {error}", hint="wire an object to it, or its JSON text") from error
    if not isinstance(data, Mapping):
        raise ComponentError(
            f"Data must be an object, not a value of type {type(data).__name__!r}", hint="wire an object to it"
        )
    return {str(key): as_text(value) for key, value in data.items()}
