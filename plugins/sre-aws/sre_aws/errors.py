"""What the driver raises, as one of our errors."""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from botocore import exceptions as theirs  # type: ignore[import-untyped]
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from sre_core.connectors import error_for_status, retry_after_seconds
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
    UnsupportedError,
)

__all__ = ["BROKEN_OFF", "FOREIGN", "UNREADABLE", "error_code", "translate"]

FOREIGN = (theirs.BotoCoreError, theirs.ClientError, ResponseParserError, aiohttp.ClientError, TimeoutError, OSError)
"""Everything that a call of the driver may raise, but for mistakes in a program."""

BROKEN_OFF = (aiohttp.ClientPayloadError, theirs.HTTPClientError, theirs.IncompleteReadError)
"""Those of FOREIGN that end a reply which had begun."""

UNREADABLE = (AttributeError, TypeError, ValueError)
"""What the driver's parsers raise besides when a reply is not at all what they expect."""

_CODES: Mapping[type[ConnectorError], frozenset[str]] = {
    UnauthenticatedError: frozenset(
        {
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "NotAuthorized",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnauthorizedAccess",
            "UnrecognizedClientException",
        }
    ),
    NotFoundError: frozenset({"NoSuchBucket", "NoSuchKey", "NoSuchUpload", "ResourceNotFoundException"}),
    ConflictError: frozenset({"ConditionalRequestConflict", "PreconditionFailed", "ResourceExistsException"}),
    RateLimitedError: frozenset(
        {
            "BandwidthLimitExceeded",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        }
    ),
    UnavailableError: frozenset(
        {"InternalError", "InternalServiceError", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable"}
    ),
    UnsupportedError: frozenset({"MethodNotAllowed", "NotImplemented"}),
    # Sent with statuses that mean something else elsewhere.
    ConnectorError: frozenset({"InvalidObjectState"}),
}
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}
_HINTS: Mapping[str, str] = {
    "AuthorizationHeaderMalformed": "set region to where this lies",
    "ExpiredToken": "get a new session token, or use credentials that renew themselves",
    "ExpiredTokenException": "get a new session token, or use credentials that renew themselves",
    "InvalidObjectState": "the object is archived: restore it first",
    "InvalidToken": "check session_token; permanent keys have none",
    "PermanentRedirect": "set region to where this lies",
    "RequestTimeTooSkewed": "set the clock of this machine",
}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,63}")
_NO_CREDENTIALS = (
    theirs.CredentialRetrievalError,
    theirs.LoginError,
    theirs.MetadataRetrievalError,
    theirs.NoAuthTokenError,
    theirs.NoCredentialsError,
    theirs.PartialCredentialsError,
    theirs.SSOError,
    theirs.TokenRetrievalError,
)
_MISCONFIGURED = (
    theirs.BaseEndpointResolverError,
    theirs.ConfigNotFound,
    theirs.ConfigParseError,
    theirs.EndpointProviderError,
    theirs.InvalidConfigError,
    theirs.InvalidProxiesConfigError,
    theirs.InvalidRegionError,
    theirs.MissingDependencyException,
    theirs.ParamValidationError,
    theirs.ProfileNotFound,
)
_NOT_THERE = (
    aiohttp.ClientConnectionError,
    theirs.ConnectionError,
    theirs.ConnectTimeoutError,
    theirs.EndpointConnectionError,
    theirs.ProxyConnectionError,
)


def error_code(error: BaseException | None) -> str:
    """The service's word for what happened, as "NoSuchKey"; empty when it gave none."""
    if not isinstance(error, theirs.ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    # A reply that is not of the service may have anything here.
    return code if _CODE.fullmatch(code) else ""


def translate(error: BaseException, what: str, *, at: str) -> SREError:
    """`error`, one of FOREIGN or UNREADABLE, as ours.

    `what` is what was tried, as "reading 'a' in bucket 'b'", and `at` the address.
    """
    if isinstance(error, theirs.ClientError):
        return _of_reply(error, f"{what} at {at}")
    if isinstance(error, _NO_CREDENTIALS):
        return UnauthenticatedError(
            f"{what}: there are no usable AWS credentials ({type(error).__name__})",
            hint="give access_key_id and secret_access_key, or a profile, or log in again",
        )
    if isinstance(error, _MISCONFIGURED):
        return ConfigError(f"{what}: {_line(error)}", hint="check the settings of the connector, and ~/.aws/config")
    # A timeout is a broken connection too, for the driver; so it comes first.
    if isinstance(error, theirs.ReadTimeoutError | TimeoutError) and not isinstance(error, theirs.ConnectTimeoutError):
        return DeadlineError(f"{what}: no answer came in time from {at}", hint="raise `timeout`, or try again later")
    if isinstance(error, BROKEN_OFF) and not isinstance(error, theirs.SSLError):
        return UnavailableError(f"{what}: the connection to {at} broke off", hint="try again later")
    if isinstance(error, theirs.SSLError):
        return ConfigError(f"{what}: {at} cannot be trusted", hint="check the URL; `ca_file` names other certificates")
    if isinstance(error, (*_NOT_THERE, OSError)):
        return UnavailableError(f"{what}: {at} cannot be reached", hint="check region and url, and the network")
    return ConnectorError(
        f"{what} failed at {at}: {type(error).__name__}", hint="is this a server for this service? its cause says more"
    )


def _of_reply(error: Any, what: str) -> ConnectorError:
    """What a reply with an error in it means: by the service's own word for it, else by its status."""
    code = error_code(error)
    detail = str(error.response.get("Error", {}).get("Message", ""))
    reply = error.response.get("ResponseMetadata", {})
    status = int(reply.get("HTTPStatusCode") or 500)
    headers = reply.get("HTTPHeaders", {})
    kind = _KINDS.get(code)
    if kind is None:
        # Its text is the service's only if it has a word for it: else it may be the page of a proxy.
        said = f"{code}: {detail}" if code else ""
        return error_for_status(status, what, detail=said, headers=headers, hint=_HINTS.get(code))
    if kind is UnauthenticatedError:
        # Without the detail, which may quote what was sent.
        hint = _HINTS.get(code, "check the credentials, and what they may do")
        return UnauthenticatedError(f"{what} was refused: {code}", hint=hint)
    message = f"{what} failed: {code}"
    if detail and detail != code:
        message += f": {_line(detail)}"
    if kind is RateLimitedError or kind is UnavailableError:
        return kind(message, hint="slow down, or try again later", retry_after=retry_after_seconds(headers))
    return kind(message, hint=_HINTS.get(code, "check the name, and the region and url of the connector"))


def _line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= 300 else f"{line[:300]}…"
