"""A network in llama.cpp: GGUF files as they are, on the processor."""

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from sre_core.errors import ConnectorError
from sre_smollm.networks.base import Network, NetworkInfo, OutOfMemoryError, Row
from sre_smollm.networks.llamacpp_batch import Batch, Piece, batches
from sre_smollm.networks.llamacpp_cache import LlamaCppCache, Sequences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LlamaCppNetwork"]

# Tokens in one call from which more than one thread pays.
_READING = 32
# What llama_decode answers when there are no free cells, and when memory cannot be allocated.
_NO_CELLS = 1
_NO_MEMORY = -2


class LlamaCppNetwork(Network):
    """A model and its one store of keys and values, in which every cache is a sequence; made by `llamacpp_loading`.

    Takes over `model` and `context`, which `close` frees.
    """

    name: ClassVar[str] = "llamacpp"

    def __init__(
        self, llama: Any, model: Any, context: Any, info: NetworkInfo, *, threads: int, decode_threads: int
    ) -> None:
        self.info = info
        self._llama = llama
        self._model = model
        self._context = context
        self._threads = threads
        self._decode_threads = decode_threads
        self._outputs = int(llama.llama_n_seq_max(context))
        self._batch = Batch(llama, int(llama.llama_n_batch(context)))
        self._most = int(llama.llama_n_batch(context))
        self._cells = int(llama.llama_n_ctx(context))
        self._sequences = Sequences(llama, context, count=self._outputs, token_bytes=info.token_bytes)

    def cache(self) -> LlamaCppCache:
        """An empty cache."""
        return LlamaCppCache(self._sequences)

    def forward(self, rows: Sequence[Row]) -> "list[NDArray[np.float32]]":
        """Read every row, as few calls of the library as its batch allows; see `Network`.

        Raises OutOfMemoryError when cells or sequences are missing, ConnectorError when the library fails; then no
        cache has changed.
        """
        import numpy as np

        if sum(len(row.ids) for row in rows) > self._cells:
            raise OutOfMemoryError(f"llama.cpp has {self._cells} cells, too few for this step alone")
        scores = [np.empty((row.keep, self.info.vocabulary), np.float32) for row in rows]
        filled = [0] * len(rows)
        with ExitStack() as undo:
            for row in rows:
                undo.callback(row.cache.truncate, row.cache.length)
            for pieces in batches(rows, tokens=self._most, outputs=self._outputs):
                self._read(rows, pieces)
                self._copy_scores(pieces, scores, filled)
            undo.pop_all()
        return scores

    def close(self) -> None:
        """Free the model and all keys and values. Safe to call twice."""
        if self._context is not None:
            self._sequences.close()
            self._llama.llama_free(self._context)
            self._llama.llama_model_free(self._model)
            self._context = self._model = None

    def _read(self, rows: Sequence[Row], pieces: Sequence[Piece]) -> None:
        self._batch.clear()
        caches = [_ours(rows[piece.row]) for piece in pieces]
        for piece, cache in zip(pieces, caches, strict=True):
            ids = rows[piece.row].ids[piece.start : piece.stop]
            self._batch.add(ids, sequence=cache.sequence(), position=cache.length, keep=piece.keep)
        threads = self._threads if self._batch.size >= _READING else self._decode_threads
        self._llama.llama_set_n_threads(self._context, threads, threads)
        answer = self._llama.llama_decode(self._context, self._batch.raw)
        if answer in {_NO_CELLS, _NO_MEMORY}:
            raise OutOfMemoryError(f"llama.cpp has no memory for {self._batch.size} more tokens")
        if answer != 0:
            raise ConnectorError(
                f"llama.cpp failed to read {self._batch.size} tokens: {answer}",
                hint="its own messages are in the log at the level debug",
            )
        for piece, cache in zip(pieces, caches, strict=True):
            cache.grow(piece.stop - piece.start)

    def _copy_scores(self, pieces: Sequence[Piece], scores: "Sequence[NDArray[np.float32]]", filled: list[int]) -> None:
        end = 0
        for piece in pieces:
            end += piece.stop - piece.start
            for place in range(end - piece.keep, end):
                target = scores[piece.row][filled[piece.row]]
                ctypes.memmove(
                    target.ctypes.data, self._llama.llama_get_logits_ith(self._context, place), target.nbytes
                )
                filled[piece.row] += 1


def _ours(row: Row) -> LlamaCppCache:
    if not isinstance(row.cache, LlamaCppCache):
        raise TypeError(f"a cache of llama.cpp is needed, not {type(row.cache).__name__}")
    return row.cache
