"""What writing a reply needs of one model, besides its network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sre_core.errors import ConnectorError
from sre_smollm.engine.reading import Steps
from sre_smollm.networks.base import NetworkInfo
from sre_smollm.prompts.template import Template
from sre_smollm.writing.grammar import Grammars
from sre_smollm.writing.scoring import likelihoods

__all__ = ["Score", "Tools"]

Score = Callable[[Sequence[Sequence[int]], Sequence[int]], Steps[list[float]]]
"""How likely the same words (second) are after different beginnings (first), as `scoring.likelihoods` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The template, the grammars and the facts of one model; `ends` are the ids that end a reply."""

    template: Template
    grammars: Grammars
    info: NetworkInfo
    ends: frozenset[int]

    def score(self, prefixes: Sequence[Sequence[int]], words: Sequence[int]) -> Steps[list[float]]:
        """How likely `words` are after each of `prefixes`, in nats."""
        return likelihoods(prefixes, words, vocabulary=self.info.vocabulary)

    def room(self, size: int) -> int:
        """How many tokens fit after a prompt of `size`. Raises ConnectorError when none do."""
        most = self.info.context_tokens
        if size >= most:
            raise ConnectorError(
                f"the prompt has {size} tokens, the model's context {most}: {size - most + 1} too many",
                hint="shorten the conversation (limits.window_tokens), or use a model with a longer context",
            )
        return most - size
