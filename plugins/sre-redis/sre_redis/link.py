"""One call to Redis: its turn, its deadline, and what is tried again."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from typing import Any, Self

from redis.exceptions import NoScriptError

from sre_redis.clients import Client, open_client
from sre_redis.errors import FAILURES, explain, may_repeat, too_slow
from sre_redis.settings import RedisSettings
from sre_redis.watch import Watch

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
        self._client = client
        self._place = settings.place
        self._watch = Watch(settings.timeout)
        self._waits = [min(settings.retry_wait * 2**number, _LONGEST_WAIT) for number in range(settings.retries)]
        # Whoever finds all connections in use waits here; the pools of redis-py would raise.
        self._turns = asyncio.Semaphore(settings.pool_size)

    @classmethod
    async def open(cls, settings: RedisSettings) -> Self:
        """A link that has connected to nothing yet. Raises ConfigError."""
        return cls(await open_client(settings), settings)

    async def close(self) -> None:
        """Close all connections."""
        self._watch.close()
        await self._client.close()

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
        failure: Exception | None = None
        try:
            with self._watch.call():
                async with self._turns:
                    for wait in self._waits:
                        try:
                            return await execute(*command)
                        except FAILURES as error:
                            if not may_repeat(error, safe=safe):
                                raise
                            failure = error
                        # Not all at the same moment, who lost their connections at the same moment.
                        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
                        await self._client.recover(failure)
                    return await execute(*command)
        except TimeoutError as error:
            if failure is None:
                raise too_slow(self._place, self._watch.seconds, safe=safe) from error
            raise explain(failure, self._place, key=key, safe=safe) from failure
        except FAILURES as error:
            raise explain(error, self._place, key=key, safe=safe) from error
