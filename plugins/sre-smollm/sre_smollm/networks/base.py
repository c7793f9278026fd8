"""The one interface behind which every way to compute a model stands."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KVCache", "Network", "NetworkInfo", "OutOfMemoryError", "Row"]


class OutOfMemoryError(MemoryError):
    """There is no memory for a step; the caches are as they were before it, and the step may be tried again."""


class KVCache(ABC):
    """Keys and values of one sequence: what a network has read. For the engine's thread only."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Tokens that were read."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""

    @abstractmethod
    def truncate(self, length: int) -> None:
        """Forget all tokens from `length` on; not more than there are."""

    @abstractmethod
    def fork(self, length: int) -> "KVCache":
        """Another cache that begins with the first `length` tokens. Neither can change the other.

        Raises OutOfMemoryError.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the memory. Safe to call twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Tokens to read after those in `cache`; the scores after the last `keep` of them are wanted.

    `ids` is not empty; `keep` is at most its length, and may be 0.
    """

    cache: KVCache
    ids: Sequence[int]
    keep: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInfo:
    """What a loaded network is. `token_bytes` is what one token takes in a cache; `weights` says how they are kept."""

    name: str
    device: str
    weights: str
    parameters: int
    vocabulary: int
    context_tokens: int
    token_bytes: int


class Network(ABC):
    """A model as a function of tokens. Only one thread may use it at a time: the engine's.

    Rows of one call may differ in length, and have nothing to do with each other: what a row gives does not depend
    on its neighbours beyond rounding. It is made by a function that loads it, which may take long.
    """

    name: ClassVar[str]
    info: NetworkInfo

    @abstractmethod
    def cache(self) -> KVCache:
        """An empty cache."""

    @abstractmethod
    def forward(self, rows: Sequence[Row]) -> "list[NDArray[np.float32]]":
        """Read every row, all in one step. For each the scores (logits) after its last `keep` tokens.

        Shape (keep, vocabulary), float32; arrays belong to the caller. No cache may stand in two rows. Raises
        OutOfMemoryError, and then no cache has changed.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the weights. Safe to call twice."""
