"""Where a run of a workflow stops by itself."""

from dataclasses import dataclass

from sre_core.errors import ConfigError

__all__ = ["WorkflowLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowLimits:
    """Limits of one run; reaching `runs` or `seconds` raises LimitExceededError.

    `runs` is how often one node may run, in a circle of links; every item of a loop counts from the beginning. None
    for no limit. `parallel` is how many nodes of one part run at once, the others wait for a place. `seconds` is for
    the whole run, without the jobs that it started. `jobs` is how many jobs of the agent may run at once; an Async that
    would start one more fails.
    """

    runs: int | None = 1000
    parallel: int = 256
    seconds: float | None = None
    jobs: int | None = 10_000

    def __post_init__(self) -> None:
        """Refuse limits under which nothing could run. Raises ConfigError."""
        for name in ("runs", "parallel", "seconds", "jobs"):
            value = getattr(self, name)
            if value is None and name != "parallel":
                continue
            wanted = (int, float) if name == "seconds" else int
            if isinstance(value, bool) or not isinstance(value, wanted) or not value > 0:
                raise ConfigError(f"limit {name!r} is {value!r}", hint="it must be a number above 0")
