"""Requests to Google Cloud Storage over HTTP: signed, tried again when that may help, and failing as our errors."""

import asyncio
import io
import itertools
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode
from weakref import WeakSet

import aiohttp
from multidict import MultiMapping
from yarl import URL

from sre_core import logs
from sre_core.connectors.trust import trusting
from sre_core.errors import DeadlineError, RateLimitedError, UnavailableError
from sre_gcp.credentials import Tokens
from sre_gcp.errors import STORAGE_ROLE, refusal, translated
from sre_gcp.settings import GcsSettings

__all__ = ["Api", "Reply", "Request"]

log = logs.get_logger(__name__)

_FIRST_PAUSE = 0.2  # seconds; it doubles with each try, and chance spreads the callers
_LONGEST_PAUSE = 20.0
_SMALL = 1 << 16  # bytes that go out in one packet with the headers, and never wait to be taken
_SLOWEST = 50_000  # bytes a second; an upload that is slower than this is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` begins with a slash and is quoted; `what` tells users what it is for, as "reading 'a'"."""

    what: str
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    accepted: frozenset[int] = frozenset()
    """Statuses of 300 and above that are no failure."""
    repeatable: bool = True
    """Whether it may take effect twice; else it is sent again only when the service refused to look at it."""
    origin: str = ""
    """Scheme and host, if it is not for the storage: then it is counted for the project of the credentials."""
    role: str = STORAGE_ROLE
    """What to do when the credentials are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The whole reply to a request."""

    status: int
    headers: MultiMapping[str]
    body: bytes


class Api:
    """A pool of connections to the service. Made in a running loop; `stop` closes it."""

    def __init__(self, settings: GcsSettings, tokens: Tokens) -> None:
        self.bucket = quote(settings.bucket, safe="")
        self.where = f"bucket {settings.bucket!r} at {settings.endpoint}"
        self._settings = settings
        self._tokens = tokens
        self._headers = {"x-goog-user-project": settings.project} if settings.project else {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.pool_size, ssl=trusting(settings.ca_file)),
            cookie_jar=aiohttp.DummyCookieJar(),
            # An object that is kept compressed is read as it is kept.
            auto_decompress=False,
        )
        self._replies = WeakSet[aiohttp.ClientResponse]()

    async def stop(self) -> None:
        """Close all connections. Calls that are under way fail."""
        try:
            await self._tokens.stop()
        finally:
            # Closing the session alone would let those who read one wait for ever.
            for reply in tuple(self._replies):
                reply.close()
            await self._session.close()

    async def ask(self, request: Request) -> Reply:
        """Send a request, and read all of the reply."""
        for attempt in itertools.count():
            try:
                async with self.open(request) as response:
                    return Reply(status=response.status, headers=response.headers, body=await response.read())
            except (UnavailableError, RateLimitedError, DeadlineError) as error:
                await self.pause(request, error, attempt)
        raise AssertionError  # the loop has no end

    async def pause(self, request: Request, error: Exception, attempt: int) -> None:
        """Wait before a failed request is sent once more; raise `error` when it should not be.

        `attempt` counts from 0.
        """
        if attempt >= self._settings.retries or not (request.repeatable or isinstance(error, RateLimitedError)):
            raise error
        wait = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311 -- no secret
        advice = getattr(error, "retry_after", None)
        if advice is not None and advice > _LONGEST_PAUSE:
            raise error
        log.debug("request_failed", what=request.what, attempt=attempt + 1, code=getattr(error, "code", None))
        await asyncio.sleep(max(wait, advice or 0.0))

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request once, and keep the reply open to read it in pieces.

        Raises the error that its status stands for, and a broken connection as UnavailableError.
        """
        signed = await self._tokens.headers()
        response = await self._send(request, signed)
        try:
            if response.status == 401 and await self._tokens.replace(signed):
                response.close()
                response = await self._send(request, await self._tokens.headers())
            with translated(request.what, request.origin or self.where):
                if response.status >= 300 and response.status not in request.accepted:
                    raise refusal(response, await response.read(), request.what, role=request.role)
                yield response
        finally:
            # Takes the connection back into the pool if all was read, and breaks it off if not.
            response.release()

    async def _send(self, request: Request, signed: Mapping[str, str]) -> aiohttp.ClientResponse:
        query = f"?{urlencode(request.params, quote_via=quote)}" if request.params else ""
        counted = {} if request.origin else self._headers
        with translated(request.what, request.origin or self.where):
            reply = await self._session.request(
                request.method,
                URL(f"{request.origin or self._settings.endpoint}{request.path}{query}", encoded=True),
                headers={"Accept-Encoding": "identity", **request.headers, **signed, **counted},
                data=_payload(request.body),
                allow_redirects=False,
                timeout=self._timeout(request),
            )
        self._replies.add(reply)
        return reply

    def _timeout(self, request: Request) -> aiohttp.ClientTimeout:
        settings, size = self._settings, len(request.body or b"")
        # Silence while a body is sent is not seen by `sock_read`.
        whole = settings.timeout + size / _SLOWEST if size > _SMALL else None
        return aiohttp.ClientTimeout(total=whole, sock_connect=settings.connect_timeout, sock_read=settings.timeout)


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    # aiohttp sends bytes in one go, which for many of them keeps everybody else waiting.
    return body if body is None or len(body) <= _SMALL else io.BytesIO(body)
