"""What the server answers, as our values and errors: pure functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_core.connectors.http_errors import error_for_status, retry_after_seconds
from sre_core.errors import ConflictError, ConnectorError, NotFoundError, UnauthenticatedError, UnavailableError

__all__ = [
    "Lease",
    "Reply",
    "checked",
    "confirmed",
    "health",
    "knows_token",
    "kv_version",
    "lease_of_login",
    "lease_of_lookup",
    "listed",
    "value",
]

_UNSEAL = "unseal it with `vault operator unseal` or `bao operator unseal`; a new one wants `operator init` before"
_STANDBY = (412, 472, 473)
_LONGEST_TEXT = 200
_OF_SUCCESS = {"data", "warnings", "request_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply. `body` is what its JSON holds, None if it has none."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)

    @property
    def errors(self) -> str:
        """The server's own explanation in one line, "" for none."""
        found = self.body.get("errors") if isinstance(self.body, dict) else None
        return " ".join("; ".join(str(error) for error in found).split()) if isinstance(found, list) else ""

    @property
    def nothing(self) -> bool:
        """Whether it says that nothing is there, and finds no fault with the question; a page says less."""
        return self.status == 404 and isinstance(self.body, dict) and self.body.get("errors") == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A token and what we know of its end: `ttl` in seconds, None when it has none or nobody knows."""

    token: str = field(repr=False)
    ttl: float | None = None
    renewable: bool = False
    doubtful: bool = False
    """Whether the server would not tell us about the token, which may mean that it knows none."""


def checked(reply: Reply, place: str, doing: str, *, login: bool = False) -> dict[str, Any]:
    """The JSON object of a reply that means success, empty for one without a body.

    Raises the error that any other reply stands for. `place` and `doing` say where and what. With `login`, a request
    that is called bad means bad credentials.
    """
    if reply.status == 204:
        return {}
    if 200 <= reply.status < 300:
        if not isinstance(reply.body, dict):
            raise _foreign(place, reply.status)
        return reply.body
    raise _failure(reply, place, doing, login=login)


def confirmed(reply: Reply, place: str, doing: str) -> None:
    """Return when a reply says that a change was made: one without a body, or an object as Vault sends it.

    Raises as `checked` does.
    """
    body = checked(reply, place, doing)
    if reply.status != 204 and not _OF_SUCCESS & body.keys():
        raise _foreign(place, reply.status)


def _failure(reply: Reply, place: str, doing: str, *, login: bool) -> ConnectorError:
    text = reply.errors
    wait = retry_after_seconds(reply.headers)
    if "sealed" in text and reply.status == 503:
        return UnavailableError(f"the {place} is sealed", hint=_UNSEAL, retry_after=wait)
    if reply.status in _STANDBY:
        return UnavailableError(
            f"the {place} is a standby, and not ready for it (status {reply.status})",
            hint="try again, or name the active server",
            retry_after=wait,
        )
    if reply.status == 400 and "Upgrading from" in text:
        return UnavailableError(f"a mount of the {place} is being upgraded to KV version 2", hint="try again soon")
    if login and reply.status in (400, 401, 403):
        return UnauthenticatedError(
            f"the {place} refused the login", hint="check the role, what proves it, and auth_mount"
        )
    if reply.status == 400 and "check-and-set" in text:
        return ConflictError(
            f"the {place} refused {doing}: {text[:_LONGEST_TEXT]}",
            hint="turn off cas_required for the mount, or for this secret",
        )
    if reply.status in (413, 500) and "too large" in text:
        return ConnectorError(
            f"{doing} at the {place} failed: it is too large for the server",
            hint="keep it in a storage, or raise max_entry_size of the server",
        )
    if reply.status == 500 and "cannot renew" in text:
        return ConnectorError(f"{doing} at the {place} failed: {text[:_LONGEST_TEXT]}", hint="it wants another token")
    if reply.status == 404:
        return _missing(reply, place, doing)
    what = f"{doing} at the {place}"
    hint = "check what the policies of the token allow" if reply.status == 403 else None
    return error_for_status(reply.status, what, detail=text, headers=reply.headers, hint=hint)


def _missing(reply: Reply, place: str, doing: str) -> ConnectorError:
    if not isinstance(reply.body, dict) or not ({"errors", "data", "warnings"} & reply.body.keys()):
        return _foreign(place, reply.status)
    text = reply.errors
    if "no handler for route" in text or "unsupported path" in text:
        return NotFoundError(f"nothing at the {place} does {doing}: no engine is mounted there", hint="check the mount")
    if "namespace not found" in text:
        return NotFoundError(f"the {place} has no such namespace", hint="check namespace")
    warnings = " ".join(str(warning) for warning in reply.body.get("warnings") or ())
    if "versioned" in warnings:
        return NotFoundError(f"{doing} at the {place} found nothing: the mount is KV version 2", hint="set kv_version")
    return NotFoundError(f"{doing} at the {place} found nothing", hint="check the name; `sre vault list` has all")


def value(data: Any, field: str, name: str) -> str:
    """The text of a secret that is kept as a map, `data`: its entry `field`, or the only one it has.

    What is no text is given as JSON. Raises NotFoundError for other entries alone, ConnectorError for what is no map.
    """
    if not isinstance(data, dict):
        raise ConnectorError(f"secret {name!r} came in a form that Vault never sends", hint="check the URL")
    if field in data:
        found = data[field]
    elif len(data) == 1:
        found = next(iter(data.values()))
    else:
        entries = ", ".join(sorted(map(repr, data))) or "none"
        raise NotFoundError(
            f"secret {name!r} has no entry {field!r}; it has {entries}", hint="set field to one of them"
        )
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def listed(body: Mapping[str, Any], place: str) -> list[str]:
    """The names in a folder; those of folders end with a slash."""
    data = body.get("data")
    keys = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise _foreign(place, 200)
    return keys


def kv_version(body: Mapping[str, Any], mount: str, place: str) -> int:
    """The version of the KV engine that a description of a mount tells of. Raises ConnectorError for other engines."""
    data = body.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise _foreign(place, 200)
    if data["type"] not in ("kv", "generic"):
        raise ConnectorError(
            f"mount {mount!r} of the {place} is a {data['type']!r} engine, and keeps no secrets by name",
            hint="set mount to a KV engine",
        )
    return 2 if (data.get("options") or {}).get("version") == "2" else 1


def lease_of_login(body: Mapping[str, Any], place: str) -> Lease:
    """The token that a login, or a renewal, answers with."""
    auth = body.get("auth")
    if not isinstance(auth, dict) or not isinstance(auth.get("client_token"), str):
        raise _foreign(place, 200)
    return _lease(auth["client_token"], auth.get("lease_duration"), auth.get("renewable"))


def lease_of_lookup(body: Mapping[str, Any], token: str) -> Lease:
    """What the server tells of a token that we have."""
    data = body.get("data")
    data = data if isinstance(data, dict) else {}
    return _lease(token, data.get("ttl"), data.get("renewable"))


def knows_token(reply: Reply) -> bool:
    """Whether the server knows our token, by its reply to a question after that token.

    A token whose policies do not let it ask is refused by them, which the server words as a list of errors; one that
    it does not know, without a list.
    """
    return reply.status == 200 or (reply.status == 403 and reply.errors.startswith("1 error occurred"))


def health(reply: Reply, place: str) -> None:
    """Return when the server says that it can serve. Raises UnavailableError, ConnectorError."""
    if not isinstance(reply.body, dict) or "initialized" not in reply.body:
        checked(reply, place, "a question after its health")
        raise _foreign(place, reply.status)
    if not reply.body["initialized"]:
        raise UnavailableError(
            f"the {place} is not initialised", hint="once: `vault operator init` or `bao operator init`"
        )
    if reply.body.get("sealed"):
        raise UnavailableError(f"the {place} is sealed", hint=_UNSEAL)
    if reply.status != 200:
        raise UnavailableError(f"the {place} is a standby that serves nobody (status {reply.status})")


def _lease(token: str, ttl: Any, renewable: Any) -> Lease:
    # A root token has 0 here, and no end.
    seconds = float(ttl) if isinstance(ttl, int | float) and ttl > 0 else None
    return Lease(token=token, ttl=seconds, renewable=bool(renewable) and seconds is not None)


def _foreign(place: str, status: int) -> ConnectorError:
    return ConnectorError(
        f"the {place} answers with status {status}, but not as Vault does",
        hint="does the URL lead to the server's API?",
    )
