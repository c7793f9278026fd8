"""One call of the API over aiohttp: how long it may wait, and what it must let go of.

The library passes each request a time limit for the whole of it, which fits no stream, and it leaves what an abandoned
stream holds to the garbage collector. So each call watches its own requests, through the tracing of aiohttp.
"""

from collections.abc import Awaitable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import TypeVar

import aiohttp

from sre_core.connectors.deadline import Alarm, Deadline
from sre_core.errors import ConnectorError, DeadlineError, UnavailableError

__all__ = ["Call", "open_session"]

T = TypeVar("T")

_EVENTS = "text/event-stream"

_current: ContextVar["Call | None"] = ContextVar("sre_google_call", default=None)


class Call:
    """A call, which may consist of several requests and waits; close it in the end."""

    def __init__(self, what: str, where: str, *, silence: Alarm, connection: Alarm) -> None:
        """The alarms ring when the server is silent for too long, and when a connection to it takes too long."""
        self.what = what
        self.where = where
        self._silence = silence
        self._connection = connection
        self._deadline = Deadline(silence)
        self._connecting = False
        self._responses: list[aiohttp.ClientResponse] = []

    @property
    def status(self) -> int | None:
        """Status of the last reply; None before there is one."""
        return self._responses[-1].status if self._responses else None

    @property
    def streaming(self) -> bool:
        """Whether the last reply is a good one that comes in events, so that nonsense in it is a piece of an event."""
        return bool(self._responses) and self.status == 200 and self._responses[-1].content_type == _EVENTS

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await, but not longer than the alarms allow.

        Raises DeadlineError, and UnavailableError when the server cannot be connected to.
        """
        token = _current.set(self)
        deadline = self._deadline
        deadline.change(self._silence)
        deadline.start()
        try:
            found = await awaitable
        except BaseException as error:
            if deadline.stop(error):
                raise self._late() from error
            raise
        finally:
            _current.reset(token)
        deadline.stop(None)
        return found

    def _late(self) -> ConnectorError:
        if self._connecting:
            return UnavailableError(
                f"{self.what}: cannot connect to {self.where} within {self._connection.seconds:g} s",
                hint="check the network, or raise the setting connect_timeout",
            )
        return DeadlineError(
            f"{self.what}: {self.where} was silent for {self._silence.seconds:g} s",
            hint="raise the setting timeout, or try again later",
        )

    def close(self) -> None:
        """Let go of the connections: those of replies that were not read to their end are closed."""
        for response in self._responses:
            response.close()

    def connecting(self) -> None:
        """A connection is being made."""
        self._connecting = True
        self._deadline.change(self._connection)

    def connected(self) -> None:
        """There is a connection; the server's own time begins."""
        self._connecting = False
        self._deadline.change(self._silence)

    def answered(self, response: aiohttp.ClientResponse) -> None:
        """The head of a reply came."""
        self._responses.append(response)


def open_session(max_connections: int, *, proxy: str | None = None) -> aiohttp.ClientSession:
    """A session whose requests tell the current Call what happens to them."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_on_connecting)
    trace.on_connection_create_end.append(_on_connected)
    trace.on_connection_reuseconn.append(_on_connected)
    trace.on_request_end.append(_on_answered)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=max_connections), trace_configs=[trace], proxy=proxy
    )


async def _on_connecting(session: aiohttp.ClientSession, context: SimpleNamespace, event: object) -> None:
    call = _current.get()
    if call is not None:
        call.connecting()


async def _on_connected(session: aiohttp.ClientSession, context: SimpleNamespace, event: object) -> None:
    call = _current.get()
    if call is not None:
        call.connected()


async def _on_answered(
    session: aiohttp.ClientSession, context: SimpleNamespace, event: aiohttp.TraceRequestEndParams
) -> None:
    call = _current.get()
    if call is not None:
        call.answered(event.response)
