"""Reporter: sends the events of one run on, with the run's ids."""

from dataclasses import replace

from sre_core.events import Emit, Event

__all__ = ["Reporter"]


class Reporter:
    """An `Emit` that puts the run's ids on events that have none, such as the guard's and a skill's own."""

    __slots__ = ("_emit", "agent_id", "run_id")

    def __init__(self, emit: Emit, *, run_id: str, agent_id: str) -> None:
        self._emit = emit
        self.run_id = run_id
        self.agent_id = agent_id

    async def __call__(self, event: Event) -> None:
        """Send an event on."""
        if not event.run_id:
            event = replace(event, run_id=self.run_id, agent_id=event.agent_id or self.agent_id)
        await self._emit(event)
