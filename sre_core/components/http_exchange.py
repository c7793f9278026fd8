"""Requests and replies over aiohttp. This module imports it; only `HTTPClient` leads here, when it is first used."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from sre_core.components.http_client import HTTPCall, HTTPReply
from sre_core.components.http_proxy import Proxy, parse_proxy, socks_connector
from sre_core.components.http_target import (
    basic_auth,
    check_headers,
    check_method,
    encode_text,
    is_same_origin,
    origin_of,
    parse_url,
    redirect_url,
    without_credentials,
)
from sre_core.components.public_address import check_public_host
from sre_core.errors import ComponentError, DeadlineError, UnavailableError

__all__ = ["Exchange", "PublicResolver"]

_MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODY_HEADERS = frozenset({"content-type", "content-encoding", "content-language"})
# Seconds that a connection may wait for its next request. Short, since names are checked when a connection is opened.
_KEEPALIVE = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hop:
    """One request on the way through redirects."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


class PublicResolver(AbstractResolver):
    """Resolves names to addresses that are public, all of them, and refuses the others.

    What it returns is what aiohttp connects to, so that a name that changes its address between check and use gains
    nothing.
    """

    def __init__(self, public: Callable[[str], bool], inner: AbstractResolver | None = None) -> None:
        self._public = public
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises ComponentError if one of them is not public, OSError if there are none."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            if not self._public(result["host"]):
                raise ComponentError(
                    f"a request to {host!r} is refused: the name leads to an address that is not public",
                    hint="only a host that stands in the author's own text may be one of a private network",
                )
        return found

    async def close(self) -> None:
        """Close what resolves."""
        await self._inner.close()


class Exchange:
    """Two pools of connections: one for hosts of the author's, and one that knows public addresses only.

    They are apart, so that no request of the second kind is sent over a connection of the first.
    """

    def __init__(self, public: Callable[[str], bool], resolver: AbstractResolver | None = None) -> None:
        """`public` is as in HTTPClient; `resolver` finds the addresses of names, by default the system does."""
        self._public = public
        self._resolver = PublicResolver(public, resolver)
        self._guarded = _session(aiohttp.TCPConnector(resolver=self._resolver, keepalive_timeout=_KEEPALIVE))
        self._open = _session(aiohttp.TCPConnector(keepalive_timeout=_KEEPALIVE))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._guarded.close()
        await self._open.close()
        await self._resolver.close()

    async def send(self, call: HTTPCall) -> HTTPReply:
        """As `HTTPClient.request` says."""
        url = parse_url(call.url)
        proxy = parse_proxy(call.proxy) if call.proxy else None
        name = f"{origin_of(url)} through {proxy}" if proxy else origin_of(url)
        try:
            async with asyncio.timeout(call.timeout):
                return await self._send(call, url, proxy)
        # No error has a cause that may hold an address with credentials in it.
        except TimeoutError:
            raise DeadlineError(
                f"no complete reply from {name} within {call.timeout:g} s", hint="give it more time, or ask for less"
            ) from None
        except (aiohttp.InvalidURL, UnicodeError):
            # The second is what resolvers raise for a name with an empty or an endless part.
            raise ComponentError(f"the address of {name} is illegal") from None
        except aiohttp.ClientHttpProxyError as error:
            raise UnavailableError(f"no way to {name}: the proxy answered {error.status}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"no reply from {name}: {_reason(error)}") from (None if proxy else error)

    async def _send(self, call: HTTPCall, url: URL, proxy: Proxy | None) -> HTTPReply:
        body, form = await _encoded(call.data)
        hop = _first(call, url, body, form)
        first, trusted = hop.url, call.trusted
        for _ in range(_MAX_REDIRECTS + 1):
            # Once another host has sent us on, trust does not come back.
            trusted = trusted and is_same_origin(first, hop.url)
            async with self._reply(hop, proxy, trusted=trusted) as response:
                location = response.headers.get("Location")
                if not (call.follow_redirects and response.status in _REDIRECTS and location):
                    return await _read(response, call.max_bytes)
                hop = _next(hop, response.status, location)
        raise ComponentError(f"{origin_of(first)} redirects more than {_MAX_REDIRECTS} times")

    @asynccontextmanager
    async def _reply(self, hop: _Hop, proxy: Proxy | None, *, trusted: bool) -> AsyncIterator[aiohttp.ClientResponse]:
        if not trusted:
            check_public_host(hop.url.raw_host or "", self._public)
            if proxy:
                await self._check_name(hop.url)
        if proxy and proxy.is_socks:
            async with _session(await socks_connector(proxy)) as session, _request(session, hop) as response:
                yield response
            return
        session = self._open if trusted or proxy else self._guarded
        async with _request(session, hop, proxy.url if proxy else None) as response:
            yield response

    async def _check_name(self, url: URL) -> None:
        """Check what a name means here. The proxy resolves it again, and may learn another address."""
        host = url.raw_host or ""
        if not self._public(host):
            await self._resolver.resolve(host, url.port or 0)


def _request(session: aiohttp.ClientSession, hop: _Hop, proxy: URL | None = None) -> Any:
    return session.request(
        hop.method,
        hop.url,
        headers=hop.headers,
        data=hop.body,
        proxy=proxy,
        allow_redirects=False,
        skip_auto_headers=("Content-Type",),
    )


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # `send` keeps the time, over all redirects.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        headers={"User-Agent": "sre-runtime"},
        trust_env=False,
    )


def _reason(error: Exception) -> str:
    """Why a request failed, without addresses in it."""
    inner = getattr(error, "os_error", error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name is unknown"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS failed ({type(error).__name__})"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return f"the connection broke off ({type(error).__name__})"


async def _encoded(data: Any) -> tuple[bytes | None, str | None]:
    """The body in bytes, so that a redirect can send it again, and the content type of a form."""
    if data is None or isinstance(data, bytes):
        return data, None
    if isinstance(data, str):
        return encode_text(data), None
    payload = data()
    return await payload.as_bytes(), payload.headers["Content-Type"]


def _first(call: HTTPCall, url: URL, body: bytes | None, form: str | None) -> _Hop:
    headers = check_headers(call.headers)
    names = {name.lower() for name in headers}
    if form is not None:
        headers = _without_body_headers(headers) | {"Content-Type": form}
    elif isinstance(call.data, str) and "content-type" not in names:
        headers["Content-Type"] = "text/plain; charset=utf-8"
    if url.raw_user is not None or url.raw_password is not None:
        if not call.trusted:
            raise ComponentError("a URL from an input may hold no user and no password", hint="send them as a header")
        if "authorization" not in names:
            headers["Authorization"] = basic_auth(url.user or "", url.password or "")
        url = url.with_user(None)
    return _Hop(method=check_method(call.method), url=url, headers=headers, body=body)


def _without_body_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _BODY_HEADERS}


def _next(hop: _Hop, status: int, location: str) -> _Hop:
    """Where a redirect leads, as browsers have it: a POST becomes a GET, unless the status says otherwise."""
    url = redirect_url(hop.url, location)
    headers = hop.headers if is_same_origin(hop.url, url) else without_credentials(hop.headers)
    turned = (status == 303 and hop.method != "HEAD") or (status in {301, 302} and hop.method == "POST")
    if not turned:
        return replace(hop, url=url, headers=headers)
    return _Hop(method="GET", url=url, headers=_without_body_headers(headers), body=None)


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> HTTPReply:
    """The whole reply. The limit holds for what came and for what was unpacked of it, piece by piece."""
    body = bytearray()
    if (response.content_length or 0) > max_bytes and response.method != "HEAD":
        raise _too_large(response, max_bytes)
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > max_bytes:
            raise _too_large(response, max_bytes)
    return HTTPReply(
        status=response.status,
        headers={name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers},
        body=bytes(body),
        url=str(response.url),
    )


def _too_large(response: aiohttp.ClientResponse, max_bytes: int) -> ComponentError:
    return ComponentError(
        f"the reply of {origin_of(response.url)} is larger than {max_bytes} bytes", hint="ask for less, or in pieces"
    )
