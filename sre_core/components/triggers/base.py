"""Triggers: where a workflow begins because something happened outside, without a request by a user."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from sre_core.components.base import ComponentSettings
from sre_core.components.context import ComponentContext, Request
from sre_core.components.loop import Loop
from sre_core.components.node import OutputPort

__all__ = ["HTTPAnswer", "Trigger", "TriggerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPAnswer:
    """What a trigger answers a request with, where no workflow is to run for it."""

    status: int = 200
    body: str = ""
    media_type: str = "text/plain"


class TriggerSettings(ComponentSettings):
    """What all triggers are told."""

    trigger_endpoint: str = Field("", description="The name that events come in under, as NAME in /trigger/NAME.")


class Trigger(Loop):
    """Starts a workflow for what happened, once for each payload.

    With one payload the workflow runs as usual, with none nothing fires, and with several what follows `Payload` runs
    for each of them in turn, and `Result` gets the list of results.
    """

    settings_type = TriggerSettings
    outputs = (
        OutputPort(name="Payload", default=True, description="What happened."),
        OutputPort(name="Result", default=True, description="The results for several payloads, in order."),
    )
    item_ports: ClassVar[frozenset[str]] = frozenset({"Payload"})

    @abstractmethod
    async def payloads(self, inputs: Mapping[str, Any], context: ComponentContext) -> list[Any]:
        """What happened, each as data for one run. Raises as `run` does, also for a request that is not authentic."""

    async def handle(self, request: Request, context: ComponentContext) -> HTTPAnswer | None:
        """The answer to a request that is no event, or None for one that is; whoever serves HTTP asks this first."""
        return None

    async def items(self, inputs: Mapping[str, Any], context: ComponentContext) -> Sequence[Any]:
        """The payloads."""
        return await self.payloads(inputs, context)

    def item_outputs(self, item: Any) -> Mapping[str, Any]:
        """One payload."""
        return {"Payload": item}

    def collect(self, results: Sequence[Any]) -> Mapping[str, Any]:
        """The results of all payloads."""
        return {"Result": list(results)}

    def without_loop(self, items: Sequence[Any]) -> Mapping[str, Any] | None:
        """The outputs for one payload, or for none."""
        if len(items) > 1:
            return None
        return {"Payload": items[0]} if items else {}
