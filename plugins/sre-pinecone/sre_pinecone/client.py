"""Requests to Pinecone's REST API: a deadline and some attempts for each, and errors of ours.

Not through the `pinecone` package: its client of an index tells no log sequence number of a deletion, by which one
knows when it shows, has no setting for its attempts, reads no date in Retry-After, and takes `{}` for an answer. The
tests run that package against the same server as this connector.
"""

import asyncio
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp

from sre_core.errors import DeadlineError, RateLimitedError, UnavailableError
from sre_pinecone.errors import FAILURES, no_answer, of_failure, of_status
from sre_pinecone.settings import PineconeSettings

__all__ = ["API_VERSION", "Answer", "Client", "Read"]

API_VERSION = "2026-07"

_LARGE = 1 << 20
_LONGEST_WAIT = 30.0
_SUCCESS = 200

# Each with its older name.
_LSN = ("x-pinecone-request-lsn", "x-pinecone-lsn-committed")
_INDEXED = ("x-pinecone-max-indexed-lsn", "x-pinecone-lsn-reconciled")


T = TypeVar("T")
Read = Callable[[dict[str, Any]], T]
"""Makes of an answer what it says; what it raises of Python's means that the answer is none of Pinecone's."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was answered. `lsn` is that of a change, `indexed` that up to which changes show; None when not told."""

    data: T
    lsn: int | None
    indexed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    url: str
    what: str
    place: str
    body: bytes | None = None
    params: Sequence[tuple[str, str]] = ()


class Client:
    """Belongs to the running event loop. Safe to close twice."""

    def __init__(self, settings: PineconeSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.pool_size),
            # The deadline is that of all attempts.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout),
            headers={
                "Api-Key": settings.key.get_secret_value(),
                "X-Pinecone-Api-Version": API_VERSION,
                "User-Agent": "sre-pinecone",
            },
        )

    async def close(self) -> None:
        """Break off what is under way."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, url: str, read: Read[T], *, what: str, params: Sequence[tuple[str, str]] = ()) -> Answer[T]:
        """Ask for something. `read` makes of the answer what is returned; what it cannot read is no answer."""
        return await self._call(_request("GET", url, what, params=params), read)

    async def post(self, url: str, body: bytes, read: Read[T], *, what: str, again: bool = True) -> Answer[T]:
        """Send JSON; without `again` only once, as what is made twice exists."""
        return await self._call(_request("POST", url, what, body=body), read, again=again)

    async def delete(self, url: str, *, what: str) -> Answer[None]:
        """Remove something, for which Pinecone answers with an object that says nothing."""
        return await self._call(_request("DELETE", url, what), lambda _: None)

    async def _call(self, request: _Request, read: Read[T], *, again: bool = True) -> Answer[T]:
        settings, wait = self._settings, self._settings.retry_wait
        loop = asyncio.get_running_loop()
        deadline = loop.time() + settings.timeout
        try:
            async with asyncio.timeout_at(deadline):
                for attempts_left in range(settings.retries if again else 0, -1, -1):
                    try:
                        return await self._once(request, read)
                    except (UnavailableError, RateLimitedError) as error:
                        pause = wait if error.retry_after is None else error.retry_after
                        if not attempts_left or self._session is None or loop.time() + pause > deadline:
                            raise
                    await asyncio.sleep(pause)
                    wait = min(2 * wait, _LONGEST_WAIT)
        except TimeoutError as error:
            raise DeadlineError(
                f"{request.what} did not finish within {settings.timeout:g} s",
                hint="raise timeout, or try again later",
            ) from error
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, request: _Request, read: Read[T]) -> Answer[T]:
        if self._session is None:
            raise UnavailableError("the connection to Pinecone is closed", hint="use it through a Runtime")
        failure = None
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=_sent(request.body),
                params=list(request.params),
                headers={} if request.body is None else {"Content-Type": "application/json"},
                allow_redirects=False,
            ) as reply:
                raw = await reply.read()
                status, headers = reply.status, reply.headers
        except FAILURES as error:
            failure = of_failure(error, f"Pinecone at {request.place}")
            # One that holds our request, with its key, cannot stand behind our error, whose causes are shown.
            if not isinstance(error, aiohttp.ClientResponseError):
                raise failure from error
        if failure is not None:
            raise failure
        if not _SUCCESS <= status < _SUCCESS + 100:
            raise of_status(status, headers, raw, request.what, self._settings.key.get_secret_value())
        try:
            data = read(_object(raw))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise no_answer(request.what) from error
        return Answer(data, _lsn(headers, *_LSN), _lsn(headers, *_INDEXED))


def _request(
    method: str, url: str, what: str, *, body: bytes | None = None, params: Sequence[tuple[str, str]] = ()
) -> _Request:
    place = url.partition("://")[2].partition("/")[0]
    return _Request(method=method, url=url, what=f"Pinecone's {what} at {place}", place=place, body=body, params=params)


def _sent(body: bytes | None) -> bytes | io.BytesIO | None:
    """A large body as a stream, which does not hold up the event loop."""
    return io.BytesIO(body) if body is not None and len(body) > _LARGE else body


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises ValueError, TypeError."""
    data = json.loads(raw)
    if not isinstance(data, dict):
        raise TypeError(f"an object was expected, not {type(data).__name__}")
    return data


def _lsn(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        value = headers.get(name, "")
        if value.isascii() and value.isdigit():
            return int(value)
    return None
