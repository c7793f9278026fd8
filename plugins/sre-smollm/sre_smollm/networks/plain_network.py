"""A model of transformers that reads rows one by one, with a cache of its own kind. Importing it loads torch."""

import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from transformers.cache_utils import Cache, DynamicLayer

from sre_core.errors import ConfigError
from sre_smollm.networks.base import KVCache, Network, NetworkInfo, Row
from sre_smollm.networks.cache_argument import cache_argument
from sre_smollm.networks.memory import memory_errors
from sre_smollm.networks.threads import Threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PlainCache", "PlainNetwork"]

# How far scores may be apart that should be the same, as a part of their spread: rounding, in any precision.
_NEAR = 0.1


class PlainCache(KVCache):
    """The model's own cache of one sequence, and the ids that are in it.

    Most recurrent states cannot forget their last tokens. Then the state is dropped, and the tokens that remain are
    read again with the next ones.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.state: Any = None
        self.read = 0
        """How many of the ids are in the state."""

    @property
    def length(self) -> int:
        """Tokens that were read, or will be before others."""
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """Memory that the state holds, in bytes."""
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in _tensors(self.state)}.values())

    def truncate(self, length: int) -> None:
        """Forget all tokens from `length` on; not more than there are."""
        self._check(length)
        del self.ids[length:]
        self._forget(length)

    def fork(self, length: int) -> "PlainCache":
        """A copy of the first `length` tokens. Raises OutOfMemoryError."""
        self._check(length)
        made = PlainCache()
        made.ids = self.ids[:length]
        # A state that would have to forget is not worth its copy.
        if self.read <= length or _croppable(self.state):
            with memory_errors(), torch.inference_mode():
                made.state = copy.deepcopy(self.state)
            made.read = self.read
            made._forget(length)
        return made

    def close(self) -> None:
        """Free the memory. Safe to call twice."""
        self.ids = []
        self.state = None
        self.read = 0

    def _check(self, length: int) -> None:
        if not 0 <= length <= len(self.ids):
            raise ValueError(f"a cache of {len(self.ids)} tokens cannot be cut to {length}")

    def _forget(self, length: int) -> None:
        if self.read <= length:
            return
        if length and _croppable(self.state):
            self.state.crop(length - self.read)
            self.read = length
        else:
            self.state = None
            self.read = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A row after its step: the new state, and the scores."""

    state: Any
    scores: "NDArray[np.float32]"


class PlainNetwork(Network):
    """For recurrent models, and for those whose attention cannot be replaced: slower, but for every causal model."""

    name: ClassVar[str] = "transformers"

    def __init__(self, model: Any, info: NetworkInfo, threads: Threads) -> None:
        self.model = model
        self.info = info
        self._threads = threads
        name = cache_argument(model)
        if name is None:
            raise ConfigError(
                f"{type(model).__name__} has no cache that could be kept between tokens", hint="use another model"
            )
        self._name = name
        self._picks = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._goes_on = True
        self._goes_on = self._continues()

    def cache(self) -> PlainCache:
        """An empty cache."""
        return PlainCache()

    def forward(self, rows: Sequence[Row]) -> "list[NDArray[np.float32]]":
        """Read every row, one after the other. For each the scores (logits) after its last `keep` tokens.

        Shape (keep, vocabulary), float32. Raises OutOfMemoryError, and then no cache has changed.
        """
        pairs: list[tuple[PlainCache, Row]] = []
        for row in rows:
            if not isinstance(row.cache, PlainCache):
                raise TypeError(f"a cache of another network: {row.cache!r}")
            pairs.append((row.cache, row))
        with memory_errors(), torch.inference_mode():
            done: list[_Read] = []
            try:
                done.extend(self._read(cache, row) for cache, row in pairs)
            except BaseException:
                # The rest of a row may have been added to a state that grows in place.
                for cache, _ in pairs:
                    _restore(cache)
                raise
        for (cache, row), read in zip(pairs, done, strict=True):
            cache.state = read.state
            cache.ids.extend(row.ids)
            cache.read = len(cache.ids)
        return [read.scores for read in done]

    def close(self) -> None:
        """Free the weights. Safe to call twice."""
        self.model = None

    def _continues(self) -> bool:
        """Whether several tokens after others give what they give alone: some recurrent models take one at a time."""
        ids = [place * 7 % self.info.vocabulary for place in range(5)]
        parted, whole = self.cache(), self.cache()
        try:
            self.forward([Row(cache=parted, ids=ids[:2])])
            first, second = self.forward([Row(cache=parted, ids=ids[2:]), Row(cache=whole, ids=ids)])
        except (ValueError, RuntimeError, AssertionError, NotImplementedError):
            return False
        return float(abs(first - second).max()) <= _NEAR * float(second.std())

    def _read(self, cache: PlainCache, row: Row) -> _Read:
        ids = [*cache.ids[cache.read :], *row.ids]
        self._threads.use(len(ids))
        # A state that cannot forget what a failed step added is changed in a copy.
        state = cache.state if _croppable(cache.state) else copy.deepcopy(cache.state)
        size = len(ids) if self._goes_on or state is None else 1
        found: list[torch.Tensor] = []
        for start in range(0, len(ids), size):
            left = len(ids) - start - size
            state, scores = self._step(state, ids[start : start + size], max(0, min(size, row.keep - left)))
            found.append(scores)
        return _Read(state=state, scores=torch.cat(found).float().cpu().numpy())

    def _step(self, state: Any, ids: Sequence[int], keep: int) -> tuple[Any, torch.Tensor]:
        output = self.model(
            input_ids=torch.tensor([ids], device=self.model.get_input_embeddings().weight.device),
            use_cache=True,
            **{self._name: state},
            **({"logits_to_keep": max(1, keep)} if self._picks else {}),
        )
        scores = output.logits[0]
        return getattr(output, self._name), scores[scores.shape[0] - keep :]


def _croppable(state: Any) -> bool:
    """Whether the state is keys and values of all tokens, the last of which can be dropped."""
    return isinstance(state, Cache) and all(type(layer) is DynamicLayer for layer in state.layers)


def _restore(cache: PlainCache) -> None:
    """Drop what a failed step added, which may be in some layers only."""
    if not _croppable(cache.state):
        return
    for layer in cache.state.layers:
        more = layer.get_seq_length() - cache.read
        if more > 0:
            layer.crop(-more)


def _tensors(state: Any) -> Iterator[torch.Tensor]:
    """All tensors in the state, wherever its kind keeps them."""
    if isinstance(state, torch.Tensor):
        yield state
    elif isinstance(state, dict):
        for item in state.values():
            yield from _tensors(item)
    elif isinstance(state, list | tuple):
        for item in state:
            yield from _tensors(item)
    elif isinstance(state, Cache):
        yield from _tensors(state.layers)
    elif hasattr(state, "__dict__"):
        yield from _tensors(vars(state))
