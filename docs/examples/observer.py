"""A plugin that vetoes and observes, registered from code."""

import asyncio

from sre_core.access import AccessRequest
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_sdk import AccessDecided, AccessDeniedError, Agent, Event, Runtime


class OfficeRules:
    """The hooks of a plugin; an installed one is a module with the same functions."""

    @hookimpl
    def veto_access(self, request: AccessRequest) -> str | None:
        """Nobody writes to the archive."""
        in_archive = "archive" in request.resource.parts
        return "the archive is closed" if in_archive and request.access > 1 else None

    @hookimpl
    def on_event(self, event: Event) -> None:
        """Print what the guard decides."""
        if isinstance(event, AccessDecided):
            print(f"{event.candidate} {event.access} {event.resource}: {event.reason}")


async def main() -> None:
    async with Runtime(plugins=Plugins.load(extra={"office": OfficeRules()})) as runtime:
        agent = Agent("Clerk", runtime=runtime)
        await agent.storage.write("today.txt", "Tuesday")
        try:
            await agent.storage.write("archive/today.txt", "Tuesday")
        except AccessDeniedError as error:
            print(error.message)


asyncio.run(main())
