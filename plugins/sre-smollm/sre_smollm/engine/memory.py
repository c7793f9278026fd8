"""Who may hold keys and values: sequences at work, and what is left of earlier ones, within one limit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_smollm.engine.prefix_cache import Entry, PrefixCache, common
from sre_smollm.engine.reading import TokenSequence
from sre_smollm.networks.base import KVCache, Network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Memory"]

# Tokens that every sequence may grow by before a new one is let in: else it might be sent out again at once.
_HEADROOM = 64
# Tokens after which the size of a cache is measured again.
_MEASURE = 32


@dataclass(slots=True, kw_only=True, eq=False)
class _Live:
    """A sequence at work: the number of its owner, what is set aside for it, and its length when that was measured."""

    owner: int
    nbytes: int = 0
    measured: int = 0


class Memory:
    """The caches of all sequences, those at work and those that are kept. For the engine's thread only.

    Together they take at most `limit` bytes; with 0 nothing is kept or shared, and only the number of sequences and
    their length bound what those at work take.
    """

    def __init__(self, network: Network, limit: int) -> None:
        self._network = network
        self._limit = limit
        self._token = network.info.token_bytes
        self._live: dict[TokenSequence, _Live] = {}
        self.kept = PrefixCache()
        self.live_bytes = 0

    def __len__(self) -> int:
        return len(self._live)

    @property
    def over(self) -> bool:
        """Whether the sequences at work take more than there may be. Drops what is kept first."""
        if not self._limit:
            return False
        self.kept.evict(max(0, self._limit - self.live_bytes))
        return self.live_bytes > self._limit

    def fits_alone(self, sequence: TokenSequence) -> bool:
        """Whether the tokens of `sequence` may take so much memory at all."""
        return not self._limit or len(sequence.ids) * self._token <= self._limit

    @property
    def most(self) -> int:
        """Tokens that fit, as far as it is known what one takes."""
        return self._limit // max(1, self._token)

    def holders(self) -> list[tuple[int, TokenSequence]]:
        """The sequences at work with their owners, the oldest owner first."""
        return sorted(((live.owner, sequence) for sequence, live in self._live.items()), key=lambda pair: pair[0])

    def begin(self, sequence: TokenSequence, *, owner: int, keep: int) -> int | None:
        """Give `sequence` a cache; how many of its tokens were known, or None when there is no room now.

        The last `keep` tokens are left to be read. Raises OutOfMemoryError, and then nothing has changed but that
        what was kept may be gone.
        """
        cost = len(sequence.ids) * self._token
        # A cache may take room ahead of its tokens, about an eighth more.
        headroom = cost // 8 + _HEADROOM * (len(self._live) + 1) * self._token if self._live else 0
        if self._limit and self.live_bytes + cost + headroom > self._limit:
            return None
        cache, known = self._known(sequence, len(sequence.ids) - keep, cost)
        sequence.cache = cache if cache is not None else self._network.cache()
        self._live[sequence] = _Live(owner=owner)
        self.account(sequence)
        return known

    def _known(self, sequence: TokenSequence, most: int, cost: int) -> tuple[KVCache | None, int]:
        import numpy as np

        if not self._limit or most <= 0:
            return None, 0
        ids = np.array(sequence.ids, dtype=np.int32)
        entry, size = self.kept.find(ids, most)
        neighbour, shared = self._neighbour(ids, most, size)
        # The room that is left for what is kept, once this sequence has its own.
        spare = self._limit - self.live_bytes - cost
        if neighbour is not None:
            self.kept.evict(spare)
            return neighbour.fork(shared), shared
        if entry is None:
            self.kept.evict(spare)
            return None, 0
        return self._from(entry, size, spare), size

    def _neighbour(self, ids: "NDArray[np.int32]", most: int, size: int) -> tuple[KVCache | None, int]:
        """The cache of a sequence at work that shares more than `size` of the first tokens, and how many."""
        import numpy as np

        best: KVCache | None = None
        for other in self._live:
            cache = other.cache
            if cache is None or size >= min(cache.length, most) or other.ids[size] != ids[size]:
                continue
            found = min(common(np.array(other.ids[: cache.length], dtype=np.int32), ids), most)
            if found > size:
                best, size = cache, found
        return best, size

    def _from(self, entry: Entry, size: int, spare: int) -> KVCache:
        if len(entry.ids) > size and entry.nbytes <= spare:
            cache = entry.cache.fork(size)
            self.kept.evict(spare)
            return cache
        # Its whole text goes on, or there is no room for it twice; whoever comes next shares this sequence.
        cache = self.kept.take(entry)
        cache.truncate(size)
        self.kept.evict(spare)
        return cache

    def account(self, sequence: TokenSequence) -> None:
        """Set aside what the tokens of `sequence` take, read or not."""
        live, cache = self._live[sequence], sequence.cache
        length = len(sequence.ids)
        needed = max(length * self._token, live.nbytes)
        if cache is not None and (not live.measured or cache.length >= live.measured + _MEASURE):
            live.measured = max(cache.length, 1)
            if not self._token and cache.length:
                # Not every network can say it beforehand.
                self._token = cache.nbytes // cache.length
            needed = max(length * self._token, cache.nbytes)
        self.live_bytes += needed - live.nbytes
        live.nbytes = needed

    def park(self, sequence: TokenSequence, *, whole: bool = False) -> None:
        """Keep what `sequence` has read, as far as it is worth it, or all. If it goes on later, it begins anew."""
        import numpy as np

        cache = self._forget(sequence)
        if cache is None:
            return
        length = cache.length if whole or sequence.remember is None else min(cache.length, sequence.remember)
        if not self._limit or length <= 0:
            cache.close()
            return
        cache.truncate(length)
        self.kept.add(np.array(sequence.ids[:length], dtype=np.int32), cache)
        self.kept.evict(max(0, self._limit - self.live_bytes))

    def drop(self, sequence: TokenSequence) -> None:
        """Free what `sequence` holds. It may go on later, and is read again then."""
        cache = self._forget(sequence)
        if cache is not None:
            cache.close()

    def _forget(self, sequence: TokenSequence) -> KVCache | None:
        live = self._live.pop(sequence, None)
        if live is not None:
            self.live_bytes -= live.nbytes
        cache, sequence.cache = sequence.cache, None
        return cache

    def close(self) -> None:
        """Free everything."""
        for sequence in list(self._live):
            self.drop(sequence)
        self.kept.evict(-1)
