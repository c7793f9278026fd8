"""What sends commands, and the connections to one server. This module imports the driver; only `start` leads here."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import ReadOnlyError

from sre_redis.errors import NotConnectedError

__all__ = ["Client", "ServerClient"]


class Client(ABC):
    """Sends commands, each once."""

    @abstractmethod
    async def execute(self, *command: str | bytes | int) -> Any:
        """The reply to a command, unchanged. Raises what redis-py does, and NotConnectedError."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections; calls that are under way fail, and may open others until they do."""

    async def ping(self) -> None:
        """Ask for an answer."""
        await self.execute("PING")

    async def recover(self, error: Exception) -> None:  # noqa: B027 -- most have nothing to do
        """Get ready for another attempt after `error`."""


class ServerClient(Client):
    """To one server, with as many connections as there were calls at once at most; the last used one is used first.

    The pools of redis-py do the same, and more. With BlockingConnectionPool and its client, the connector reached 0.7
    of the throughput of redis-py alone, with this 1.5 (a value of 100 bytes set and read back, 50 at once, in turns).
    ConnectionPool without the client reached 1.0, but what Sentinels want, to leave a primary that hangs, it does by
    waiting for the end of TLS on connections that others may take meanwhile.
    """

    def __init__(self, make: Callable[[], AbstractConnection]) -> None:
        """`make` returns a new one that is not connected."""
        self._make = make
        self._all: list[AbstractConnection] = []
        self._free: list[AbstractConnection] = []

    async def execute(self, *command: str | bytes | int) -> Any:
        """The reply to a command.

        A connection whose call fails or is cancelled in the middle closes itself, since the next call would take the
        answer for its own; it connects again when it is used next.
        """
        connection = self._free.pop() if self._free else self._new()
        usable = True
        try:
            # What can be read now is the end, or an answer that nobody waits for.
            if connection.is_connected and await connection.can_read():
                await connection.disconnect(nowait=True)
            if not connection.is_connected:
                await self._connect(connection)
            await connection.send_packed_command(connection.pack_command(*command))
            return await connection.read_response()
        except NotConnectedError:
            # A server that takes no more connections still answers on those that it has.
            usable = False
            raise
        except (LostConnectionError, ReadOnlyError) as error:
            # With Sentinel, a server that takes no writes looks like a lost connection.
            if isinstance(error, ReadOnlyError) or isinstance(error.__context__, ReadOnlyError):
                await self.leave()
            raise
        finally:
            self._free.insert(len(self._free) if usable else 0, connection)

    async def leave(self) -> None:
        """Close those that nobody uses: the name of the server leads to another one by now, and they never will."""
        for connection in tuple(self._free):
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close all, also those that are in use, whose calls then fail."""
        open_ones = [connection for connection in self._all if connection.is_connected]
        await asyncio.gather(*(connection.disconnect() for connection in open_ones), return_exceptions=True)

    async def _connect(self, connection: AbstractConnection) -> None:
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except LostConnectionError as error:
            # Its subclasses say more than that.
            if type(error) is LostConnectionError:
                raise NotConnectedError(*error.args) from error
            raise

    def _new(self) -> AbstractConnection:
        connection = self._make()
        self._all.append(connection)
        return connection
