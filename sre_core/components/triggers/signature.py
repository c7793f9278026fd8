"""Signatures of requests: whether the one who knows a secret sent exactly these bytes."""

import hmac
from collections.abc import Mapping

from sre_core.errors import ComponentError

__all__ = ["check_signature", "header", "same_text"]


def check_signature(raw: bytes, signature: str, secret: str, *, algorithm: str, name: str) -> None:
    """Return if `signature`, hex with or without "sha256=" before it, is the HMAC of the raw body.

    `name` is the header's, for messages. Raises ComponentError, which tells nothing of what would be right.
    """
    if not secret:
        raise ComponentError("there is no secret to check signatures with", hint="set the secret of the trigger")
    if not signature:
        raise ComponentError(
            f"the request has no header {name!r}", hint="only requests that the sender has signed are taken"
        )
    given = signature.strip().removeprefix(f"{algorithm}=")
    if not same_text(given.lower(), hmac.new(secret.encode(), raw, algorithm).hexdigest()):
        raise ComponentError(
            f"the signature in the header {name!r} is wrong",
            hint="sender and trigger need the same secret, and the body must come as it was sent",
        )


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its name in any case, or ""."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), "")


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
