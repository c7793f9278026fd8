"""From the hidden states of a text's tokens to its vector: pooling, dense layers, normalising."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["Activation", "Dense", "Mode", "Normalize", "Step", "pooled"]

Mode = Literal["cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken"]
Activation = Literal["Identity", "Tanh", "ReLU", "Sigmoid"]


def pooled(states: "Floats", modes: Sequence[Mode], *, start: int) -> "Floats":
    """One vector of a text from its states of shape (tokens, hidden); shape (hidden x number of modes,).

    `start` tokens of a prompt are left out, except by the first and the last token. Several modes stand side by
    side, in the order of `Mode`. "weightedmean" and "lasttoken" are those of https://arxiv.org/abs/2202.08904.
    """
    import numpy as np

    counted = states[min(start, len(states) - 1) :]
    made: list[Floats] = []
    for mode in modes:
        match mode:
            case "cls":
                made.append(states[0])
            case "max":
                made.append(counted.max(axis=0))
            case "mean":
                made.append(counted.mean(axis=0))
            case "mean_sqrt_len":
                made.append(counted.sum(axis=0) / np.float32(math.sqrt(len(counted))))
            case "weightedmean":
                # A token weighs as much as its place in the whole text says.
                weights = np.arange(len(states) - len(counted) + 1, len(states) + 1, dtype=np.float32)
                made.append((weights / weights.sum()) @ counted)
            case "lasttoken":
                made.append(states[-1])
    return np.concatenate(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A layer on whole vectors: `weight` has shape (out, in)."""

    weight: "Floats"
    bias: "Floats | None"
    activation: Activation

    def __call__(self, vectors: "Floats") -> "Floats":
        """Shape (texts, in) to (texts, out)."""
        made = vectors @ self.weight.T
        if self.bias is not None:
            made += self.bias
        return _activated(made, self.activation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalize:
    """Makes every vector one long; a vector of zeros stays what it is."""

    def __call__(self, vectors: "Floats") -> "Floats":
        """Shape (texts, dims), kept."""
        import numpy as np

        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        made: Floats = vectors / np.maximum(lengths, np.float32(1e-12))
        return made


Step = Dense | Normalize


def _activated(numbers: "Floats", activation: Activation) -> "Floats":
    import numpy as np

    match activation:
        case "Identity":
            return numbers
        case "Tanh":
            return np.tanh(numbers)
        case "ReLU":
            return np.maximum(numbers, np.float32(0))
        case "Sigmoid":
            # In this form no number is too large for exp.
            half = np.float32(0.5)
            made: Floats = (np.tanh(numbers * half) + 1) * half
            return made
