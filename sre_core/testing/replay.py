"""An HTTP server on loopback that answers as a test tells it: with fixtures, and with faults."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy

__all__ = ["HttpReply", "HttpRequest", "ReplayServer"]

_LARGEST_BODY = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """One reply. `pieces` are sent one by one, as a stream comes.

    With `cut`, the connection is broken off after the last piece, in the middle of the body. `hang` keeps the client
    waiting after the headers and pieces, until it leaves or the server stops.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    cut: bool = False
    hang: bool = False

    @classmethod
    def json(cls, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> "HttpReply":
        """A JSON document."""
        body = json.dumps(data).encode()
        return cls(status=status, headers={"Content-Type": "application/json", **(headers or {})}, pieces=(body,))

    @classmethod
    def text(
        cls, text: str, *, status: int = 200, content_type: str = "text/plain", headers: Mapping[str, str] | None = None
    ) -> "HttpReply":
        """Any text, such as an error page."""
        return cls(status=status, headers={"Content-Type": content_type, **(headers or {})}, pieces=(text.encode(),))

    @classmethod
    def events(cls, events: Sequence[bytes], *, cut: bool = False, hang: bool = False) -> "HttpReply":
        """Server-sent events, each as its bytes with the empty line at the end."""
        return cls(headers={"Content-Type": "text/event-stream"}, pieces=events, cut=cut, hang=hang)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request that came. `path` is decoded, and has no query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes


class ReplayServer:
    """Answers each request with the next of the queued replies, and when none is left with `always`."""

    def __init__(self, *replies: HttpReply, always: HttpReply | None = None) -> None:
        self.replies = deque(replies)
        self.always = always
        self.ready: Mapping[str, HttpReply] = {}
        """Replies to the requests for some paths, such as that of a login, beside all that is counted and held here."""
        self.requests: list[HttpRequest] = []
        """What else came, in order."""
        self.hold_for = 0
        """Answer nobody before so many requests are under way at once."""
        self.busy = 0
        """How many requests are under way now."""
        self.busiest = 0
        """How many were under way at once at most."""
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Condition()
        self._stopping = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(cls, *replies: HttpReply, always: HttpReply | None = None) -> "AsyncIterator[ReplayServer]":
        """A server that runs while the block lasts."""
        server = cls(*replies, always=always)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

    @property
    def port(self) -> int:
        """Its port on loopback."""
        if self._runner is None:
            raise RuntimeError("the server does not run")
        port: int = self._runner.addresses[0][1]
        return port

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._stopping.clear()
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()

    async def stop(self) -> None:
        """Stop, also in the middle of replies."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def wait_until_busy(self, count: int) -> None:
        """Return once exactly `count` requests are under way; 0 once all clients have their reply, or have left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.busy == count)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path in self.ready:
            return await self._send(request, self.ready[request.path])
        self.requests.append(
            HttpRequest(
                method=request.method, path=request.path, query=request.query, headers=request.headers, body=body
            )
        )
        await self._count(1)
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self.busiest >= self.hold_for)
            reply = self.replies.popleft() if self.replies else self.always
            if reply is None:
                return web.Response(status=599, text=f"no reply is left for {request.method} {request.path}")
            return await self._send(request, reply)
        finally:
            await asyncio.shield(self._count(-1))

    async def _count(self, change: int) -> None:
        async with self._changed:
            self.busy += change
            self.busiest = max(self.busiest, self.busy)
            self._changed.notify_all()

    async def _send(self, request: web.Request, reply: HttpReply) -> web.StreamResponse:
        whole = len(reply.pieces) <= 1 and not reply.cut and not reply.hang
        if whole:
            return web.Response(status=reply.status, headers=reply.headers, body=b"".join(reply.pieces))
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        await response.prepare(request)
        for piece in reply.pieces:
            await response.write(piece)
        if reply.hang:
            await self._stopping.wait()
        if (reply.cut or reply.hang) and request.transport is not None:
            request.transport.abort()
            return response
        await response.write_eof()
        return response
