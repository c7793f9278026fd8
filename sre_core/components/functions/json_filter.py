"""JSONFilter: less of a value."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort
from sre_core.errors import ComponentError

__all__ = ["JSONFilter", "JSONFilterSettings", "keep_fields"]


class JSONFilterSettings(ComponentSettings):
    """What is kept."""

    fields: str = Field(default="", max_length=30_000, description="the names of the keys to keep, between commas")

    @property
    def names(self) -> frozenset[str]:
        """The names, without the blanks around them."""
        return frozenset(name for part in self.fields.split(",") if (name := part.strip()))


class JSONFilter(Component):
    """Keeps the keys that are named, at every level, and drops all others.

    `Output` is what remains. To keep `city` inside `address`, name both. Lists keep all their items, filtered; texts
    and numbers stay as they are.
    """

    name = "JSONFilter"
    settings_type = JSONFilterSettings
    settings: JSONFilterSettings
    inputs = (InputPort(name="Input"),)
    outputs = (OutputPort(name="Output", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """`Input` with the named keys."""
        names = self.settings.names
        if not names:
            raise ComponentError("no fields to keep", hint="name them in the setting 'fields', between commas")
        return {"Output": keep_fields(inputs.get("Input"), names)}

    def check(self) -> list[Flaw]:
        """No fields."""
        return [] if self.settings.names else [Flaw("it names no fields to keep", "fields")]


def keep_fields(value: Any, names: frozenset[str]) -> Any:
    """A copy of `value` whose mappings have the keys in `names` only; values may be nested without limit."""
    result, members = _emptied(value, names)
    # A list of what is still to copy, since the depth of a value from outside must not be that of calls here.
    pending = [(result, members)]
    while pending:
        target, members = pending.pop()
        for key, item in members:
            copy, inner = _emptied(item, names)
            if isinstance(target, list):
                target.append(copy)
            else:
                target[key] = copy
            if inner:
                pending.append((copy, inner))
    return result


def _emptied(value: Any, names: frozenset[str]) -> tuple[Any, list[tuple[Any, Any]]]:
    """An empty mapping or list for one, and the members that it is to have; anything else as it is."""
    if isinstance(value, Mapping):
        return {}, [(key, item) for key, item in value.items() if key in names]
    if isinstance(value, list | tuple):
        return [], list(enumerate(value))
    return value, []
