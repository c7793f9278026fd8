"""Limits: where a run stops by itself."""

from dataclasses import dataclass, fields

from sre_core.errors import ConfigError

__all__ = ["Limits"]

_MAY_BE_ZERO = frozenset({"skill_calls", "retries"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one run; None means none. Reaching one raises LimitExceededError.

    `turns` counts calls of the model, `skill_calls` those of skills, `parallel_calls` how many run at once.
    `tokens` is the sum over all turns, input and output; a run that goes over it ends, its last turn included.
    `seconds` is for the whole run. `window_tokens` bounds what one turn sends to the model, `output_tokens` what
    it answers. `retries` is how often one turn is tried again after an error that may pass.
    """

    turns: int = 20
    skill_calls: int = 100
    parallel_calls: int = 8
    tokens: int | None = None
    seconds: float | None = None
    window_tokens: int | None = None
    output_tokens: int | None = None
    retries: int = 3

    def __post_init__(self) -> None:
        """Refuse limits under which nothing could run. Raises ConfigError."""
        for item in fields(self):
            value = getattr(self, item.name)
            if value is None and item.default is None:
                continue
            is_seconds = item.name == "seconds"
            if isinstance(value, bool) or not isinstance(value, (int, float) if is_seconds else int):
                raise ConfigError(f"limit {item.name!r} is {value!r}", hint="it must be a number")
            least = 0 if item.name in _MAY_BE_ZERO else 1
            # NaN is not above 0 either.
            if not (value > 0 if is_seconds else value >= least):
                rule = "above 0" if is_seconds else f"at least {least}"
                raise ConfigError(f"limit {item.name!r} is {value!r}", hint=f"it must be {rule}")
