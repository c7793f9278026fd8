"""Vectors for everybody who asks at once: one thread, fair rounds, and a cache of what was asked before."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_core.errors import UnavailableError
from sre_smollm.embeddings.cache import VectorCache
from sre_smollm.embeddings.encoder import Encoder
from sre_smollm.embeddings.options import EmbeddingOptions
from sre_smollm.embeddings.places import model_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embedder", "EmbeddingStats"]

# Batches of a round, which is what a new call may have to wait for and what a cancelled one may still cost: enough for
# all threads, and well below a second of one core for a small model.
_BATCHES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingStats:
    """What an embedder has done. `hits` are texts that were answered without the network, `misses` those that ran
    through it, in `rounds`; `entries` and `bytes` are what the cache holds now, `waiting` the calls in line.
    """

    hits: int
    misses: int
    rounds: int
    entries: int
    bytes: int
    waiting: int


class _Call:
    """The texts of one call: what is still to do, and the vectors that are found."""

    def __init__(self, texts: Sequence[str], model: str) -> None:
        self.keys = [VectorCache.key(model, text) for text in texts]
        self.todo = deque(dict(zip(self.keys, texts, strict=True)).items())
        self.found: dict[bytes, NDArray[np.float32]] = {}
        self.open = len(self.todo)

    def give(self, key: bytes, vector: "NDArray[np.float32]") -> None:
        """Note the vector of a text that was to do."""
        self.found[key] = vector
        self.open -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A text of a round, with the calls that wait for its vector."""

    text: str
    tokens: list[int]
    calls: list[_Call]


class Embedder:
    """Makes vectors with one model, which is loaded when it is first needed.

    Texts of all calls share batches. Each round takes from every call in turn, so that a call with a few texts
    never waits for one with thousands. May be used from any thread and from an event loop.
    """

    def __init__(self, options: EmbeddingOptions) -> None:
        """Store the options; open nothing."""
        self._options = options
        self._cache = VectorCache(options.cache_bytes)
        self._encoder: Encoder | None = None
        self._thread: ThreadPoolExecutor | None = None
        # Guards the line of calls and the counters, which callers and the thread both change.
        self._lock = threading.Lock()
        self._line: deque[_Call] = deque()
        self._hits = 0
        self._misses = 0
        self._rounds = 0

    @property
    def started(self) -> bool:
        """Whether the model is loaded."""
        return self._encoder is not None

    @property
    def stats(self) -> EmbeddingStats:
        """What was done since this object was made, and what the cache holds."""
        with self._lock:
            return EmbeddingStats(
                hits=self._hits,
                misses=self._misses,
                rounds=self._rounds,
                entries=len(self._cache),
                bytes=self._cache.nbytes,
                waiting=len(self._line),
            )

    async def start(self) -> None:
        """Load the model; other calls do so too. Raises as `places.model_folder` and `Encoder` do."""
        await asyncio.wrap_future(self._submit(None))

    async def stop(self) -> None:
        """Free the model and the cache; calls in line fail, a later one loads anew. Safe to call twice."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._line.clear()
        if thread is not None:
            await asyncio.to_thread(thread.shutdown, wait=True)
        if self._thread is None:
            self._encoder = None
            self._cache.clear()

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, in their order; none for none, without loading anything.

        Raises UnavailableError when the embedder is stopped meanwhile, else as `start` does.
        """
        if not texts:
            return []
        # Hashing long texts and making lists of floats take their time, so neither happens on the loop.
        call = await asyncio.to_thread(self._enter, texts)
        try:
            while call.open:
                await asyncio.wrap_future(self._submit(call))
        finally:
            self._leave(call)
        return await asyncio.to_thread(lambda: [call.found[key].tolist() for key in call.keys])

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One vector for each text, shape (texts, dims). Blocks: for a thread that is no event loop's."""
        import numpy as np

        if not texts:
            self._submit(None).result()
            return np.empty((0, self._ready().dims), dtype=np.float32)
        call = self._enter(texts)
        try:
            while call.open:
                self._submit(call).result()
        finally:
            self._leave(call)
        return np.stack([call.found[key] for key in call.keys])

    def _submit(self, call: _Call | None) -> "Future[None]":
        with self._lock:
            if call is not None and call not in self._line:
                raise _stopped()
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "smollm-embed")
            return self._thread.submit(self._round, call)

    def _enter(self, texts: Sequence[str]) -> _Call:
        """A call with what the cache has of it; it stands in line if that is not everything."""
        call = _Call(texts, self._options.model)
        for key, _ in call.todo:
            vector = self._cache.get(key)
            if vector is not None:
                call.give(key, vector)
        call.todo = deque(item for item in call.todo if item[0] not in call.found)
        with self._lock:
            self._hits += len(texts) - call.open
            if call.open:
                self._line.append(call)
        return call

    def _leave(self, call: _Call) -> None:
        with self._lock:
            if call in self._line:
                self._line.remove(call)

    def _ready(self) -> Encoder:
        if self._encoder is None:
            self._encoder = Encoder(model_folder(self._options), self._options)
        return self._encoder

    def _round(self, call: _Call | None) -> None:
        """One round, on the embedder's thread: asked for by a call, and of use to all that are in line."""
        if call is None:
            self._ready()
            return
        if not call.open:
            return
        if call not in self._line:
            raise _stopped()
        encoder = self._ready()
        taken: dict[bytes, _Taken] = {}
        try:
            self._take(encoder, call, taken)
            self._answer(taken, encoder.vectors([each.tokens for each in taken.values()]) if taken else ())
        finally:
            # After a failure, which is told to one call, the others find their texts where they were.
            for key, each in taken.items():
                for other in each.calls:
                    if key not in other.found:
                        other.todo.appendleft((key, each.text))

    def _take(self, encoder: Encoder, first: _Call, taken: "dict[bytes, _Taken]") -> None:
        """Take texts for a round: one of each call in turn, each text once."""
        with self._lock:
            line = deque([first, *(call for call in self._line if call is not first)])
        room = _BATCHES * self._options.batch_tokens
        while line and room > 0:
            call = line.popleft()
            if not call.todo:
                continue
            key, text = call.todo.popleft()
            line.append(call)
            if key in taken:
                taken[key].calls.append(call)
            elif (known := self._cache.get(key)) is not None:
                call.give(key, known)
                with self._lock:
                    self._hits += 1
            else:
                taken[key] = _Taken(text=text, tokens=encoder.tokens(text), calls=[call])
                room -= len(taken[key].tokens)

    def _answer(self, taken: "dict[bytes, _Taken]", vectors: "Iterable[NDArray[np.float32]]") -> None:
        for (key, each), vector in zip(taken.items(), vectors, strict=True):
            # A copy, since a row would keep the vectors of the whole round alive.
            own = vector.copy()
            self._cache.put(key, own)
            for call in each.calls:
                call.give(key, own)
        with self._lock:
            self._misses += len(taken)
            self._hits += sum(len(each.calls) - 1 for each in taken.values())
            self._rounds += 1 if taken else 0


def _stopped() -> UnavailableError:
    return UnavailableError("the embedding model was stopped", hint="ask again: a new call loads it anew")
