"""The HTTP of Azure's client library, on a pool of connections of our own size."""

import asyncio
import io
from typing import Any
from weakref import WeakSet

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from sre_azure.settings import AzureSettings
from sre_core.connectors.trust import trusting

__all__ = ["Transport"]

_SMALL = 1 << 16  # bytes that go out in one packet with the headers, and never wait to be taken
_SLOWEST = 50_000  # bytes a second; a body that is sent slower than this is given up


class Transport(AioHttpTransport):  # type: ignore[misc]  # they load it when it is asked for
    """Sends bodies in pieces, so that a large one keeps nobody waiting, and gives up when they are not taken."""

    def __init__(self, settings: AzureSettings) -> None:
        """Make it in a running loop; closing the client closes it. Raises ConfigError when ca_file cannot be read."""
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._answered)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.pool_size, ssl=trusting(settings.ca_file)),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[trace],
        )
        super().__init__(session=session, connection_timeout=settings.connect_timeout, read_timeout=settings.timeout)
        self._timeout = settings.timeout
        self._replies = WeakSet[aiohttp.ClientResponse]()

    async def _answered(
        self, session: aiohttp.ClientSession, context: object, event: aiohttp.TraceRequestEndParams
    ) -> None:
        self._replies.add(event.response)

    async def close(self) -> None:
        """Close all connections. Calls that are under way fail."""
        # Closing the session alone would let those who read a reply wait for ever.
        for reply in tuple(self._replies):
            reply.close()
        await super().close()

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request. Raises TimeoutError when a body takes too long, RuntimeError when it was closed."""
        if self.session is None:
            raise RuntimeError("Session is closed")  # as aiohttp has it a moment before
        body = request.data
        if not isinstance(body, bytes) or len(body) <= _SMALL:
            return await super().send(request, **options)
        try:
            request.data = io.BytesIO(body)
            async with asyncio.timeout(self._timeout + len(body) / _SLOWEST):
                return await super().send(request, **options)
        finally:
            # What is sent again must be whole.
            request.data = body
