"""HTTP through aiohttp: one pool of connections, streams of events, JSON, forms."""

import asyncio
import io
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from pydantic_core import from_json

from sre_core.connectors.deadline import Alarm, Deadline
from sre_core.errors import ConnectorError, SREError, UnavailableError
from sre_openai.errors import FOREIGN, cause, translated
from sre_openai.events import EventParser
from sre_openai.failures import reply_failure, status_failure
from sre_openai.settings import OpenAISettings

__all__ = ["Client", "EventReply"]

T = TypeVar("T")

_JSON = {"Content-Type": "application/json"}
_KEEP_ALIVE = 30.0
_LARGE = 1 << 20
_LARGEST_ANSWER = 256 << 20
_LARGEST_EXPLANATION = 64 << 10
_DRAIN = 1.0
# What a pool that is closed does to those who wait for it, or for a reply.
_STOPPED = (asyncio.CancelledError, RuntimeError)


class Client:
    """Sends what it is given, and turns what goes wrong into our errors. Belongs to one event loop."""

    def __init__(self, settings: OpenAISettings, *, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
        """`headers` go with every request; `secrets` are kept out of errors."""
        # Each request says itself what it holds.
        self._headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        self._secrets = secrets
        self._timeout = settings.timeout
        # aiohttp would set a timer for each piece of a reply.
        self._silence = Alarm(settings.timeout)
        self._unwatched = aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout)
        self._most = settings.max_connections
        self._under_way = 0
        self._pool = aiohttp.TCPConnector(limit=settings.max_connections, keepalive_timeout=_KEEP_ALIVE)
        # Headers of a session cost less than those of a request.
        self._session, self._bare = (
            aiohttp.ClientSession(
                connector=self._pool,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=shown,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=settings.connect_timeout, sock_read=settings.timeout
                ),
            )
            for shown in ({**self._headers, **_JSON}, {})
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._bare.close()
        await self._pool.close()
        self._silence.rest()

    def reply(self, url: str, body: bytes, *, what: str, model: str) -> "EventReply":
        """Post when entered, and read the events of the reply. `what` is said in errors: what was done, and where.

        Raises UnavailableError when the client is closed.
        """
        self._check_open(what)
        if len(body) > _LARGE or self._under_way >= self._most:
            # The time to wait for a connection, or to send, is not the server's, as aiohttp knows.
            request = self._session.post(url, data=_payload(body), allow_redirects=False)
            return EventReply(self, request, what=what, model=model)
        request = self._session.post(url, data=body, allow_redirects=False, timeout=self._unwatched)
        return EventReply(self, request, what=what, model=model, silence=self._silence)

    def begin(self) -> None:
        """A request is under way, or waits for its turn, until it is at its `end`."""
        self._under_way += 1

    def end(self) -> None:
        """A request is over."""
        self._under_way -= 1

    async def json(
        self,
        method: str,
        url: str,
        *,
        what: str,
        model: str | None = None,
        body: bytes | None = None,
        form: aiohttp.FormData | None = None,
    ) -> Any:
        """Send JSON or a form, and give what the server answers. Raises ConnectorErrors."""
        self._check_open(what)
        # A form says itself what it is.
        session, headers = (self._session, None) if form is None else (self._bare, self._headers)
        data = form if body is None else _payload(body)
        self.begin()
        try:
            async with session.request(method, url, data=data, headers=headers, allow_redirects=False) as response:
                if response.status not in {200, 201}:
                    raise await self.refused(response, what, model)
                answer = await _all_of(response, what)
        except FOREIGN as error:
            raise self.ours(error, what) from cause(error)
        except _STOPPED:
            self.check_stopped(what)
            raise
        finally:
            self.end()
        try:
            return from_json(answer)
        except ValueError as error:
            raise ConnectorError(
                f"{what}: the server did not answer with JSON", hint="check `url`; it often ends in /v1"
            ) from error

    async def download(self, url: str, *, what: str) -> bytes:
        """What lies at a link that the server gave. No credentials are shown there."""
        self._check_open(what)
        self.begin()
        try:
            async with self._bare.get(url) as response:
                if response.status != 200:
                    raise status_failure(response.status, b"", response.headers, what=what)
                if response.content_type.startswith("text/") or response.content_type == "application/json":
                    raise ConnectorError(f"{what}: no image came, but {response.content_type}", hint="try again")
                return await _all_of(response, what)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError):
            raise ConnectorError(f"{what}: the server gave a link that cannot be followed") from None
        except FOREIGN as error:
            place = urlsplit(url).netloc.rpartition("@")[2]
            raise self.ours(error, f"{what}, with a link to {place}") from cause(error)
        except _STOPPED:
            self.check_stopped(what)
            raise
        finally:
            self.end()

    def check_stopped(self, what: str) -> None:
        """Raise UnavailableError if the pool was closed under a call, and nobody cancelled its task."""
        task = asyncio.current_task()
        if self._pool.closed and task is not None and not task.cancelling():
            raise _stopped(what) from None

    def ours(self, error: Exception, what: str) -> SREError:
        """What aiohttp raised, as one of our errors."""
        return translated(error, what, self._timeout)

    def _check_open(self, what: str) -> None:
        if self._pool.closed:
            raise _stopped(what)

    async def refused(self, response: aiohttp.ClientResponse, what: str, model: str | None) -> ConnectorError:
        """The error for a reply whose status says no."""
        body = b""
        # A server that refuses, and breaks off or falls silent, has refused.
        with suppress(aiohttp.ClientError, OSError, RuntimeError):
            async with asyncio.timeout(self._timeout):
                while not response.content.at_eof() and len(body) < _LARGEST_EXPLANATION:
                    body += await response.content.read(_LARGEST_EXPLANATION - len(body))
        return status_failure(response.status, body, response.headers, what=what, model=model, secrets=self._secrets)

    def no_stream(self, first: bytes, what: str, model: str) -> ConnectorError:
        """The error for a reply without any event; it may be an error under a status that says that all is well."""
        try:
            data = from_json(first)
        except ValueError:
            data = None
        if isinstance(data, dict) and data.get("error"):
            return reply_failure(data["error"], what=what, model=model, secrets=self._secrets)
        return ConnectorError(
            f"{what}: the server did not answer with a stream of events", hint="check `url`; it often ends in /v1"
        )


class EventReply:
    """One reply that comes as events, while its block lasts; leaving it early breaks the connection off.

    A class, since an async generator for each call would cost more than what it does.
    """

    __slots__ = ("_client", "_deadline", "_first", "_model", "_parser", "_request", "_response", "_what")

    def __init__(
        self,
        client: Client,
        request: AbstractAsyncContextManager[aiohttp.ClientResponse],
        *,
        what: str,
        model: str,
        silence: Alarm | None = None,
    ) -> None:
        """`silence` rings when nothing came for too long, if the request does not see to that itself."""
        self._client = client
        self._deadline = None if silence is None else Deadline(silence)
        self._request = request
        self._what = what
        self._model = model
        self._parser = EventParser()
        self._first: bytes | None = b""

    async def __aenter__(self) -> Self:
        self._client.begin()
        try:
            self._response = response = await self._in_time(self._request.__aenter__())
            if response.status != 200:
                try:
                    raise await self._client.refused(response, self._what, self._model)
                finally:
                    response.release()
        except BaseException as error:
            self._client.end()
            if isinstance(error, FOREIGN):
                raise self._client.ours(error, self._what) from cause(error)
            if isinstance(error, _STOPPED):
                self._client.check_stopped(self._what)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.end()
        await self._request.__aexit__(kind, error, trace)

    async def next(self) -> list[bytes]:
        """The data of the events that came next; empty at the end. Raises ConnectorErrors."""
        content, what = self._response.content, self._what
        try:
            while piece := await self._in_time(content.readany()):
                if events := self._parser.feed(piece):
                    self._first = None
                    return events
                if self._first is not None and len(self._first) < _LARGEST_EXPLANATION:
                    self._first += piece
        except FOREIGN as error:
            raise self._client.ours(error, what) from cause(error)
        except _STOPPED:
            self._client.check_stopped(what)
            raise
        except ValueError as error:
            raise ConnectorError(f"{what}: the server does not send events: {error}") from error
        if self._first is None:
            return []
        if self._first and self._response.content_type != "text/event-stream":
            raise self._client.no_stream(self._first, what, self._model)
        raise UnavailableError(f"{what}: the server ended its reply before it said anything", hint="try again")

    async def _in_time(self, awaitable: Awaitable[T]) -> T:
        """Await, but no longer than the server may be silent. Raises TimeoutError."""
        deadline = self._deadline
        if deadline is None:
            return await awaitable
        deadline.start()
        try:
            found = await awaitable
        except BaseException as error:
            if deadline.stop(error):
                raise TimeoutError from error
            raise
        deadline.stop(None)
        return found

    @property
    def at_end(self) -> bool:
        """Whether all of the reply was read, so that its connection can be used again."""
        return self._response.content.at_eof()

    async def drain(self) -> None:
        """Read to the end of what is over; a server has a second to end it."""
        with suppress(TimeoutError, aiohttp.ClientError, RuntimeError):
            async with asyncio.timeout(_DRAIN):
                while await self._response.content.readany():
                    pass


def _payload(body: bytes) -> bytes | io.BytesIO:
    # aiohttp warns of large ones, which it would write at one go.
    return io.BytesIO(body) if len(body) > _LARGE else body


async def _all_of(response: aiohttp.ClientResponse, what: str) -> bytes:
    pieces, size = list[bytes](), response.content_length or 0
    if size <= _LARGEST_ANSWER:
        size = 0
        while size <= _LARGEST_ANSWER:
            piece = await response.content.readany()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
    raise ConnectorError(
        f"{what}: the server's answer is larger than {_LARGEST_ANSWER >> 20} MiB", hint="ask for less at once"
    )


def _stopped(what: str) -> UnavailableError:
    return UnavailableError(f"{what}: the connector was stopped", hint="start it again")
