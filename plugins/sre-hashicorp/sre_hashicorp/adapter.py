"""The requests of hvac, sent by aiohttp. This module imports both; only `start` leads here.

hvac builds a request and hands it to an Adapter, whose answer it returns as it is. This one answers with an awaitable:
so a cancelled call closes its connection, and hundreds of calls need neither threads nor a session for each.
"""

import asyncio
import json
import random
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp
from hvac.adapters import Adapter  # type: ignore[import-untyped]
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnavailableError
from sre_hashicorp.replies import Reply
from sre_hashicorp.settings import HashicorpSettings

__all__ = ["AsyncAdapter", "open_session"]

_LONGEST_WAIT = 1.0
_LARGEST_REPLY = 64 << 20  # a server takes no request above 32 MiB, unless it was told to
_REDIRECTIONS = (307, 308)


class AsyncAdapter(Adapter):  # type: ignore[misc]  # hvac has no types
    """Sends what hvac's classes ask for. All their methods return an awaitable Reply, whatever its status."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: HashicorpSettings, *, in_namespace: bool = True
    ) -> None:
        # Not the parent's: that would make a session of requests.
        self.token: str | None = None
        self._session = session
        self._base = str(URL(settings.url))
        self._place = settings.place
        self._timeout = settings.timeout
        self._waits = [min(settings.retry_wait * 2**number, _LONGEST_WAIT) for number in range(settings.retries)]
        self._headers = {"X-Vault-Request": "true"}
        if settings.namespace and in_namespace:
            self._headers["X-Vault-Namespace"] = settings.namespace

    def get_login_token(self, response: Any) -> str:
        """hvac asks for it when it may keep the token itself, which it is never told to."""
        raise NotImplementedError

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        raise_exception: bool = True,  # noqa: FBT001, FBT002 -- hvac's signature
        **options: Any,
    ) -> Reply:
        """The reply. Raises UnavailableError, DeadlineError or ConnectorError when none comes."""
        query = {key: _word(item) for key, item in (options.get("params") or {}).items()}
        if method.lower() == "list":
            # The same question in a verb that every proxy lets through.
            method, query["list"] = "get", "true"
        sent = {**self._headers, **(headers or {})}
        if self.token is not None:
            sent["X-Vault-Token"] = self.token
        # hvac has quoted the path; to quote it again would name another one.
        target = URL(self._base + url, encoded=True).update_query(query)
        failure: ConnectorError | None = None
        try:
            async with asyncio.timeout(self._timeout):
                for wait in self._waits:
                    try:
                        return await self._send(method, target, sent, options.get("json"))
                    except UnavailableError as error:
                        failure = error
                    # Not all at the same moment, who lost their connections at the same moment.
                    await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
                return await self._send(method, target, sent, options.get("json"))
        except DeadlineError:
            raise
        except TimeoutError as error:
            raise failure or DeadlineError(
                f"the {self._place} did not answer within {self._timeout:g} s", hint="raise timeout, or try again later"
            ) from error

    async def _send(self, method: str, target: URL, headers: Mapping[str, str], body: Any) -> Reply:
        try:
            reply, location = await self._once(method, target, headers, body)
            if location is not None:
                reply, _ = await self._once(method, location, headers, body)
        except aiohttp.ClientError as error:
            if isinstance(error, aiohttp.ClientResponseError):
                # It holds our request, and shows the headers.
                error.request_info = error.request_info._replace(headers=CIMultiDictProxy(CIMultiDict()))
                error.args = ()
            raise self._closed() if self._session.closed else self._error(error) from error
        return reply

    async def _once(self, method: str, target: URL, headers: Mapping[str, str], body: Any) -> tuple[Reply, URL | None]:
        """The reply, and where a standby server sends us with it."""
        if self._session.closed:
            raise self._closed()
        async with self._session.request(
            method.upper(), target, headers=headers, json=body, allow_redirects=False
        ) as response:
            text = await self._read(response)
            location = None
            if response.status in _REDIRECTIONS:
                location = _location(target, response.headers.get("Location", ""))
            token = headers.get("X-Vault-Token", "").encode()
            if response.status >= 400 and token:
                # Some servers quote what they refuse.
                text = text.replace(token, b"**********")
            return Reply(status=response.status, headers=response.headers, body=_parsed(text)), location

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if max(size, response.content_length or 0) > _LARGEST_REPLY:
                raise ConnectorError(
                    f"the {self._place} answers with more than {_LARGEST_REPLY} bytes, which is no secret"
                )
        return b"".join(pieces)

    def _closed(self) -> ConnectorError:
        return ConnectorError(
            f"the way to the {self._place} was closed while it was used", hint="stop the connector after its last call"
        )

    def _error(self, error: aiohttp.ClientError) -> ConnectorError:
        match error:
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                return ConnectorError(
                    f"the {self._place} and we agree on no TLS connection: {_distrust(error)}",
                    hint="set ca_file to the authority that signed its certificate; a server without TLS has http://",
                )
            case aiohttp.ServerTimeoutError():
                return DeadlineError(
                    f"the {self._place} let no connection be made in time", hint="is it up, and the address right?"
                )
            case aiohttp.ClientConnectorError():
                reason = error.os_error.strerror or "no connection"
                return UnavailableError(f"the {self._place} cannot be reached: {reason}", hint="is it up?")
            case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
                return UnavailableError(f"the connection to the {self._place} broke off", hint="try again")
        return ConnectorError(
            f"the {self._place} answers, but not as Vault does ({type(error).__name__})", hint="check the URL"
        )


async def open_session(settings: HashicorpSettings) -> aiohttp.ClientSession:
    """A session that has connected to nothing yet. Raises ConfigError."""
    # For http as well, since a redirection may lead to https.
    context = await asyncio.to_thread(_context, settings)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.pool_size, ssl=context),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _context(settings: HashicorpSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        if settings.ca_file is not None:
            context.load_verify_locations(settings.ca_file)
        if settings.cert_file is not None:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except OSError as error:
        raise ConfigError(
            f"the TLS files of the {settings.place} cannot be used: {error.strerror or type(error).__name__}",
            hint="ca_file, cert_file and key_file should be readable files in PEM form, cert and key a pair",
        ) from error
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _location(target: URL, text: str) -> URL | None:
    """Where a redirection from `target` leads; None where we do not go."""
    try:
        location = target.join(URL(text))
    except ValueError:
        return None
    # The token goes along, so it must not leave the encrypted connection.
    safe = ("https",) if target.scheme == "https" else ("http", "https")
    return location if text and location.scheme in safe else None


def _distrust(error: aiohttp.ClientError) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    return (getattr(cause, "reason", None) or "it is not spoken there") if cause is not None else "no trust"


def _word(item: object) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _parsed(text: bytes) -> Any:
    """The JSON that a reply holds; None for nothing, and for anything else."""
    try:
        return json.loads(text)
    except ValueError:
        return None
