"""A connector over HTTP that survives every fault, for its twins to fail at one."""

import json
from typing import ClassVar

import aiohttp
from pydantic import SecretStr

from sre_core.connectors import CacheConnector, Settings, error_for_status
from sre_core.errors import ConnectorError, UnavailableError

KEY = "key-of-the-http-cache-2718"


class HttpSettings(Settings):
    url: str
    key: SecretStr = SecretStr(KEY)
    timeout: float = 10


class HttpCache(CacheConnector):
    """Reads `{"value": "…"}` from a server."""

    name = "http"
    settings_type: ClassVar[type[Settings]] = HttpSettings
    settings: HttpSettings
    connections = 0
    hurries = True

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_read=self.settings.timeout)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.connections),
            timeout=timeout if self.hurries else aiohttp.ClientTimeout(),
        )

    async def stop(self) -> None:
        await self.session.close()

    async def get(self, key: str) -> bytes | None:
        what = f"cache read at {self.settings.url}"
        headers = {"Authorization": f"Bearer {self.settings.key.get_secret_value()}"}
        try:
            async with self.session.get(f"{self.settings.url}/{key}", headers=headers) as response:
                body = await self.body(response)
                if response.status != 200:
                    raise self.refused(response, what, body)
                return self.value(body)
        except aiohttp.ClientError as error:
            raise UnavailableError(f"{what} broke off: {type(error).__name__}") from error

    async def body(self, response: aiohttp.ClientResponse) -> bytes:
        return await response.read()

    def refused(self, response: aiohttp.ClientResponse, what: str, body: bytes) -> ConnectorError:
        explanation = json.loads(body)["message"] if response.content_type == "application/json" else ""
        return error_for_status(response.status, what, detail=explanation, headers=response.headers, secrets=[KEY])

    def value(self, body: bytes) -> bytes | None:
        try:
            value: str = json.loads(body)["value"]
            return value.encode()
        except (ValueError, TypeError, KeyError) as error:
            raise ConnectorError("the server's reply is none of a cache") from error

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        raise self.unsupported("write")

    async def delete(self, key: str) -> None:
        raise self.unsupported("write")

    async def expires_in(self, key: str) -> float | None:
        raise self.unsupported("write")
