"""The HTTP by which Google's credentials ask for tokens. It blocks: they ask in a thread."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from google.auth import transport
from google.auth.exceptions import TransportError

from sre_core.connectors.trust import trusting
from sre_gcp.errors import slow_tokens
from sre_gcp.settings import GcsSettings

__all__ = ["TokenRequests"]

_failed: Any = TransportError  # which has no types


class TokenRequests(transport.Request):
    """The requests for one token, which take `timeout` together, however often the credentials try.

    Google's own class for it logs what it sends, and with that anybody could get a token.
    """

    def __init__(self, session: requests.Session, settings: GcsSettings) -> None:
        """`session` becomes ours."""
        session.mount("https://", _Trusting(settings.ca_file))
        self._session = session
        self._connect_timeout = settings.connect_timeout
        self._until = time.monotonic() + settings.timeout

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> transport.Response:
        """Send a request. Raises TransportError, which is tried again, and DeadlineError at the end of the time."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise slow_tokens()
        silence = left if timeout is None else min(left, timeout)
        waits = (min(self._connect_timeout, silence), silence)
        try:
            return _Reply(self._session.request(method, url, data=body, headers=headers, timeout=waits, **options))
        except requests.RequestException as error:
            if time.monotonic() >= self._until:
                raise slow_tokens() from error
            raise _failed(error) from error


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


class _Trusting(requests.adapters.HTTPAdapter):
    """Trusts the authorities that the settings name, besides those that it would trust anyway."""

    def __init__(self, ca_file: Path | None) -> None:
        context = trusting(ca_file)
        self._options = {} if context is True else {"ssl_context": context}
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pool of connections, which is when the context is taken."""
        untyped: Any = super()
        untyped.init_poolmanager(*arguments, **options, **self._options)
