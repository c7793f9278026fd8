"""What Bedrock's own errors mean, before a reply and in the middle of one.

Imports the driver, so only modules that `start` imports may import this one.
"""

from collections.abc import Mapping

from botocore.eventstream import ParserError  # type: ignore[import-untyped]
from botocore.exceptions import EventStreamError  # type: ignore[import-untyped]

from sre_aws.errors import FOREIGN as DRIVER
from sre_aws.errors import UNREADABLE, error_code, translate
from sre_core.connectors import error_for_status
from sre_core.errors import ConnectorError, NotFoundError, SREError, UnavailableError

__all__ = ["FOREIGN", "translated"]

FOREIGN: tuple[type[Exception], ...] = (*DRIVER, *UNREADABLE, ParserError, LookupError, RuntimeError)
"""What a call or a stream may raise, besides cancellation."""

_STATUS: Mapping[str, int] = {
    "internalServerException": 500,
    "modelStreamErrorException": 502,
    "modelTimeoutException": 504,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
"""The status that stands for an error in the middle of a stream."""

_NO_MODEL = ("model identifier is invalid", "model ID is invalid", "Could not resolve the foundation model")
_MODEL_HINT = "check the id of the model, and that it is to be had in this region and account"
_CUT_HISTORY = "bound to a different conversation"


def translated(error: Exception, what: str, *, at: str) -> SREError:
    """One of FOREIGN as an error of ours; `what` was done, and `at` is the address."""
    if isinstance(error, ParserError):
        return ConnectorError(
            f"{what}: {at} sent what is no stream of events ({type(error).__name__})", hint="check the setting url"
        )
    if isinstance(error, RuntimeError):
        return UnavailableError(f"{what}: the client is closed", hint="start the connector again")
    code, said = error_code(error), _message(error)
    if isinstance(error, EventStreamError):
        # These come without a status, and with a small letter at the beginning.
        status = _STATUS.get(code[:1].lower() + code[1:], 500)
        return error_for_status(status, f"{what} at {at}", detail=said, hint=_hint(said))
    if code == "ValidationException" and any(words in said for words in _NO_MODEL):
        return NotFoundError(f"{what}: {said}", hint=_MODEL_HINT)
    if code == "ResourceNotFoundException":
        return NotFoundError(f"{what}: {said or code}", hint=_MODEL_HINT)
    if code == "ModelErrorException":
        # The model stumbled; it may do better next time.
        return UnavailableError(f"{what}: {said or code}", hint="try again, or another model")
    found = translate(error, what, at=at)
    hint = _hint(said)
    if hint is not None:
        found.hint = hint
    return found


def _message(error: Exception) -> str:
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    found = response.get("Error", {}).get("Message", "")
    return " ".join(str(found).split())


def _hint(said: str) -> str | None:
    if _CUT_HISTORY not in said:
        return None
    return 'begin a new conversation, or set changed_history = "drop" and ask with thinking=True'
