"""How likely the same words are after different beginnings, many beginnings at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sre_smollm.engine.reading import Read, Steps, TokenSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["likelihoods"]

# Scores that are held at once: 64 MB.
_SCORES = 1 << 24


def likelihoods(prefixes: Sequence[Sequence[int]], words: Sequence[int], *, vocabulary: int) -> Steps[list[float]]:
    """The log-probability of `words`, in nats, after each of `prefixes`; none of them may be empty.

    The beginnings are remembered, so that the next words after them cost no more than their own tokens.
    """
    rows = max(1, _SCORES // (len(words) * vocabulary))
    found: list[float] = []
    for start in range(0, len(prefixes), rows):
        scores = yield tuple(_read(prefix, words) for prefix in prefixes[start : start + rows])
        found += [_one(table, words) for table in scores]
    return found


def _read(prefix: Sequence[int], words: Sequence[int]) -> Read:
    # The last token of a beginning is read anew each time, since the score after it is wanted.
    sequence = TokenSequence(remember=len(prefix) - 1)
    return Read(sequence=sequence, ids=[*prefix, *words[:-1]], keep=len(words), final=True)


def _one(scores: "NDArray[np.float32]", words: Sequence[int]) -> float:
    import numpy as np

    # The logarithm of a softmax, of the wanted places alone; the table is ours, and may be used up.
    scores -= scores.max(axis=1, keepdims=True)
    wanted = scores[np.arange(len(words)), list(words)]
    np.exp(scores, out=scores)
    return float((wanted - np.log(scores.sum(axis=1))).sum())
