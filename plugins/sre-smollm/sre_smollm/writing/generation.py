"""The loop that writes: pick a token, read it, until an end, a limit, or a complete grammar."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_smollm.engine.sequence import Sequence
from sre_smollm.writing.grammar import Constraint

if TYPE_CHECKING:
    import torch

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
        import torch

        self._sampling = sampling
        self._random = torch.Generator()
        if sampling.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(sampling.seed)

    def pick(self, logits: "torch.Tensor") -> int:
        """A token for `logits` of shape (vocabulary,)."""
        import torch

        temperature = self._sampling.temperature
        if not temperature:
            return int(logits.argmax())
        chances = (logits.cpu() / temperature).softmax(-1)
        ordered, order = chances.sort(descending=True, stable=True)
        top_p = self._sampling.top_p
        if top_p is not None and top_p < 1:
            # Keeps the smallest set of tokens that reaches top_p; always the first one.
            ordered = ordered.masked_fill(ordered.cumsum(-1) - ordered >= top_p, 0.0)
        return int(order[torch.multinomial(ordered, 1, generator=self._random)])


class Writer:
    """Writes tokens after what a sequence has read, and counts them.

    `ended` tells that the model said it was done, or the grammar was complete; else the limit was reached.
    """

    def __init__(self, sequence: Sequence, sampler: Sampler, *, ends: frozenset[int], limit: int) -> None:
        self._sequence = sequence
        self._sampler = sampler
        self._ends = ends
        self._unread: list[int] = []
        self.left = limit
        self.written = 0
        self.ended = False

    def write(self, constraint: Constraint | None = None) -> Iterator[int]:
        """Tokens, one by one, without the one that ends the reply. Raises Cancelled."""
        self.ended = False
        while self.left > 0:
            if constraint is not None:
                # About half of the tokens of a call have no alternative, and need no step of the model.
                forced = constraint.forced()[: self.left]
                self.dictate(forced)
                yield from forced
                if constraint.finished:
                    self.ended = True
                    return
                if self.left <= 0:
                    return
            logits = self._logits()
            token = self._sampler.pick(constraint.mask(logits) if constraint is not None else logits)
            if token in self._ends:
                self.ended = True
                return
            if constraint is not None:
                constraint.accept(token)
            self.dictate([token])
            yield token
        self.ended = constraint is not None and constraint.finished

    def dictate(self, ids: list[int]) -> None:
        """Put tokens in the model's mouth: they count as written, and are read before the next pick."""
        self._unread += ids
        self.left -= len(ids)
        self.written += len(ids)

    def take_back(self) -> None:
        """Undo the last token that `write` gave, which has not been read yet."""
        self._unread.pop()
        self.left += 1
        self.written -= 1

    def _logits(self) -> "torch.Tensor":
        unread, self._unread = self._unread, []
        if unread:
            self._sequence.read(unread)
        return self._sequence.logits
