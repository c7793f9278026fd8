"""The proxy that the environment names for Google's servers, looked up once.

aiohttp can find it by itself, but looks anew for each request, in a thread, and then takes passwords from `~/.netrc`
too, which are for none of these servers.
"""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from sre_google.settings import GoogleSettings

__all__ = ["proxy_for"]

_GEMINI = "https://generativelanguage.googleapis.com"
_VERTEX = "https://{}aiplatform.googleapis.com"


def proxy_for(settings: GoogleSettings) -> str | None:
    """The URL of the proxy on the way to the API, as `HTTPS_PROXY` and `NO_PROXY` have it; None for none."""
    parts = urlsplit(settings.url or _server(settings))
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    proxy = getproxies().get(parts.scheme)
    # One that is spoken to in TLS itself is beyond aiohttp.
    return proxy if proxy is not None and urlsplit(proxy).scheme == "http" else None


def _server(settings: GoogleSettings) -> str:
    if settings.backend == "gemini":
        return _GEMINI
    return _VERTEX.format("" if settings.location == "global" else f"{settings.location}-")
