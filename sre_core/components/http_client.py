"""The one way out: an HTTP client for components, which goes where the author sent it and nowhere else."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from sre_core.components.public_address import is_public
from sre_core.connectors.base import import_drivers
from sre_core.errors import UnavailableError

if TYPE_CHECKING:
    from sre_core.components.http_exchange import Exchange

__all__ = ["HTTPCall", "HTTPClient", "HTTPReply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPCall:
    """What one request asks for, with all limits filled in. Its repr shows no secret: neither headers nor body."""

    method: str
    url: str = field(repr=False)
    trusted: bool
    headers: Mapping[str, str] = field(repr=False)
    data: Any = field(repr=False)
    proxy: str | None = field(repr=False)
    follow_redirects: bool
    timeout: float
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPReply:
    """What came back. `url` is the last one of the redirects; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""


class HTTPClient:
    """Sends requests over one pool of connections, opened when it is first used.

    It refuses addresses that are not public (loopback, link-local, private networks, cloud metadata), after the name
    was resolved and again at each redirect, unless the request is `trusted`: its host stands in the author's own text.
    It keeps no cookies, reads no proxy from the environment, and never tries again.
    """

    def __init__(
        self, *, timeout: float = 120.0, max_bytes: int = 64 * 2**20, public: Callable[[str], bool] = is_public
    ) -> None:
        """Limits of one request: `timeout` in seconds from start to end, `max_bytes` of a reply's body.

        `public` says which IP addresses a request may go to that is not trusted.
        """
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._public = public
        self._exchange: Exchange | None = None
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._closed = False

    def lock(self, key: str) -> asyncio.Lock:
        """The lock of that key, for what only one caller should ask for at a time, such as a new token."""
        return self._locks.setdefault(key, asyncio.Lock())

    async def request(
        self,
        method: str,
        url: str,
        *,
        trusted: bool = False,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        proxy: str | None = None,
        follow_redirects: bool = True,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HTTPReply:
        """Send, and read the whole reply, whatever its status.

        `data` is bytes, text, or a form of aiohttp. A redirect of a trusted request to another host that is not public
        is refused, and takes no header along that may hold a key: none but those for the content and the user agent.
        `proxy` is an address of http, https, socks4, socks4a or socks5; it resolves the name itself, after it was
        checked here. Raises ComponentError for an illegal URL, a refused address or a reply that is too large,
        UnavailableError, DeadlineError.
        """
        call = HTTPCall(
            method=method,
            url=url,
            trusted=trusted,
            headers=headers or {},
            data=data,
            proxy=proxy or None,
            follow_redirects=follow_redirects,
            timeout=self._timeout if timeout is None else timeout,
            max_bytes=self._max_bytes if max_bytes is None else max_bytes,
        )
        return await (await self._opened()).send(call)

    async def aclose(self) -> None:
        """Close the connections. Safe to call twice."""
        self._closed = True
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.aclose()

    async def _opened(self) -> "Exchange":
        if self._exchange is None:
            await import_drivers("sre_core.components.http_exchange")
        if self._closed:
            raise UnavailableError("the HTTP client is closed", hint="send requests before the runtime stops")
        if self._exchange is None:
            # Not at the top: it imports aiohttp, which most runs do without.
            from sre_core.components.http_exchange import Exchange

            self._exchange = Exchange(self._public)
        return self._exchange
