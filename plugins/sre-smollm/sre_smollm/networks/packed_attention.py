"""Attention over rows that lie one behind the other in one sequence. Importing it loads torch and transformers.

transformers calls the function that is registered here in place of its own. A row's new keys and values go into the
row's slab, and its queries see that slab only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache

from sre_smollm.networks.base import Row
from sre_smollm.networks.slab_cache import SlabCache

__all__ = ["ATTENTION", "PackedStep", "register"]

# No mask function has this name, so that transformers makes no mask.
ATTENTION = "sre_packed"
# Arguments that change what attention computes, and that are not known here.
_UNKNOWN = ("s_aux", "position_bias", "indices")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Where a row lies in the sequence, and what was read of it before."""

    start: int
    end: int
    past: int
    slab: SlabCache

    @property
    def positions(self) -> range:
        """Of its tokens within the row."""
        return range(self.past, self.past + self.end - self.start)

    def last(self, keep: int) -> range:
        """Where its last `keep` tokens lie in the sequence."""
        return range(self.end - keep, self.end)


class PackedStep(Cache):
    """One step of the model: given to it both as its cache and as an argument of every attention layer."""

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__(layers=[])
        self.spans: list[_Span] = []
        self.windows = 0
        """How many layers so far let a token see the nearest ones only."""
        self._layers: dict[int, tuple[int, torch.Tensor]] = {}
        self._masks: dict[tuple[int, int], torch.Tensor] = {}
        start = 0
        for row in rows:
            if not isinstance(row.cache, SlabCache):
                raise TypeError(f"a cache of another network: {row.cache!r}")
            end = start + len(row.ids)
            self.spans.append(_Span(start=start, end=end, past=row.cache.length, slab=row.cache))
            start = end

    @property
    def tokens(self) -> int:
        """Of all rows."""
        return self.spans[-1].end if self.spans else 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Hand them through, and remember whose they are: some models use those of one layer in another too."""
        # The tensor is kept, so that no other can get its id.
        self._layers[id(key_states)] = (layer_idx, key_states)
        return key_states, value_states

    def layer(self, keys: torch.Tensor) -> int:
        """The layer that made these keys. Raises LookupError when they did not come from `update`."""
        return self._layers[id(keys)][0]

    def mask(self, number: int, window: int, device: torch.device) -> torch.Tensor:
        """What the tokens of a row see, of shape (tokens, tokens read in all): themselves and the past in reach."""
        made = self._masks.get((number, window))
        # Layers of one model may lie on several devices.
        if made is None or made.device != device:
            span = self.spans[number]
            tokens = span.end - span.start
            made = torch.ones(tokens, span.past + tokens, dtype=torch.bool, device=device).tril_(span.past)
            if window:
                made.triu_(span.past - window + 1)
            self._masks[number, window] = made
        return made


def register() -> None:
    """Make the function known to transformers under the name ATTENTION. Safe to call twice."""
    AttentionInterface.register(ATTENTION, _attend)


@torch.compiler.disable  # type: ignore[untyped-decorator]  # it writes into slabs, row by row
def _attend(
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed_step: PackedStep,
    scaling: float | None = None,
    softcap: float | None = None,
    sliding_window: int | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Queries of shape (1, heads, tokens, head size) to results of shape (1, tokens, heads, value size)."""
    if attention_mask is not None or any(rest.get(name) is not None for name in _UNKNOWN):
        raise ValueError("this attention has a mask or a bias of its own")
    layer = packed_step.layer(key)
    packed_step.windows += bool(sliding_window)
    seen = _Layer(
        step=packed_step,
        window=sliding_window or 0,
        scale=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
        softcap=softcap,
    )
    keys, values = key[0].transpose(0, 1), value[0].transpose(0, 1)
    parts = []
    for number, span in enumerate(packed_step.spans):
        whole = span.slab.write(layer, keys[span.start : span.end], values[span.start : span.end])
        parts.append(seen.attend(number, query[0, :, span.start : span.end], *whole))
    return (parts[0] if len(parts) == 1 else torch.cat(parts)).unsqueeze(0), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """What one layer does with every row."""

    step: PackedStep
    window: int
    scale: float
    softcap: float | None

    def attend(self, number: int, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Tensors of a row of shape (heads, tokens, size) to results of shape (tokens, heads, size)."""
        heads, tokens, size = query.shape
        pairs, read, width = values.shape
        # What even the first of the tokens does not see is left out.
        first = max(0, read - tokens + 1 - self.window) if self.window else 0
        if first:
            keys, values = keys[:, first:], values[:, first:]
        if tokens == 1:
            # No mask: heads that share keys become the queries of one head.
            found = self._product(query.reshape(1, pairs, -1, size), keys[None], values[None])
            return found.reshape(1, heads, width)
        shared = heads // pairs
        plain = tokens == read and not self.softcap and not (self.window and read > self.window)
        # Expanded, not copied: heads that share keys become one batch.
        found = self._product(
            query.reshape(pairs, shared, tokens, size),
            keys[:, None].expand(-1, shared, -1, -1),
            values[:, None].expand(-1, shared, -1, -1),
            mask=None if plain else self.step.mask(number, self.window, query.device)[:, first:],
            causal=plain,
        )
        return found.reshape(heads, tokens, width).transpose(0, 1)

    def _product(
        self,
        query: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        *,
        mask: torch.Tensor | None = None,
        causal: bool = False,
    ) -> torch.Tensor:
        if not self.softcap:
            return functional.scaled_dot_product_attention(
                query, keys, values, attn_mask=mask, is_causal=causal, scale=self.scale
            )
        scores = torch.matmul(query, keys.transpose(-1, -2)) * self.scale
        scores = torch.tanh(scores / self.softcap) * self.softcap
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return torch.matmul(functional.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype), values)
