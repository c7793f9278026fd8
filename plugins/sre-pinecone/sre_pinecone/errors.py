"""What Pinecone and the way to it say to a request, as our errors. It imports aiohttp, so only `start` leads here."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from sre_core.connectors.http_errors import error_for_status
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, SREError, UnavailableError

__all__ = ["FAILURES", "no_answer", "of_failure", "of_status"]

FAILURES = (aiohttp.ClientError, OSError, UnicodeError)
"""All that a request raises, but for time-outs; the last for hosts that cannot be."""


def of_status(status: int, headers: Mapping[str, str], body: bytes, what: str, secret: str) -> ConnectorError:
    """Our error for a reply with a status that is no success."""
    hint = None
    if status == 403:
        hint = "check the key and what it may do; the project may also have reached a quota, such as that of indexes"
    return error_for_status(status, what, detail=_message(body), headers=headers, hint=hint, secrets=[secret])


def of_failure(error: Exception, place: str) -> SREError:
    """Our error for one of FAILURES, or a time-out."""
    if isinstance(error, aiohttp.ClientSSLError):
        return ConnectorError(
            f"{place} and we agree on no TLS connection: {type(error).__name__}", hint="is there a proxy in between?"
        )
    if isinstance(error, aiohttp.ServerTimeoutError | aiohttp.ClientConnectorError):
        return UnavailableError(f"{place} cannot be reached", hint="is the host right, and the network up?")
    if isinstance(error, TimeoutError):
        return DeadlineError(f"{place} did not answer in time", hint="raise timeout, or try again later")
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):
        return ConfigError(f"{place} is no address", hint="check url and host")
    return UnavailableError(f"{place} broke the connection off ({type(error).__name__})", hint="try again later")


def no_answer(what: str) -> ConnectorError:
    """The error for a reply that is not what the documentation says."""
    return ConnectorError(
        f"{what} was answered, but not as Pinecone does", hint="check url and host; is there a proxy in between?"
    )


def _message(body: bytes) -> str:
    """The explanation in a reply: its two planes have forms of their own, and pages are none."""
    try:
        data: Any = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    error = data.get("error")
    found = error.get("message") if isinstance(error, dict) else data.get("message")
    return found if isinstance(found, str) else ""
