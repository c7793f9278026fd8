"""The loop that writes: pick a token, read it, until an end, a limit, or a complete grammar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_smollm.engine.reading import Steps, TokenSequence
from sre_smollm.writing.grammar import Constraint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Sampler", "Sampling", "Writer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to pick a token: the likeliest one, unless `temperature` is above zero."""

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None


class Sampler:
    """Picks tokens; the same seed gives the same picks."""

    def __init__(self, sampling: Sampling) -> None:
        import numpy as np

        self._sampling = sampling
        seed = sampling.seed
        # Its generator takes no negative seed.
        self._random = np.random.default_rng(seed if seed is None or seed >= 0 else (-seed, 1))

    def pick(self, scores: "NDArray[np.float32]") -> int:
        """A token for `scores` of shape (vocabulary,), of which at least one is finite."""
        temperature = self._sampling.temperature
        if not temperature:
            return int(scores.argmax())
        chances = _chances(scores, temperature)
        top_p = self._sampling.top_p
        if top_p is None or top_p >= 1:
            return self._draw(chances)
        kept, shares = _nucleus(chances, top_p)
        return int(kept[self._draw(shares)])

    def _draw(self, shares: "NDArray[np.float64]") -> int:
        sums = shares.cumsum()
        place = int(sums.searchsorted(self._random.random() * sums[-1], side="right"))
        # Rounding at the very end must not lead to a token without a share.
        return place if place < len(shares) and shares[place] > 0 else int(shares.argmax())


def _chances(scores: "NDArray[np.float32]", temperature: float) -> "NDArray[np.float64]":
    import numpy as np

    chances = scores.astype(np.float64)
    chances -= chances.max()
    # A temperature next to zero makes what is less likely infinitely so.
    with np.errstate(over="ignore"):
        chances /= temperature
    np.exp(chances, out=chances)
    chances /= chances.sum()
    return chances


def _nucleus(chances: "NDArray[np.float64]", top_p: float) -> "tuple[NDArray[np.intp], NDArray[np.float64]]":
    """The smallest set of tokens that reaches `top_p`, the likeliest first, and their shares; at least one token.

    Nucleus sampling, Holtzman et al. 2020.
    """
    import numpy as np

    # All tokens below this together miss no more than top_p leaves out, so the few above are enough to sort.
    kept = np.flatnonzero(chances >= (1 - top_p) / len(chances))
    kept = kept[np.argsort(-chances[kept], kind="stable")]
    shares = chances[kept]
    size = int((shares.cumsum() - shares).searchsorted(top_p, side="left"))
    size = max(1, size)
    return kept[:size], shares[:size]


class Writer:
    """Writes tokens after a prompt, and counts them.

    `ended` tells that the model said it was done, or the grammar was complete; else the limit was reached. The prompt
    is read with the first token that needs scores, and what was put in the model's mouth until then along with it.
    """

    def __init__(self, prompt: Sequence[int], sampler: Sampler, *, ends: frozenset[int], limit: int) -> None:
        self.sequence = TokenSequence()
        self._sampler = sampler
        self._ends = ends
        self._unread: list[int] = list(prompt)
        self.left = limit
        self.ended = False

    @property
    def written(self) -> int:
        """Tokens after the prompt."""
        return self.sequence.written

    def write(self, constraint: Constraint | None = None) -> Steps[list[int]]:
        """The next tokens: one, or several that have no alternative. None when it is over.

        The token that ends the reply is not among them. Raises ConnectorError when the grammar comes to a dead end.
        """
        self.ended = constraint is not None and constraint.finished
        if self.ended or self.left <= 0:
            return []
        if constraint is not None:
            # About half of the tokens of a call have no alternative, and need no step of the network.
            forced = constraint.forced()[: self.left]
            self.dictate(forced)
            self.ended = constraint.finished
            if forced or self.ended:
                return forced
        scores = yield from self._scores(constraint)
        token = self._sampler.pick(scores)
        if token in self._ends:
            self.ended = True
            return []
        if constraint is not None and not constraint.accept(token):
            raise constraint.dead_end()
        self._take([token])
        return [token]

    def dictate(self, ids: Sequence[int]) -> None:
        """Put tokens in the model's mouth, as far as the limit allows: they are read before the next pick."""
        fitting = ids[: max(0, self.left)]
        self._take(fitting)
        self.sequence.forced += len(fitting)

    def take_back(self) -> None:
        """Undo the last token that `write` gave, which has not been read yet."""
        self._unread.pop()
        self.left += 1
        self.sequence.written -= 1

    def _take(self, ids: Sequence[int]) -> None:
        self._unread += ids
        self.left -= len(ids)
        self.sequence.written += len(ids)

    def _scores(self, constraint: Constraint | None) -> "Steps[NDArray[np.float32]]":
        unread, self._unread = self._unread, []
        scores = (yield from self.sequence.read(unread))[-1]
        return scores if constraint is None else constraint.mask(scores)
