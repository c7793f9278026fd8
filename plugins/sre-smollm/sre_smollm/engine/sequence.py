"""What a model has read so far and what it expects next: the cache, moved forward and back."""

import threading
from collections.abc import Sequence as Ids
from typing import TYPE_CHECKING, Any

from sre_smollm.networks.model import Model

if TYPE_CHECKING:
    import torch

__all__ = ["Cancelled", "Sequence"]

# A long prompt is read in pieces of so many tokens, so that a cancelled call ends soon.
_PIECE = 256
# From so many tokens on, a step is worth more than one thread.
_LONG = 32


class Cancelled(Exception):  # noqa: N818 -- no error: whoever asked has gone away
    """Nobody waits for the result any more."""


class Sequence:
    """Tokens that a model has read. For one thread; `stopped` is looked at before every step.

    `logits` are the model's scores for the next token, float32, of shape (vocabulary,).
    """

    def __init__(self, model: Model, stopped: threading.Event, *, threads: int, decode_threads: int) -> None:
        from transformers import DynamicCache

        self._model = model
        self._stopped = stopped
        self._threads = threads
        self._decode_threads = decode_threads
        self._cache: Any = DynamicCache(config=model.network.config)
        self._logits: torch.Tensor | None = None
        self.length = 0

    @property
    def logits(self) -> "torch.Tensor":
        """Scores of the next token. Something must have been read."""
        assert self._logits is not None, "nothing was read"  # noqa: S101 -- a fault of the caller
        return self._logits

    def read(self, ids: Ids[int]) -> None:
        """Take in tokens. Raises Cancelled."""
        for start in range(0, len(ids), _PIECE):
            piece = ids[start : start + _PIECE]
            self._logits = self._step(piece, keep=1)[-1]

    def _step(self, ids: Ids[int], *, keep: int) -> "torch.Tensor":
        import torch

        if self._stopped.is_set():
            raise Cancelled
        # One thread writes as fast as two on a quiet machine, and five times faster on a busy one.
        torch.set_num_threads(self._threads if len(ids) >= _LONG else self._decode_threads)
        with torch.inference_mode():
            reply = self._model.network(
                input_ids=torch.tensor([list(ids)], device=self._model.device),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=keep,
            )
        self.length += len(ids)
        logits: torch.Tensor = reply.logits[0].float()
        return logits
