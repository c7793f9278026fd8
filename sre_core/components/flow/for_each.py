"""ForEach: the same nodes for each item of a list."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from sre_core.components.base import ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.kinds import kind_of
from sre_core.components.loop import Loop
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import InputPort, OutputPort
from sre_core.errors import ComponentError

__all__ = ["ForEach", "ForEachSettings"]


class ForEachSettings(ComponentSettings):
    """How the results come out, and how many items run at once."""

    format: Literal["full", "minimal", "results-array"] = Field(
        "full",
        description="What Result lists: results with id and name, only their outputs, or only the values in these.",
    )
    parallel: int = Field(1, ge=1, le=1000, description="How many items may be worked on at once.")


class ForEach(Loop):
    """Runs what follows `Loop` once for each item of `Input`, then gives all results, in order, to `Result`.

    `Input` is a list, an object (its values are the items), or text: JSON of either, else items between commas. A
    number, true or false is one item. A failed item gives its error in place of a result, and the others go on; in a
    `results-array` what it still gave counts, as a reply that was cut short. That format also takes lists in results
    apart, so that loops in each other give one list of values.

    Unlike SmythOS there is no limit to the number of items; it takes an object for one item, as
    `Compat(whole_objects=True)` does, and so it takes null; empty text there is one item, and blanks around commas
    count; errors are no part of the formats `minimal` and `results-array`.
    """

    name = "ForEach"
    settings_type = ForEachSettings
    settings: ForEachSettings
    inputs = (InputPort(name="Input"),)
    outputs = (OutputPort(name="Loop", default=True), OutputPort(name="Result", default=True))
    item_ports: ClassVar[frozenset[str]] = frozenset({"Loop"})

    @property
    def parallel(self) -> int:
        """How many items at once."""
        return self.settings.parallel

    async def items(self, inputs: Mapping[str, Any], context: ComponentContext) -> Sequence[Any]:
        """The items of `Input`. Raises ComponentError when there are none to see in it."""
        value = inputs.get("Input")
        if isinstance(value, str):
            value = _read(value.strip())
        if isinstance(value, Mapping):
            return [value] if context.compat.whole_objects else list(value.values())
        if isinstance(value, int | float):
            return [value]
        if isinstance(value, list | tuple):
            return value
        raise ComponentError(
            f"ForEach cannot go through {kind_of(value)}",
            hint="its Input is a list, an object, or text with items between commas",
        )

    def item_outputs(self, item: Any) -> Mapping[str, Any]:
        """The item."""
        return {"Loop": item}

    def keep(self, result: Any) -> Any:
        """The result as it is listed in the end, so that a long loop holds no more than that."""
        if self.settings.format == "full":
            return result
        bare = _bare(result)
        return bare if self.settings.format == "minimal" else _flat(_values(bare))

    def collect(self, results: Sequence[Any]) -> Mapping[str, Any]:
        """The results in the format that is set."""
        if self.settings.format == "results-array":
            return {"Result": [value for values in results for value in values]}
        return {"Result": list(results)}


def _read(text: str) -> Any:
    """What a text without blanks around it means. Only a list is mended: a text in braces may be none of JSON."""
    if text.startswith("["):
        return parse_loose_json(text)
    if text.startswith("{"):
        try:
            return parse_loose_json(text, repair=False)
        except ComponentError:
            pass
    return [item.strip() for item in text.split(",")] if text else []


def _bare(result: Any) -> Any:
    """The outputs of a result in its envelope; what came without one stays."""
    if isinstance(result, Mapping) and result.keys() == {"id", "name", "result"}:
        return result["result"]
    return result


def _flat(values: Sequence[Any]) -> list[Any]:
    """The values, with those in lists in the place of the lists, however deep."""
    found: list[Any] = []
    # What is still to look at, the next one last: the depth of a value must not be that of calls here.
    pending = [*reversed(values)]
    while pending:
        value = pending.pop()
        if isinstance(value, list | tuple):
            pending += reversed(value)
        else:
            found.append(value)
    return found


def _values(result: Any) -> list[Any]:
    if not isinstance(result, Mapping):
        return [result]
    values = [value for key, value in result.items() if not key.startswith("_")]
    # Of a node that failed and still gave something, as a reply that was cut short, that is the result.
    return values if values or "_error" not in result else [{"_error": result["_error"]}]
