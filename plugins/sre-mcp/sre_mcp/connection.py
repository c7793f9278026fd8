"""Connections to MCP servers. This module imports `mcp`; only the component leads here, when it is first run."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx2
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import REQUEST_TIMEOUT

from sre_core.errors import ComponentError, DeadlineError, SREError, UnauthenticatedError, UnavailableError

__all__ = ["connect", "first_error"]

_OLDER = frozenset({400, 404, 405})
"""What a server that only knows the older transport answers to the newer one, as the specification of MCP has it."""

_FAILURES = (MCPError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, ExceptionGroup)
_LONGEST = 300
_MOST_BYTES = 64 * 2**20
"""Of one reply: the client holds all of it, and a server may send on for ever."""


class _Bounded(httpx2.AsyncByteStream):
    """The bytes of a reply, up to a limit."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = _MOST_BYTES
        async for piece in self._inner:
            left -= len(piece)
            if left < 0:
                # The one kind of error that the client turns into an answer to what was asked.
                raise httpx2.StreamError(f"the reply is larger than {_MOST_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Transport(httpx2.AsyncHTTPTransport):
    """Reads replies up to a limit. It takes none that is packed: a few of its bytes could be any number."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        if "content-encoding" in response.headers:
            await response.aclose()
            raise httpx2.RemoteProtocolError("the reply is packed, which nobody asked for")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream)
        return response


class _Requests:
    """Makes HTTP clients, and keeps what their requests came to: the errors of `mcp` do not always tell."""

    def __init__(self, headers: Mapping[str, str], timeout: float) -> None:
        self._headers = headers
        self._timeout = timeout
        self.statuses: list[int] = []

    def client(self, *_: Any, **__: Any) -> httpx2.AsyncClient:
        """A client for the author's server alone: it follows no redirect elsewhere, and knows no environment."""
        return httpx2.AsyncClient(
            headers=dict(self._headers),
            timeout=self._timeout,
            transport=_Transport(trust_env=False),
            trust_env=False,
            event_hooks={"response": [self._note]},
        )

    async def _note(self, response: httpx2.Response) -> None:
        self.statuses.append(response.status_code)


async def connect(stack: AsyncExitStack, url: str, headers: Mapping[str, str], *, timeout: float) -> Client:
    """A client of the server at `url`, over Streamable HTTP, else over SSE. It is closed with `stack`.

    `timeout` is for each request, in seconds. Raises ComponentError, UnauthenticatedError, UnavailableError and
    DeadlineError if there is no connection.
    """
    requests = _Requests(headers, timeout)
    try:
        return await _over_http(stack, url, requests, timeout)
    except _FAILURES as error:
        failure = _explained(error, url, requests)
        if not requests.statuses or not _OLDER.issuperset(requests.statuses):
            raise failure from error
    try:
        return await _over_sse(stack, url, _Requests(headers, timeout), timeout)
    except _FAILURES:
        # The first failure tells more: what knows neither transport is no MCP server.
        raise failure from None


def first_error(error: BaseException) -> BaseException:
    """The first error of a group, and of groups in it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _over_http(stack: AsyncExitStack, url: str, requests: _Requests, timeout: float) -> Client:
    async with AsyncExitStack() as attempt:
        http = await attempt.enter_async_context(requests.client())
        transport = streamable_http_client(url, http_client=http)
        client = await attempt.enter_async_context(Client(transport, read_timeout_seconds=timeout))
        stack.push_async_exit(attempt.pop_all())
        return client


async def _over_sse(stack: AsyncExitStack, url: str, requests: _Requests, timeout: float) -> Client:
    transport = sse_client(url, timeout=timeout, httpx_client_factory=requests.client)
    return await stack.enter_async_context(Client(transport, read_timeout_seconds=timeout))


def _explained(error: BaseException, url: str, requests: _Requests) -> SREError:
    """What went wrong, in words that hold no header, no path and no query: each may hold a key."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    inner = first_error(error)
    status = requests.statuses[-1] if requests.statuses else 0
    if status in {401, 403}:
        return UnauthenticatedError(f"the MCP server at {place} answers {status}", hint="check headers and its secrets")
    timed_out = isinstance(inner, MCPError) and inner.code == REQUEST_TIMEOUT
    if timed_out or isinstance(inner, httpx2.TimeoutException | TimeoutError):
        return DeadlineError(f"the MCP server at {place} does not answer in time", hint="raise timeout")
    if status >= 500 or isinstance(inner, httpx2.TransportError | OSError):
        why = f"it answers {status}" if status >= 500 else type(inner).__name__
        return UnavailableError(f"the MCP server at {place} cannot be reached: {why}")
    why = f"it answers {status}" if status >= 300 else f"{inner!s:.{_LONGEST}}"
    return ComponentError(f"there is no MCP server at {place}: {why}", hint="check mcpUrl")
