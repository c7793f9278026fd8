"""The HTTP by which Google's credentials ask for tokens. It blocks: they ask in a thread."""

from collections.abc import Mapping
from typing import Any

import requests
from google.auth import transport
from google.auth.exceptions import TransportError

__all__ = ["TokenRequests"]

_failed: Any = TransportError  # which has no types


class TokenRequests(transport.Request):
    """The requests for one token.

    Google's own class for it logs what it sends, and with that anybody could get a token.
    """

    def __init__(self, session: requests.Session, *, connect_timeout: float, silence: float) -> None:
        """Both times are in seconds: to connect, and that the server may be silent."""
        self._session = session
        self._waits = (connect_timeout, silence)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> transport.Response:
        """Send a request; `timeout` is the library's own wish. Raises TransportError, which is tried again."""
        try:
            reply = self._session.request(method, url, data=body, headers=headers, timeout=self._waits, **options)
        except requests.RequestException as error:
            raise _failed(error) from error
        return _Reply(reply)


class _Reply(transport.Response):
    def __init__(self, reply: requests.Response) -> None:
        self._reply = reply

    @property
    def status(self) -> int:
        return self._reply.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._reply.headers

    @property
    def data(self) -> bytes:
        return self._reply.content
