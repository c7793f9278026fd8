"""One call to Redis: its turn, its deadline, and what is tried again."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from typing import Any, Self

from redis.exceptions import NoScriptError

from sre_core.connectors.deadline import Alarm, Deadline
from sre_core.errors import ConnectorError
from sre_redis.client import Client
from sre_redis.clients import open_client
from sre_redis.errors import FAILURES, explain, may_repeat, too_slow
from sre_redis.settings import RedisSettings

__all__ = ["Link"]

_LONGEST_WAIT = 1.0
# One step on the server, where time stands still meanwhile: a key that exists when it begins cannot expire before its
# end. The number comes back as text, since a Lua number holds whole numbers up to 2**53 only.
_ADD = """
local made = redis.call('EXISTS', KEYS[1]) == 0
redis.call('INCRBY', KEYS[1], ARGV[1])
if made then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
"""
_ADD_NAME = hashlib.sha1(_ADD.encode(), usedforsecurity=False).hexdigest()


class Link:
    """The way to the server. Connections are opened when they are needed, and again after they were lost."""

    def __init__(self, client: Client, settings: RedisSettings) -> None:
        """Of the running event loop."""
        self._client = client
        self._place = settings.place
        self._alarm = Alarm(settings.timeout)
        self._waits = [min(settings.retry_wait * 2**number, _LONGEST_WAIT) for number in range(settings.retries)]
        # Whoever finds all connections in use waits here; the pools of redis-py would raise.
        self._turns = asyncio.Semaphore(settings.pool_size)
        self._pool_size = settings.pool_size
        self._closed = False

    @classmethod
    async def open(cls, settings: RedisSettings) -> Self:
        """A link that has connected to nothing yet. Raises ConfigError."""
        return cls(await open_client(settings), settings)

    async def close(self) -> None:
        """End all calls, and close all connections."""
        self._closed = True
        try:
            await self._client.close()
            # A call that was connecting ends a little later; who has all turns knows that none is left.
            for _ in range(self._pool_size):
                await self._turns.acquire()
        finally:
            await self._client.close()
            self._alarm.rest()

    async def ping(self) -> None:
        """Return when the server, or each primary of the Cluster, answers."""
        await self._do(self._client.ping)

    async def call(self, *command: str | bytes | int, key: str, safe: bool = True) -> Any:
        """The reply to a command about `key`. One that must not be done twice is not `safe`.

        Raises ConnectorError: UnavailableError, DeadlineError, UnauthenticatedError, ConflictError; ConfigError.
        """
        return await self._do(self._client.execute, *command, key=key, safe=safe)

    async def add(self, name: str, by: int, milliseconds: int, *, key: str) -> int:
        """Add to the number under `name`; a key that this makes gets that time to live. Raises as `call` does."""
        return int(await self._do(self._add, name, by, milliseconds, key=key, safe=False))

    async def _add(self, name: str, by: int, milliseconds: int) -> Any:
        try:
            return await self._client.execute("EVALSHA", _ADD_NAME, 1, name, by, milliseconds)
        except NoScriptError:
            # The server is new, or was restarted: this keeps the script there.
            return await self._client.execute("EVAL", _ADD, 1, name, by, milliseconds)

    async def _do(
        self, execute: Callable[..., Awaitable[Any]], *command: str | bytes | int, key: str = "", safe: bool = True
    ) -> Any:
        failure: Exception | None = None  # of the last attempt, while none is under way
        asked = False
        deadline = Deadline(self._alarm)
        deadline.start()
        try:
            async with self._turns:
                for wait in (*self._waits, None):
                    if self._closed:
                        raise self._ended()
                    asked, failure = True, None
                    try:
                        return await execute(*command)
                    except FAILURES as error:
                        if wait is None or self._closed or not may_repeat(error, safe=safe):
                            raise
                        failure = error
                    # Not all at the same moment, who lost their connections at the same moment.
                    await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
                    await self._client.recover(failure)
        except asyncio.CancelledError as error:
            if not deadline.stop(error):
                raise
            if failure is not None:
                raise explain(failure, self._place, key=key, safe=safe) from failure
            raise too_slow(self._place, self._alarm.seconds, safe=safe or not asked) from error
        except FAILURES as error:
            raise self._ended() if self._closed else explain(error, self._place, key=key, safe=safe) from error
        finally:
            deadline.stop(None)

    def _ended(self) -> ConnectorError:
        return ConnectorError(
            f"the way to {self._place} was closed while it was used", hint="stop the connector after its last call"
        )
