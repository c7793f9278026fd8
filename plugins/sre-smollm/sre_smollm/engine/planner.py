"""How much is read in one step: few tokens of many sequences, and a piece of one long read."""

from dataclasses import dataclass

from sre_smollm.engine.job import Task

__all__ = ["SHORT", "Limits", "Plan", "Slice"]

# Reads of up to so many tokens go along with the tokens that others write.
SHORT = 16
# Rows of one step at most, however short they are.
_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an engine does at once.

    At most `batch` jobs run and `queue` wait. Keys and values take `cache_bytes`; with 0 nothing is kept or shared. A
    long read goes in pieces of `chunk` tokens, or of `busy_chunk` while others write, and the scores of one step take
    about `score_bytes`. Of the results of a job at most `results` wait for its reader before it pauses.
    """

    batch: int = 16
    queue: int = 1000
    cache_bytes: int = 1 << 30
    chunk: int = 512
    busy_chunk: int = 128
    score_bytes: int = 64 << 20
    results: int = 64


@dataclass(frozen=True, slots=True)
class Slice:
    """The next `size` tokens of a read."""

    task: Task
    size: int


class Plan:
    """The rows of one step, as they are put together."""

    def __init__(self, *, scores: int) -> None:
        self.slices: list[Slice] = []
        self._scores = scores

    @property
    def full(self) -> bool:
        """Whether nothing more can be added."""
        return len(self.slices) >= _ROWS or (bool(self.slices) and self._scores <= 0)

    def short(self, task: Task) -> bool:
        """Add all that is left of a read; False when the step is full."""
        return self._add(task, task.left)

    def piece(self, task: Task, tokens: int) -> int:
        """Add as much of a read as there is room for, up to `tokens`; how many that are."""
        size = min(tokens, task.left)
        # The first tokens of a piece need no scores, so a piece may always end before those that do.
        size = min(size, max(task.left - task.wanted + self._scores, 0 if self.slices else 1))
        return size if size > 0 and self._add(task, size) else 0

    def _add(self, task: Task, size: int) -> bool:
        kept = task.keep(size)
        if self.slices and (len(self.slices) >= _ROWS or kept > self._scores):
            return False
        self._scores -= kept
        self.slices.append(Slice(task, size))
        return True
