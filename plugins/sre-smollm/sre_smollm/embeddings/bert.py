"""The forward pass of a BERT network in numpy: no padding, no masks, and no seconds spent on importing torch.

The network is that of "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
https://arxiv.org/abs/1810.04805, without its pooler. Tokens of all texts lie in one matrix; only attention looks at
texts, those of one length together.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from sre_core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float32]

__all__ = ["Bert"]

# Numbers that are worked on at once where many steps follow each other; they fit the cache of a core.
_BLOCK = 16384
# Attention scores that are worked on at once, for the same reason.
_SCORES = 2**18
# erf(x) = 1 - (a1 t + ... + a5 t^5) exp(-x^2), t = 1 / (1 + p x), x >= 0, error below 1.5e-7: Abramowitz and Stegun,
# Handbook of Mathematical Functions, 7.1.26.
_P = 0.3275911
_A = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


class Bert:
    """A BERT encoder with float32 weights. Thread-safe, since nothing is changed after it is made."""

    def __init__(self, config: Mapping[str, Any], tensors: "Mapping[str, Floats]", place: str) -> None:
        """Take the weights by their names. Raises ConfigError naming `place` and the tensor that does not fit."""
        import numpy as np

        prefix = "bert." if "bert.embeddings.word_embeddings.weight" in tensors else ""
        self._tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        self._place = place
        self.dims = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = np.float32(config.get("layer_norm_eps", 1e-12))
        width, inner = self.dims, int(config["intermediate_size"])
        self._words = self._take("embeddings.word_embeddings.weight", int(config["vocab_size"]), width)
        self._places = self._take("embeddings.position_embeddings.weight", config["max_position_embeddings"], width)
        kinds = self._take("embeddings.token_type_embeddings.weight", int(config.get("type_vocab_size", 2)), width)
        # All tokens of a single text are of the first kind.
        self._places = self._places + kinds[0]
        self._norm = self._pair("embeddings.LayerNorm", width)
        self._layers = [self._layer(number, inner) for number in range(int(config["num_hidden_layers"]))]
        self._tensors = {}

    @staticmethod
    def fits(config: Mapping[str, Any]) -> bool:
        """Whether a config.json describes a network that this class runs."""
        sizes = ("hidden_size", "num_attention_heads", "intermediate_size", "vocab_size", "num_hidden_layers")
        return (
            config.get("model_type") == "bert"
            and config.get("hidden_act") == "gelu"
            and config.get("position_embedding_type", "absolute") == "absolute"
            and not config.get("is_decoder")
            and all(isinstance(config.get(name), int) for name in (*sizes, "max_position_embeddings"))
            and config["hidden_size"] % max(config["num_attention_heads"], 1) == 0
        )

    def states(self, rows: Sequence[Sequence[int]]) -> "list[Floats]":
        """The last hidden states of each row of token ids, shape (tokens, hidden). Fastest if sorted by length."""
        import numpy as np

        places = np.concatenate([np.arange(len(row)) for row in rows])
        hidden = self._words[np.concatenate([np.asarray(row) for row in rows])] + self._places[places]
        hidden = self._normed(hidden, self._norm)
        groups = [group for length, same in groupby(rows, key=len) for group in self._groups(length, len(list(same)))]
        for mixed, out, grow, shrink, first, second in self._layers:
            states = self._attended(_linear(hidden, mixed), groups)
            hidden = self._normed(_linear(states, out) + hidden, first)
            inner = _linear(hidden, grow)
            _gelu(inner)
            hidden = self._normed(_linear(inner, shrink) + hidden, second)
        return np.split(hidden, np.cumsum([len(row) for row in rows])[:-1])

    def _groups(self, length: int, count: int) -> list[tuple[int, int]]:
        """Texts of one length in parts whose attention scores fit the cache of a core."""
        step = max(_SCORES // (self._heads * length * length), 1)
        return [(length, min(step, count - start)) for start in range(0, count, step)]

    def _attended(self, mixed: "Floats", groups: list[tuple[int, int]]) -> "Floats":
        """Attention over (tokens, 3 x hidden): queries, keys and values; `groups` are lengths with their counts."""
        import numpy as np

        made = np.empty((len(mixed), self.dims), dtype=np.float32)
        scale = np.float32(1 / math.sqrt(self.dims // self._heads))
        start = 0
        for length, count in groups:
            stop = start + length * count
            parts = mixed[start:stop].reshape(count, length, 3, self._heads, -1)
            queries, keys, values = parts.transpose(2, 0, 3, 1, 4)
            scores = (queries * scale) @ keys.swapaxes(2, 3)
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            # Divided after the product, since there are fewer numbers then.
            states = (scores @ values) / scores.sum(axis=-1, keepdims=True)
            made[start:stop] = states.transpose(0, 2, 1, 3).reshape(stop - start, self.dims)
            start = stop
        return made

    def _normed(self, numbers: "Floats", pair: "tuple[Floats, Floats]") -> "Floats":
        import numpy as np

        numbers = numbers - numbers.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", numbers, numbers) / np.float32(self.dims)
        numbers /= np.sqrt(variance + self._epsilon)[:, None]
        numbers *= pair[0]
        numbers += pair[1]
        return numbers

    def _layer(self, number: int, inner: int) -> "tuple[tuple[Floats, Floats], ...]":
        import numpy as np

        name, width = f"encoder.layer.{number}", self.dims
        parts = [self._pair(f"{name}.attention.self.{part}", width, width) for part in ("query", "key", "value")]
        return (
            (np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])),
            self._pair(f"{name}.attention.output.dense", width, width),
            self._pair(f"{name}.intermediate.dense", inner, width),
            self._pair(f"{name}.output.dense", width, inner),
            self._pair(f"{name}.attention.output.LayerNorm", width),
            self._pair(f"{name}.output.LayerNorm", width),
        )

    def _pair(self, name: str, *shape: int) -> "tuple[Floats, Floats]":
        return self._take(f"{name}.weight", *shape), self._take(f"{name}.bias", shape[0])

    def _take(self, name: str, *shape: int) -> "Floats":
        tensor = self._tensors.get(name)
        if tensor is None or tensor.shape != shape:
            found = "is missing" if tensor is None else f"has shape {tensor.shape}, not {shape}"
            raise ConfigError(f"in the weights of {self._place!r} {name!r} {found}", hint="fetch the model again")
        return tensor


def _linear(numbers: "Floats", pair: "tuple[Floats, Floats]") -> "Floats":
    made: Floats = numbers @ pair[0].T
    made += pair[1]
    return made


def _gelu(numbers: "Floats") -> None:
    """x (1 + erf(x / sqrt 2)) / 2, in place, which is max(x, 0) - |x| / 2 (1 - erf(|x| / sqrt 2))."""
    import numpy as np

    flat = numbers.reshape(-1)
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        size = np.abs(block) * np.float32(math.sqrt(0.5))
        step = 1 / (1 + np.float32(_P) * size)
        rest = step * np.float32(_A[0])
        for factor in _A[1:]:
            rest += np.float32(factor)
            rest *= step
        rest *= np.exp(-size * size)
        rest *= size
        rest *= np.float32(math.sqrt(0.5))
        np.maximum(block, 0, out=block)
        block -= rest
