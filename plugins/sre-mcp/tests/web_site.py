"""A web site on loopback that gives one answer to everything."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


@asynccontextmanager
async def web_site(answer: Callable[[], Any]) -> AsyncGenerator[str]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        found = answer()
        return await found if hasattr(found, "__await__") else found

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
