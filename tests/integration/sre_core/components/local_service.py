"""A web service on loopback that answers as a test says, and keeps what it was asked."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came; `target` is its path and query, not decoded."""

    method: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class LocalService:
    """Where it is, and what it received."""

    url: str
    received: list[Received] = field(default_factory=list)


@asynccontextmanager
async def local_service(answer: Callable[[Received], Any]) -> AsyncGenerator[LocalService]:
    """Answers each request with what `answer` returns, a web.Response or JSON; it may be a coroutine's."""
    service = LocalService("")

    async def handle(request: web.BaseRequest) -> web.Response:
        received = Received(
            method=request.method,
            target=request.raw_path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        service.received.append(received)
        found = answer(received)
        if hasattr(found, "__await__"):
            found = await found
        return found if isinstance(found, web.Response) else web.json_response(found)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    service.url = f"http://{host}:{port}"
    try:
        yield service
    finally:
        await runner.cleanup()
