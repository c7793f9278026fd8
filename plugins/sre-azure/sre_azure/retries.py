"""When a request is sent again: as Azure's library decides, but after pauses of our own."""

import random
from typing import Any

from azure.storage.blob.aio import ExponentialRetry

from sre_core.connectors.http_errors import retry_after_seconds

__all__ = ["Retries"]

_FIRST_PAUSE = 0.2  # seconds; it doubles with each try, and chance spreads the callers
_LONGEST_PAUSE = 20.0


class Retries(ExponentialRetry):
    """Tries again after a lost connection, status 408 and most of 5xx; theirs would wait for 18 seconds at first."""

    def __init__(self, retries: int) -> None:
        """`retries` is how often at most."""
        super().__init__(retry_total=retries, retry_connect=retries, retry_read=retries, retry_status=retries)

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        """Seconds to wait before the next try, and what the service asks for if that is not too long."""
        pause: float = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (settings["count"] - 1))
        reply = settings["history"][-1].http_response if settings["history"] else None
        advice = retry_after_seconds(reply.headers) if reply is not None else None
        pause *= random.uniform(0.5, 1)  # noqa: S311 -- no secret
        return max(pause, min(advice or 0.0, _LONGEST_PAUSE))
