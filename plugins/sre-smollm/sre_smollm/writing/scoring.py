"""How likely the same words are after different beginnings, many beginnings at a time."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sre_smollm.engine.sequence import Cancelled
from sre_smollm.networks.model import Model

if TYPE_CHECKING:
    import torch

__all__ = ["likelihoods"]

# Beginnings in one step: three times as fast as one by one, and the table of scores stays under 100 MB.
_ROWS = 8


def likelihoods(
    model: Model, prefixes: Sequence[Sequence[int]], words: Sequence[int], stopped: threading.Event
) -> list[float]:
    """The log-probability of `words`, in nats, after each of `prefixes`; none may be empty. Raises Cancelled."""
    import torch

    found: list[float] = []
    for start in range(0, len(prefixes), _ROWS):
        if stopped.is_set():
            raise Cancelled
        with torch.inference_mode():
            found += _some(model, prefixes[start : start + _ROWS], words)
    return found


def _some(model: Model, prefixes: Sequence[Sequence[int]], words: Sequence[int]) -> list[float]:
    import torch

    longest = max(len(prefix) for prefix in prefixes)
    first = min(len(prefix) for prefix in prefixes) - 1
    # Filled up on the right: no token looks ahead, so what stands there changes nothing.
    rows = [[*prefix, *words, *[0] * (longest - len(prefix))] for prefix in prefixes]
    reply = model.network(
        input_ids=torch.tensor(rows, device=model.device),
        use_cache=False,
        logits_to_keep=longest + len(words) - first,
    )
    wanted = torch.tensor(list(words), device=model.device)
    return [_one(reply.logits[row], len(prefix) - 1 - first, wanted) for row, prefix in enumerate(prefixes)]


def _one(logits: "torch.Tensor", place: int, words: "torch.Tensor") -> float:
    table = logits[place : place + len(words)].float().log_softmax(-1)
    return float(table.gather(1, words[:, None]).sum())
