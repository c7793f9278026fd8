"""What gRPC and Milvus say when a call fails, as our errors. It imports the driver, so only `start` leads here."""

# mypy: disable-error-code="import-untyped"

from collections.abc import Iterable
from typing import Any

import grpc

from sre_core.connectors.http_errors import without_secrets
from sre_core.errors import (
    ConfigError,
    ConflictError,
    ConnectorError,
    DeadlineError,
    NotFoundError,
    RateLimitedError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["COLLECTION_NOT_FOUND", "NOT_LOADED", "MilvusError", "of_rpc", "of_status"]

COLLECTION_NOT_FOUND = 100
NOT_LOADED = frozenset({101, 103, 700})
"""A collection that is not in memory, not all of it, or has no index yet."""

_LONGEST_TEXT = 300
_BUSY = frozenset({1, 2, 3, 4, 11})
_LIMITED = frozenset({8, 9})
_WRONG_ARGUMENTS = range(1100, 1200)
_REFUSED = frozenset({1400, 1401, 1402})
_DATABASE_NOT_FOUND = 800
_LITE_ILLEGAL_ARGUMENT = 6


class MilvusError(ConnectorError):
    """A refusal of the server that means nothing in particular; `status` is its number."""

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


def of_rpc(error: Any, place: str, secrets: Iterable[str] = ()) -> SREError:
    """Our error for a `grpc.aio.AioRpcError`: the call did not get an answer of Milvus's."""
    code, text = error.code(), _line(error.details() or "", secrets)
    match code:
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return _refused(place)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineError(f"{place} did not answer in time", hint="raise timeout, or try again later")
        case grpc.StatusCode.RESOURCE_EXHAUSTED if "larger than max" in text:
            return ConfigError(
                f"{place} takes no message of that size: {text}", hint="lower batch_bytes, or ask for less"
            )
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return RateLimitedError(f"{place} asks for fewer calls: {text}", hint="slow down")
        case grpc.StatusCode.UNIMPLEMENTED:
            return ConnectorError(
                f"{place} does not know the call: {text}",
                hint="is it the gRPC port, 19530, of a Milvus 2.4 or later, and no web page?",
            )
        case grpc.StatusCode.UNAVAILABLE if "handshake failed" in text.lower():
            return ConnectorError(
                f"{place} and we agree on no TLS connection: {text}",
                hint="set ca_file to the authority that signed its certificate; without TLS, use http://",
            )
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED | grpc.StatusCode.ABORTED:
            return UnavailableError(
                f"{place} cannot be reached: {text or code.name}",
                hint="is the server up, the address right, and TLS wanted? Then try again",
            )
    # What a server that speaks HTTP, but no gRPC, is taken for; and what breaks off within an answer.
    return UnavailableError(
        f"{place} answers, but not as Milvus does: {text or code.name}",
        hint="is it a Milvus server, and this its port?",
    )


def of_status(status: Any, place: str, secrets: Iterable[str] = ()) -> SREError | None:
    """Our error for the status in an answer; None when all is well."""
    code = status.code or status.error_code
    if code == 0:
        return None
    text = _line(status.reason, secrets)
    low = text.lower()
    if code == COLLECTION_NOT_FOUND or (code == 1 and "can't find collection" in low):
        return NotFoundError(f"{place} has no such collection: {text}", hint="make it first, with create")
    if code in _REFUSED:
        return _refused(place)
    if code in _LIMITED:
        return RateLimitedError(f"{place} asks for fewer calls: {text}", hint="slow down, or raise its quota")
    if code == _DATABASE_NOT_FOUND or "database not found" in low or ("database" in low and "does not exist" in low):
        return ConfigError(f"{place} has no such database: {text}", hint="set database to one that it has")
    if "already exist" in low or "duplicate collection" in low:
        return ConflictError(f"{place} has such a collection: {text}", hint="drop it first, or use another name")
    if code in _WRONG_ARGUMENTS or code == _LITE_ILLEGAL_ARGUMENT:
        return ConfigError(f"{place} does not take it: {text}", hint="Milvus has limits for sizes, numbers and names")
    # Milvus Lite uses 1 for whatever it did not foresee, which will not be better the next time.
    if code in _BUSY and status.retriable:
        return UnavailableError(f"{place} is not ready: {text}", hint="try again later")
    return MilvusError(f"{place} failed: {text or f'status {code}'}", hint="look into its log", status=code)


def _refused(place: str) -> UnauthenticatedError:
    return UnauthenticatedError(
        f"{place} refused the credentials, or they do not allow this",
        hint="check token, or user and password; `sre vault set` keeps a new one",
    )


def _line(text: str, secrets: Iterable[str]) -> str:
    """One line, not too long, without what a server may quote."""
    line = " ".join(without_secrets(text, secrets).split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"
