"""What a model of transformers calls its cache: the name differs between releases, and between kinds of models."""

import inspect
from typing import Any

__all__ = ["cache_argument"]

# The newest first: a release that renamed it still takes the old name, with a warning.
_NAMES = ("cache", "past_key_values", "cache_params", "state")


def cache_argument(model: Any) -> str | None:
    """The argument of `forward` that takes the cache, and the field of its output that gives it back; None if none."""
    known = inspect.signature(model.forward).parameters
    return next((name for name in _NAMES if name in known), None)
