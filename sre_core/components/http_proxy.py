"""Proxies that requests may go through, by their address. This module imports aiohttp; `HTTPClient` leads here."""

from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from sre_core.connectors.base import import_drivers
from sre_core.errors import ComponentError

__all__ = ["Proxy", "parse_proxy", "socks_connector"]

_SOCKS = frozenset({"socks4", "socks4a", "socks5"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy. Its text is without credentials."""

    url: URL = field(repr=False)
    is_socks: bool

    def __str__(self) -> str:
        return str(self.url.origin())


def parse_proxy(text: str) -> Proxy:
    """The proxy of that address. Raises ComponentError, which does not repeat it."""
    try:
        url = URL(text.strip())
        known = url.scheme in _SOCKS | {"http", "https"} and url.raw_host and url.port
    except (ValueError, TypeError, UnicodeError):
        known = False
    if not known:
        raise ComponentError(
            "the address of the proxy is illegal", hint="as socks5://user:password@host:1080, or http, https, socks4(a)"
        )
    return Proxy(url=url, is_socks=url.scheme in _SOCKS)


async def socks_connector(proxy: Proxy) -> aiohttp.BaseConnector:
    """Opens connections through a proxy of SOCKS. Raises ComponentError where the package for it is missing."""
    try:
        await import_drivers("sre_core.components.http_socks")
    except ImportError:
        raise ComponentError(
            "a SOCKS proxy needs a package that is missing", hint="pip install aiohttp-socks"
        ) from None
    # Not at the top: what it imports is optional, and few use it.
    from sre_core.components.http_socks import SocksConnector

    return SocksConnector(proxy)
