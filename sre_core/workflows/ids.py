"""Legal ids for agents and teams, made of whatever a file or its name says."""

import hashlib
import re

from sre_core.access.candidate import check_id
from sre_core.errors import ConfigError

__all__ = ["legal_id"]

_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST = 55


def legal_id(text: str) -> str:
    """`text` itself where it is a legal id; else the same one each time, and another for another text.

    What is illegal in it becomes "-", and the first 8 hex digits of the SHA-256 of the text follow, without which
    "my agent" and "my/agent" would share a home.
    """
    try:
        return check_id(text)
    except ConfigError:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        plain = _ILLEGAL.sub("-", text).strip("-_.")[:_LONGEST].rstrip("-_.")
        return f"{plain}-{digest}" if plain else digest
