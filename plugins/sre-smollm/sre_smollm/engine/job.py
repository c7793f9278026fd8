"""One piece of work on the engine: its steps, what it reads now, and who waits for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sre_smollm.engine.reading import Read, Steps, TokenSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Job", "Task"]


@dataclass(slots=True, eq=False)
class Task:
    """A read on its way. The tokens of its sequence are the aim; those in the cache are done."""

    read: Read
    done: bool = False
    long: bool = False
    """Whether it is read in pieces; up to its last one, so that who shares its tokens waits for all of them."""
    scored: int = 0
    scores: "list[NDArray[np.float32]]" = field(default_factory=list)

    @property
    def begun(self) -> bool:
        """Whether its sequence has a cache."""
        return self.read.sequence.cache is not None

    @property
    def left(self) -> int:
        """Tokens to be read still."""
        cache = self.read.sequence.cache
        return len(self.read.sequence.ids) - (cache.length if cache is not None else 0)

    @property
    def wanted(self) -> int:
        """Scores to be made still."""
        return self.read.keep - self.scored

    def keep(self, size: int) -> int:
        """Of the next `size` tokens, how many scores are wanted; they are those of the last ones."""
        return max(0, self.wanted - (self.left - size))

    def take(self, scores: "NDArray[np.float32]") -> None:
        """Take the scores of the tokens that were just read."""
        if len(scores):
            self.scores.append(scores)
            self.scored += len(scores)
        self.done = self.left == 0

    def result(self, vocabulary: int) -> "NDArray[np.float32]":
        """All scores, of shape (keep, vocabulary)."""
        import numpy as np

        if len(self.scores) == 1:
            return self.scores[0]
        return np.concatenate(self.scores) if self.scores else np.empty((0, vocabulary), dtype=np.float32)


class Job:
    """Work that waits, runs, or is over.

    `work` makes the steps, on the engine's thread. `paused` tells that its results find no room now, `over` is called
    once, with the error that ended it or None. Jobs of one `key` take turns with those of others. `arrived`,
    `admitted` and `first` are the times of the request, of the begin of the work and of its first result.
    """

    def __init__(
        self,
        work: Callable[[], Steps[None]],
        *,
        key: str = "",
        paused: Callable[[], bool] = lambda: False,
        over: Callable[[Exception | None], None] = lambda _: None,
    ) -> None:
        self.work = work
        self.key = key
        self.paused = paused
        self.over = over
        self.cancelled = False
        self.arrived = time.perf_counter()
        self.admitted = 0.0
        self.first = 0.0
        self.number = 0
        self.steps: Steps[None] | None = None
        self.tasks: list[Task] = []
        self.asked = 0
        self.sequences: set[TokenSequence] = set()
        self.begun: set[TokenSequence] = set()
        self.written = 0
        self.forced = 0

    @property
    def ready(self) -> bool:
        """Whether all that it asked for has been read."""
        return all(task.done for task in self.tasks)
