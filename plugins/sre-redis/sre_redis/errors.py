"""What redis-py raises, as our errors. This module imports the driver; only `start` leads here."""

import re
import ssl
from collections.abc import Iterator

from redis import exceptions as theirs
from redis.asyncio.sentinel import MasterNotFoundError

from sre_core.errors import (
    ConfigError,
    ConflictError,
    ConnectorError,
    DeadlineError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["FAILURES", "NotConnectedError", "explain", "may_repeat", "too_slow"]


class NotConnectedError(theirs.ConnectionError):
    """A connection was lost before it was one: while the server was told who we are, and not yet what we want."""


FAILURES = (theirs.RedisError, theirs.RedisClusterException, OSError, ValueError)
"""All that a call of the driver raises. ValueError is what its parser makes of bytes that are no Redis protocol."""

_LONGEST_TEXT = 200
# A server that does not know a command quotes its arguments, with AUTH the password; so does the driver where it finds
# no node for a command.
_ARGUMENTS = re.compile(r"(?s)(, with args| to execute \(|Command: \().*")
# What the driver says where no connection comes about.
_NO_CONNECTION = re.compile(r"(Error .*|Timeout) connecting to ")
_NOT_NOW = ("BUSY", "MISCONF", "NOREPLICAS", "UNBLOCKED")
# The server has answered, and did not do what it was asked for: asking again cannot do it twice.
_NOT_DONE = (
    theirs.BusyLoadingError,
    theirs.ClusterError,  # of all redirections, none led to who would do it
    MasterNotFoundError,
    NotConnectedError,
    theirs.MaxConnectionsError,
    theirs.ReadOnlyError,
    theirs.RedisClusterException,
    theirs.TryAgainError,
)
_REFUSED = (theirs.AuthenticationError, theirs.AuthorizationError, theirs.NoPermissionError)


def may_repeat(error: Exception, *, safe: bool) -> bool:
    """Whether the call may be tried again. One that is not `safe` to do twice may, if it surely was not done."""
    if _refusal(error) is not None or _says_cluster_is_off(error) or _distrust(error) is not None:
        return False
    lost = isinstance(error, theirs.ConnectionError | theirs.TimeoutError | OSError)
    return _surely_not_done(error) or (lost and safe)


def too_slow(place: str, seconds: float, *, safe: bool) -> DeadlineError:
    """The error for a call that had no answer in time."""
    return DeadlineError(f"{place} did not answer within {seconds:g} s", hint=_hint("raise timeout", safe=safe))


def explain(error: Exception, place: str, *, key: str, safe: bool) -> SREError:
    """Our error for one of FAILURES. `place` says where, `key` which value it was about, "" for none.

    What `error` and its causes quote of our commands is taken out of them.
    """
    for cause in _causes(error):
        if isinstance(cause, UnicodeEncodeError):
            cause.object = ""
            cause.args = ()
        cause.args = tuple(_ARGUMENTS.sub("", arg) if isinstance(arg, str) else arg for arg in cause.args)
    safe = safe or _surely_not_done(error)
    refusal = _refusal(error)
    if refusal is not None:
        return _refused(refusal, place)
    if isinstance(error, MasterNotFoundError):
        return UnavailableError(
            f"{place} cannot be reached: no Sentinel answers that it knows a primary",
            hint="check sentinels and sentinel_master; if a new primary is being chosen, try again soon",
        )
    if isinstance(error, theirs.RedisClusterException | theirs.ClusterError | theirs.AskError):
        return _of_cluster(error, place)
    if isinstance(error, theirs.ResponseError | theirs.BusyLoadingError):
        return _reply(error, place, key)
    distrust = _distrust(error)
    if distrust is not None:
        return ConnectorError(
            f"{place} and we agree on no TLS connection: {distrust}",
            hint="set ca_file to the authority that signed its certificate; without TLS, set tls = false",
        )
    if isinstance(error, theirs.TimeoutError):
        if "connecting" not in str(error):
            return DeadlineError(f"{place} did not answer in time", hint=_hint("raise timeout", safe=safe))
        return DeadlineError(f"{place} let no connection be made in time", hint="is it up, and the address right?")
    if isinstance(error, theirs.ConnectionError | OSError):
        hint = _hint("is the server up, and the address right? Then try again", safe=safe)
        return UnavailableError(f"{place} cannot be reached: {_text(error)}", hint=hint)
    if isinstance(error, UnicodeEncodeError):
        what = f"cache key {key!r}" if key else f"a setting of {place}"
        return ConfigError(f"{what} is no Unicode text", hint="half of a letter stands alone in it")
    return ConnectorError(
        f"{place} answers, but not as Redis does ({type(error).__name__})", hint="is it a Redis server, and this port?"
    )


def _refusal(error: Exception) -> Exception | None:
    """What the server, one of the Sentinels or a node said about our credentials, if that is what went wrong."""
    if isinstance(error, MasterNotFoundError) and "AuthenticationError" in str(error):
        return theirs.AuthenticationError(status_code="Sentinel")
    return next((cause for cause in _causes(error) if isinstance(cause, _REFUSED)), None)


def _refused(error: Exception, place: str) -> UnauthenticatedError:
    if isinstance(error, theirs.NoPermissionError):
        return UnauthenticatedError(
            f"{place} does not allow this user to do it: {_text(error)}",
            hint="it takes PING, GET, SET, DEL, PTTL, INCRBY, EXISTS, PEXPIRE, EVALSHA, EVAL on keys with the prefix",
        )
    return UnauthenticatedError(
        f"{place} refused the credentials ({getattr(error, 'status_code', None) or 'AUTH'})",
        hint="check username and password; `sre vault set` keeps a new one",
    )


def _of_cluster(error: Exception, place: str) -> SREError:
    if _says_cluster_is_off(error):
        return ConfigError(f"{place} is no Cluster, but one server", hint="leave cluster and nodes out")
    if isinstance(error, theirs.AskError):
        # Only a client that knows of no Cluster gets to see one.
        return ConfigError(f"{place} is a node of a Cluster", hint="set cluster = true")
    return UnavailableError(f"{place} is not ready: {_text(error)}", hint="a node may be down; try again later")


def _reply(error: Exception, place: str, key: str) -> SREError:
    text = _text(error)
    match error:
        case theirs.BusyLoadingError():
            return UnavailableError(f"{place} still loads its data", hint="try again soon")
        case theirs.ReadOnlyError():
            return UnavailableError(
                f"{place} is a replica, and takes no writes", hint="name the primary, or let Sentinels name it"
            )
        case theirs.OutOfMemoryError():
            return ConnectorError(
                f"{place} is full: it has reached its maxmemory, and its maxmemory-policy evicts nothing",
                hint="raise maxmemory, or choose a policy that evicts, such as allkeys-lru",
            )
    if "not an integer" in text:
        return ConflictError(
            f"cache key {key!r} does not hold a whole number", hint="delete the key, or count under another one"
        )
    if "would overflow" in text:
        return ConflictError(f"cache key {key!r} would leave the 64-bit range", hint="delete the key to start anew")
    if text.startswith("WRONGTYPE"):
        return ConflictError(f"cache key {key!r} holds what is no value of a cache", hint="set another prefix")
    if text.startswith(_NOT_NOW):
        return UnavailableError(f"{place} cannot do it now: {text}", hint="ask whoever runs the server")
    if "DB index" in text:
        return ConfigError(f"{place} has no such database: {text}", hint="set db to one that it has; 0 always is")
    return ConnectorError(f"{place} answered with an error: {text}", hint="does another program use these keys?")


def _says_cluster_is_off(error: Exception) -> bool:
    return any(
        isinstance(cause, theirs.RedisClusterException) and "mode is not enabled" in str(cause)
        for cause in _causes(error)
    )


def _surely_not_done(error: Exception) -> bool:
    """Whether the server said no, or no connection was made, so that no command was written."""
    if isinstance(error, theirs.ConnectionError | theirs.TimeoutError) and _NO_CONNECTION.match(str(error)):
        return True
    # With Sentinel, a replica's no looks like a lost connection.
    return isinstance(error, _NOT_DONE) or any(isinstance(cause, theirs.ReadOnlyError) for cause in _causes(error))


def _distrust(error: Exception) -> str | None:
    """Why a TLS handshake failed, if that is what happened; a connection that broke off during one is no such case."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return cause.reason or "it is not spoken there"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _hint(hint: str, *, safe: bool) -> str:
    return hint if safe else f"whether it was counted is not known: look before you count again ({hint})"


def _text(error: Exception) -> str:
    """The server's or the driver's own words in one line, without the arguments that a server may quote."""
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
