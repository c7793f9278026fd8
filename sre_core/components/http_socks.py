"""Connections through proxies of SOCKS. This module imports aiohttp-socks; only a request through one leads here."""

from typing import TYPE_CHECKING

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError, ProxyType

from sre_core.components.http_proxy import Proxy

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

__all__ = ["SocksConnector"]

# The version, and whether the proxy resolves names.
_KINDS = {
    "socks4": (ProxyType.SOCKS4, False),
    "socks4a": (ProxyType.SOCKS4, True),
    "socks5": (ProxyType.SOCKS5, True),
}


class SocksConnector(ProxyConnector):
    """Opens connections through one proxy, for one request. It raises what aiohttp raises."""

    def __init__(self, proxy: Proxy) -> None:
        kind, remote = _KINDS[proxy.url.scheme]
        super().__init__(
            host=proxy.url.host or "",
            port=proxy.url.port or 0,
            proxy_type=kind,
            username=proxy.url.user,
            password=proxy.url.password,
            rdns=remote,
            force_close=True,
        )

    async def connect(self, req: "ClientRequest", traces: "list[Trace]", timeout: "ClientTimeout") -> "Connection":
        """A connection for a request. Raises aiohttp.ClientConnectionError."""
        try:
            return await super().connect(req, traces, timeout)
        except (ProxyConnectionError, ProxyError, ProxyTimeoutError):
            # The library's own text is not kept: it may hold what the proxy said.
            raise aiohttp.ClientConnectionError("the proxy cannot connect") from None
