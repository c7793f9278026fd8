"""The client library on its aiohttp transport, used for what it does best: keys, connections and time-outs.

Bodies go in and bytes come out as they are: making objects of each event costs more than all the rest of a call. It
imports the library, so only `start` may import this module.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import anthropic
import httpx2

from sre_anthropic.errors import translating
from sre_anthropic.events import EventReader
from sre_anthropic.request import Body
from sre_anthropic.response import StreamReader
from sre_anthropic.settings import AnthropicSettings
from sre_core.connectors.llm import LLMChunk
from sre_core.errors import ConfigError, UnavailableError

__all__ = ["Client"]

_PAGE = 1000
_LARGE = 1 << 20
_SLICE = 256 << 10


class Client:
    """One pool of connections to the API."""

    def __init__(self, settings: AnthropicSettings, library: anthropic.AsyncAnthropic) -> None:
        self._library = library
        self._under_way: set[httpx2.Response] = set()
        self._betas = settings.betas
        headers = (value.get_secret_value() for value in settings.headers.values())
        self._secrets = frozenset(secret for secret in (settings.plain_key, *headers) if secret)
        parts = urlsplit(settings.url)
        self._where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    @classmethod
    async def open(cls, settings: AnthropicSettings) -> "Client":
        """Make the client; nothing is sent. Raises ConfigError for a secret that cannot stand in a header."""
        _quiet_library()
        key, headers = settings.plain_key, _headers(settings)
        # It reads all certificates that this machine trusts.
        transport = await asyncio.to_thread(
            anthropic.DefaultAioHttpClient,
            follow_redirects=False,
            limits=httpx2.Limits(
                max_connections=settings.max_connections, max_keepalive_connections=settings.max_connections
            ),
        )
        library = anthropic.AsyncAnthropic(
            # The library insists on a key, and takes it away again where there is none.
            api_key=key or "none",
            base_url=settings.url,
            timeout=anthropic.Timeout(settings.timeout, connect=settings.connect_timeout),
            max_retries=0,
            default_headers=headers if key else {"Authorization": anthropic.Omit(), **headers},  # type: ignore[dict-item]
            http_client=transport,
            # The runtime makes the spans.
            open_telemetry=False,
        )
        return cls(settings, library)

    async def close(self) -> None:
        """Close all connections; what is under way breaks off."""
        # A reader that waits would not notice that its connection is closed.
        for response in list(self._under_way):
            await response.aclose()
        await self._library.close()

    async def stream(self, body: Body, *, what: str) -> AsyncGenerator[LLMChunk]:
        """Send a body, and read the reply as it comes. Raises ConnectorErrors; closing it early hangs up."""
        with translating(what, self._where, self._secrets):
            response = await self._post(body)
            self._under_way.add(response)
            try:
                reader = StreamReader(body.stops)
                _check_type(response)
                events = EventReader()
                async for piece in response.aiter_bytes():
                    for event in events.more(piece):
                        for chunk in reader.read(event):
                            yield chunk
                        if reader.done:
                            return
            finally:
                self._under_way.discard(response)
                await response.aclose()
        raise UnavailableError(f"{what}: the reply of {self._where} ended before it was complete", hint="try again")

    async def models(self) -> list[dict[str, Any]]:
        """What the API lists. Raises ConnectorErrors."""
        with translating("listing the models", self._where, self._secrets):
            response = await self._library.get(
                "/v1/models", cast_to=httpx2.Response, options={"params": {"limit": _PAGE}}
            )
            listed = json.loads(response.content)["data"]
            return [dict(one) for one in listed if isinstance(one["id"], str)]

    async def _post(self, body: Body) -> httpx2.Response:
        betas = ",".join((*self._betas, *body.betas))
        headers = {"anthropic-beta": betas} if betas else {}
        large = len(body.data) > _LARGE
        if large:
            headers["Content-Length"] = str(len(body.data))
        response = await self._library.post(
            "/v1/messages",
            cast_to=httpx2.Response,
            # In one piece, a large body would hold up the loop.
            content=_slices(body.data) if large else body.data,
            options={"headers": headers},
            stream=True,
            stream_cls=anthropic.AsyncStream[Any],
        )
        # Asked for a response, the library gives one, unread, whatever the class of the stream.
        return cast("httpx2.Response", response)


async def _slices(data: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), _SLICE):
        yield data[start : start + _SLICE]


def _check_type(response: httpx2.Response) -> None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "text/event-stream":
        raise ValueError(f"it came as {kind}")


def _headers(settings: AnthropicSettings) -> Mapping[str, str]:
    """What goes with every request. Raises ConfigError for what cannot stand in a header, such as a line break."""
    headers = {name: value.get_secret_value().strip() for name, value in settings.headers.items()}
    if settings.api_version is not None:
        headers = {"anthropic-version": settings.api_version} | headers
    for name, value in {"the key": settings.plain_key, **headers}.items():
        if not f"{name}{value}".isascii() or not f"{name}{value}".isprintable():
            raise ConfigError(
                f"llm connector 'anthropic': {name!r} holds characters that cannot stand in a header",
                hint="look for a line break, or for letters with accents",
            )
    return headers


def _quiet_library() -> None:
    """Keep conversations out of logs: at level debug, the library logs requests whole.

    Whoever wants to see that sets a level of their own on this logger, or ANTHROPIC_LOG.
    """
    logger = logging.getLogger("anthropic")
    if logger.level == logging.NOTSET:
        # Never a lower level than it has from its parents: that would let more through than before.
        logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
