"""The one way out: an HTTP client for components, which goes where the author sent it and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["HTTPClient", "HTTPReply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPReply:
    """What came back. `url` is the last one of the redirects; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""


class HTTPClient:
    """Sends requests over one pool of connections, opened when it is first used.

    It refuses addresses that are not public (loopback, link-local, private networks, cloud metadata), after the name
    was resolved and again at each redirect, unless the request is `trusted`: its host stands in the author's own text.
    """

    def __init__(self, *, timeout: float = 120.0, max_bytes: int = 64 * 2**20) -> None:
        """Limits of one request: `timeout` in seconds from start to end, `max_bytes` of a reply's body."""
        self._timeout = timeout
        self._max_bytes = max_bytes

    async def request(
        self,
        method: str,
        url: str,
        *,
        trusted: bool = False,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        proxy: str | None = None,
        follow_redirects: bool = True,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HTTPReply:
        """Send, and read the whole reply, whatever its status.

        `data` is bytes, text, or a form of aiohttp. A redirect of a trusted request to another host that is not public
        is refused, and takes no `Authorization`, `Cookie` or `Proxy-Authorization` along. Raises ComponentError for an
        illegal URL, a refused address or a reply that is too large, UnavailableError, DeadlineError.
        """
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the connections. Safe to call twice."""
