"""What work on the engine asks for: tokens to be read, in a sequence of its own."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sre_smollm.networks.base import KVCache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Read", "Steps", "TokenSequence"]

T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class TokenSequence:
    """Tokens that work has read so far, and their cache.

    The scheduler fills it: a new sequence begins with what the prefix cache knows of its first tokens, and the cache
    of one that had to make room is built again when it goes on. `cached` counts tokens that were not computed.
    """

    ids: list[int] = field(default_factory=list)
    cache: KVCache | None = None
    cached: int = 0
    remember: int | None = None
    """How many of its first tokens are worth keeping once the work is over; None for all."""
    written: int = 0
    forced: int = 0
    """Of the tokens that were written, those that had no alternative. Both are counted by who writes."""

    def read(self, ids: Sequence[int], keep: int = 1) -> "Steps[NDArray[np.float32]]":
        """Read `ids`, which must not be empty; the scores after the last `keep`, of shape (keep, vocabulary)."""
        scores: NDArray[np.float32]
        (scores,) = yield (Read(sequence=self, ids=ids, keep=keep),)
        return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read `ids` after what `sequence` has read; the scores after the last `keep` tokens are wanted.

    After a `final` read the sequence is over, and its cache goes to where the prefixes are kept.
    """

    sequence: TokenSequence
    ids: Sequence[int]
    keep: int = 1
    final: bool = False


Steps = Generator[tuple[Read, ...], list[Any], T]
"""Work: yields what it wants read, is sent the scores (one float32 array of shape (keep, vocabulary) for each Read, in
the same order), and returns a result. Reads of one yield are of different sequences, and may be done in any order;
a yield without reads lets others go first. It is closed (GeneratorExit) when nobody waits for it any more."""
