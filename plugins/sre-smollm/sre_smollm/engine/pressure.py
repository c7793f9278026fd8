"""What happens when memory runs short: who gives way, how much is tried at once, and when more is tried again."""

import sys
from collections.abc import Set

from sre_core import logs
from sre_smollm.engine.memory import Memory
from sre_smollm.engine.planner import SHORT, Limits
from sre_smollm.engine.reading import TokenSequence
from sre_smollm.engine.stats import Counters

__all__ = ["Pressure"]

log = logs.get_logger(__name__)

# Steps without trouble after which one more sequence is let in again.
_CALM = 64


class Pressure:
    """Makes room, by what is kept first, then by sequences that nobody reads now, then by the newest.

    `chunk` is the longest piece that is read at once, `most` the number of sequences that may be at work; both fall
    when the network runs out of memory, and rise slowly afterwards.
    """

    def __init__(self, memory: Memory, limits: Limits, counters: Counters) -> None:
        self._memory = memory
        self._limits = limits
        self._counters = counters
        self._calm = 0
        self.chunk = limits.chunk
        self.most = sys.maxsize

    def relieve(self, busy: Set[TokenSequence]) -> TokenSequence | None:
        """Send sequences out until the rest fits; the one that does not fit alone, if it comes to that."""
        while self._memory.over:
            if len(self._memory) == 1:
                # It may stay as long as nothing but room taken ahead is too much.
                alone = self._memory.holders()[0][1]
                return None if self._memory.fits_alone(alone) else alone
            self._memory.park(self._victims(busy)[0], whole=True)
            self._counters.preemptions += 1
        return None

    def idle(self, busy: Set[TokenSequence]) -> bool:
        """Send out one sequence that nobody reads now; False when there is none."""
        victim = next((sequence for sequence in self._victims(busy) if sequence not in busy), None)
        if victim is None:
            return False
        self._memory.park(victim, whole=True)
        self._counters.preemptions += 1
        return True

    def shrink(self, busy: Set[TokenSequence]) -> bool:
        """Make do with less after the network ran out of memory; False when nothing is left to give up.

        What is kept goes first, half of it at a time, then half of the sequences at work, then half of a piece.
        """
        self._counters.shrinks += 1
        self._calm = 0
        freed = self._memory.kept.halve()
        if not freed:
            self.most = max(1, len(self._memory) // 2)
            while len(self._memory) > self.most:
                self._memory.drop(self._victims(busy)[0])
                self._counters.preemptions += 1
                freed = True
        if not freed and self.chunk > SHORT:
            self.chunk = max(SHORT, self.chunk // 2)
            freed = True
        log.warning("engine_out_of_memory", sequences=self.most, chunk=self.chunk, again=freed)
        return freed

    def relax(self) -> None:
        """Note a step that went well."""
        if self.most == sys.maxsize and self.chunk == self._limits.chunk:
            return
        self._calm += 1
        if self._calm % _CALM == 0:
            self.chunk = min(self._limits.chunk, self.chunk * 2)
            self.most = self.most + 1 if self.most < self._limits.batch else sys.maxsize

    def _victims(self, busy: Set[TokenSequence]) -> list[TokenSequence]:
        """Who gives way first: what nobody reads now, then the newest."""
        holders = [sequence for _, sequence in reversed(self._memory.holders())]
        return sorted(holders, key=lambda sequence: sequence in busy)
