"""Reporter: sends the events of one run on, with the run's ids."""

from dataclasses import replace

from sre_core.events import Emit, Event, discard

__all__ = ["Reporter"]


class Reporter:
    """An `Emit` that puts the run's ids on events that have none, such as the guard's and a skill's own."""

    __slots__ = ("_emit", "agent_id", "is_heard", "run_id")

    def __init__(self, emit: Emit, *, run_id: str, agent_id: str) -> None:
        self._emit = emit
        # Pieces of text come by the hundred, and need not become events that nobody hears.
        self.is_heard = emit is not discard
        self.run_id = run_id
        self.agent_id = agent_id

    async def __call__(self, event: Event) -> None:
        """Send an event on."""
        if not self.is_heard:
            return
        if not event.run_id:
            event = replace(event, run_id=self.run_id, agent_id=event.agent_id or self.agent_id)
        await self._emit(event)
