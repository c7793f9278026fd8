"""What the hub's library raises, told in our errors."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sre_core.errors import (
    ConfigError,
    NotFoundError,
    RateLimitedError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

__all__ = ["told"]

_LOG_IN = "`hf auth login`, or set HF_TOKEN"
_AGAIN = "check the network and try again: what has come is kept; or copy the folder here and set weights = '<folder>'"
_UNAUTHORISED = (401, 403)
_TOO_MANY = 429
# What a disk says that takes no more.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def told(model: object) -> Iterator[None]:
    """Turns what goes wrong while the hub is asked for `model` into our errors."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    # What the HTTP library raises that the hub's stands on; which one that is differs between its versions.
    transport: type[Exception] = next(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")
    name = str(model)
    try:
        yield
    except SREError:
        raise  # some of them are OSErrors too
    except GatedRepoError as error:
        raise UnauthenticatedError(
            f"the model {name!r} asks for consent to its terms", hint=f"agree on its page on the hub, then {_LOG_IN}"
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFoundError(
            f"the hub has no model {name!r} for you", hint=f"check its spelling; if it is private: {_LOG_IN}"
        ) from error
    except RevisionNotFoundError as error:
        raise NotFoundError(
            f"the hub has no such revision: {name!r}", hint="name a branch, a tag or a commit"
        ) from error
    except OfflineModeIsEnabled as error:
        raise UnavailableError(
            f"{name!r} cannot be fetched: offline mode is set", hint="unset HF_HUB_OFFLINE"
        ) from error
    except LocalEntryNotFoundError as error:
        raise _unavailable(name, error.__cause__ or error) from error
    except EntryNotFoundError as error:
        raise NotFoundError(f"a file of {name!r} is not on the hub any more", hint="try again") from error
    except HfHubHTTPError as error:
        raise _refused(name, error) from error
    except transport as error:
        raise _unavailable(name, error) from error
    except HFValidationError as error:
        raise ConfigError(f"{name!r} is no hub id: {error}", hint="a hub id looks like 'owner/name'") from error
    except OSError as error:
        raise _unwritten(name, error) from error


def _unwritten(name: str, error: OSError) -> SREError:
    if error.errno not in _NO_ROOM:
        return _unavailable(name, error)
    return ConfigError(
        f"{name!r} cannot be written to this disk: {error}",
        hint="free some room, or set HF_HOME to a folder on a larger disk; what has come is kept",
    )


def _refused(name: str, error: "HfHubHTTPError") -> SREError:
    status = error.response.status_code
    if status in _UNAUTHORISED:
        return UnauthenticatedError(f"the hub refuses {name!r} (status {status})", hint=_LOG_IN)
    if status == _TOO_MANY:
        wait = error.response.headers.get("Retry-After", "")
        return RateLimitedError(
            f"the hub asks for fewer requests, at {name!r}",
            hint="try again later: what has come is kept",
            retry_after=float(wait) if wait.isdecimal() else None,
        )
    return UnavailableError(f"the hub answered {status} for {name!r}", hint=_AGAIN)


def _unavailable(name: str, error: BaseException) -> UnavailableError:
    why = str(error).strip().partition("\n")[0]
    return UnavailableError(f"{name!r} could not be fetched: {type(error).__name__}: {why}", hint=_AGAIN)
