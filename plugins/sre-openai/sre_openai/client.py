"""HTTP through aiohttp: one pool of connections, streams of events, JSON, forms."""

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
from multidict import CIMultiDict
from pydantic_core import from_json

from sre_core.errors import ConnectorError, UnavailableError
from sre_openai.errors import Translated
from sre_openai.events import EventParser
from sre_openai.failures import reply_failure, status_failure
from sre_openai.settings import OpenAISettings

__all__ = ["Client"]

_JSON = {"Content-Type": "application/json"}
_KEEP_ALIVE = 30.0
_LARGE = 1 << 20
_LARGEST_EXPLANATION = 64 << 10
_DRAIN = 1.0
"""Seconds that a server has to end a stream in which all was said, so that its connection can be used again."""


class Client:
    """Sends what it is given, and turns what goes wrong into our errors. Belongs to one event loop."""

    def __init__(self, settings: OpenAISettings, *, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
        """`headers` go with every request; `secrets` are kept out of errors."""
        self._headers = CIMultiDict(headers)
        self._json_headers = CIMultiDict({**headers, **_JSON})
        self._secrets = secrets
        self._timeout = settings.timeout
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.max_connections, keepalive_timeout=_KEEP_ALIVE),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.connect_timeout, sock_read=settings.timeout
            ),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def events(
        self, url: str, body: bytes, *, what: str, model: str, over: Callable[[], bool]
    ) -> AsyncGenerator[list[bytes]]:
        """Post, and give the data of events as they come, until `over` says that the last was among them.

        `what` is said in errors: what was done, and where. Raises ConnectorErrors.
        """
        seen = False
        with Translated(what, self._timeout):
            async with self._session.post(
                url, data=_payload(body), headers=self._json_headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise await self._refused(response, what, model)
                parser, content = EventParser(), response.content
                first = b""
                while piece := await content.readany():
                    if not seen and len(first) < _LARGEST_EXPLANATION:
                        first += piece
                    try:
                        events = parser.feed(piece)
                    except ValueError as error:
                        raise ConnectorError(f"{what}: the server does not send events: {error}") from error
                    if events:
                        seen = True
                        yield events
                        if over():
                            await _drain(content)
                            return
        if not seen:
            streams = response.content_type == "text/event-stream"
            raise self._cut(what) if streams or not first else self._no_stream(first, what, model)

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
        headers = self._headers if body is None else self._json_headers
        data = form if body is None else _payload(body)
        with Translated(what, self._timeout):
            async with self._session.request(
                method, url, data=data, headers=headers, allow_redirects=False
            ) as response:
                if response.status not in {200, 201}:
                    raise await self._refused(response, what, model)
                answer = await response.read()
        try:
            return from_json(answer)
        except ValueError as error:
            raise ConnectorError(
                f"{what}: the server did not answer with JSON", hint="check `url`; it often ends in /v1"
            ) from error

    async def download(self, url: str, *, what: str) -> tuple[bytes, str]:
        """What lies at a link that the server gave, and its media type. No credentials are shown there."""
        with Translated(what, self._timeout):
            async with self._session.get(url) as response:
                if response.status != 200:
                    raise status_failure(response.status, b"", response.headers, what=what)
                return await response.read(), response.content_type

    async def _refused(self, response: aiohttp.ClientResponse, what: str, model: str | None) -> ConnectorError:
        body = b""
        # A server that refuses and breaks off has refused.
        with suppress(aiohttp.ClientError, OSError):
            body = await response.content.read(_LARGEST_EXPLANATION)
            while not response.content.at_eof() and len(body) < _LARGEST_EXPLANATION:
                body += await response.content.read(_LARGEST_EXPLANATION - len(body))
        return status_failure(response.status, body, response.headers, what=what, model=model, secrets=self._secrets)

    def _cut(self, what: str) -> ConnectorError:
        return UnavailableError(f"{what}: the server ended its reply before it said anything", hint="try again")

    def _no_stream(self, first: bytes, what: str, model: str) -> ConnectorError:
        """Nothing that came was an event; it may be an error under a status that says that all is well."""
        try:
            data = from_json(first)
        except ValueError:
            data = None
        if isinstance(data, dict) and data.get("error"):
            return reply_failure(data["error"], what=what, model=model, secrets=self._secrets)
        return ConnectorError(
            f"{what}: the server did not answer with a stream of events",
            hint="check `url`; it often ends in /v1",
        )


def _payload(body: bytes) -> bytes | io.BytesIO:
    # aiohttp warns of large ones, which it would write at one go.
    return io.BytesIO(body) if len(body) > _LARGE else body


async def _drain(content: aiohttp.StreamReader) -> None:
    """Read to the end, which is mostly there already."""
    if content.at_eof():
        return
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_DRAIN):
            while await content.readany():
                pass
