"""The connections to one server. This module imports the driver; only `start` leads here."""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import ReadOnlyError

__all__ = ["Connections"]


class Connections:
    """As many as there were calls at once at most. Each is used by one call at a time, the last used one first.

    A pool of redis-py does the same and more, and takes as long for it as for the call itself.
    """

    def __init__(self, make: Callable[[], AbstractConnection]) -> None:
        """`make` returns a new one that is not connected."""
        self._make = make
        self._all: list[AbstractConnection] = []
        self._free: list[AbstractConnection] = []
        self._closed = False

    async def execute(self, *command: str | bytes | int) -> Any:
        """The reply to a command, unchanged. Raises what redis-py does.

        A connection whose call fails or is cancelled in the middle closes itself, since the next call would take the
        answer for its own; it connects again when it is used next.
        """
        connection = self._free.pop() if self._free else self._new()
        try:
            # What can be read now is the end, or an answer that nobody waits for.
            if connection.is_connected and await connection.can_read():
                await connection.disconnect(nowait=True)
            if not connection.is_connected:
                await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_packed_command(connection.pack_command(*command))
            return await connection.read_response()
        except (LostConnectionError, ReadOnlyError) as error:
            # With Sentinel, a server that takes no writes looks like a lost connection.
            if isinstance(error, ReadOnlyError) or isinstance(error.__context__, ReadOnlyError):
                await self._leave()
            raise
        finally:
            self._free.append(connection)
            if self._closed:
                # It may have connected while the others were closed.
                await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close all, also those that are in use."""
        self._closed = True
        await asyncio.gather(*(connection.disconnect() for connection in self._all), return_exceptions=True)

    async def _leave(self) -> None:
        """The primary was demoted: its name leads to another server, and open connections never will."""
        for connection in tuple(self._free):
            await connection.disconnect(nowait=True)

    def _new(self) -> AbstractConnection:
        connection = self._make()
        self._all.append(connection)
        return connection
