"""A causal model of transformers that reads rows of any lengths in one step. Importing it loads torch."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from transformers.cache_utils import DummyLayer, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from sre_core import logs
from sre_smollm.networks.base import Network, NetworkInfo, Row
from sre_smollm.networks.cache_argument import cache_argument
from sre_smollm.networks.memory import memory_errors
from sre_smollm.networks.packed_attention import ATTENTION, PackedStep, register
from sre_smollm.networks.slab_cache import SlabCache
from sre_smollm.networks.threads import Threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PackedNetwork", "packed"]

log = logs.get_logger(__name__)

# Kinds of layers that the attention here computes.
_LAYERS = frozenset({"full_attention", "sliding_attention"})
# Rotations that depend on the longest row of a step, so that rows would change each other.
_ROTATIONS = frozenset({"dynamic", "longrope"})
# How far scores of the packed and of the model's own way may be apart, as a part of their spread: rounding.
_NEAR = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.05}


class PackedNetwork(Network):
    """All rows stand one behind the other in one sequence, with positions of their own, so nothing is padded."""

    name: ClassVar[str] = "transformers"

    def __init__(self, model: Any, info: NetworkInfo, threads: Threads) -> None:
        self.model = model
        self.info = info
        self._threads = threads
        self._picks = "logits_to_keep" in inspect.signature(model.forward).parameters
        # A model without a cache refuses any name, and is then read in its own way.
        self._cache_name = cache_argument(model) or "cache"

    def cache(self) -> SlabCache:
        """An empty cache."""
        return SlabCache()

    def forward(self, rows: Sequence[Row]) -> "list[NDArray[np.float32]]":
        """Read every row, all in one step. For each the scores (logits) after its last `keep` tokens.

        Shape (keep, vocabulary), float32. Raises OutOfMemoryError, and then no cache has changed.
        """
        return self.run(PackedStep(rows), rows)

    def run(self, step: PackedStep, rows: Sequence[Row]) -> "list[NDArray[np.float32]]":
        """What `forward` does, with a step that was made of the rows before."""
        self._threads.use(step.tokens)
        with memory_errors(), torch.inference_mode():
            wanted = [place for span, row in zip(step.spans, rows, strict=True) for place in span.last(row.keep)]
            scores = self._scores(step, rows, wanted)
        for row, span in zip(rows, step.spans, strict=True):
            span.slab.grow(len(row.ids))
        found = []
        start = 0
        for row in rows:
            found.append(scores[start : start + row.keep])
            start += row.keep
        return found

    def close(self) -> None:
        """Free the weights. Safe to call twice."""
        self.model = None

    def inputs(self, rows: Sequence[Row]) -> Mapping[str, torch.Tensor]:
        """The tokens of all rows as the model takes them, in one sequence."""
        return {"input_ids": torch.tensor([[token for row in rows for token in row.ids]], device=_device(self.model))}

    def _scores(self, step: PackedStep, rows: Sequence[Row], wanted: Sequence[int]) -> "NDArray[np.float32]":
        device = _device(self.model)
        positions = torch.tensor([[place for span in step.spans for place in span.positions]], device=device)
        # One score is computed at least: heads of some kinds of weights cannot take nothing.
        picked = torch.tensor(wanted or [0], device=device)
        output = self.model(
            **self.inputs(rows),
            position_ids=positions,
            **{self._cache_name: step},
            use_cache=True,
            packed_step=step,
            **({"logits_to_keep": picked} if self._picks else {}),
        )
        scores = output.logits[0]
        if not self._picks:
            scores = scores[picked.to(scores.device)]
        made: NDArray[np.float32] = scores[: len(wanted)].float().cpu().numpy()
        return made


def packed(
    model: Any,
    info: NetworkInfo,
    threads: Threads,
    make: Callable[[Any, NetworkInfo, Threads], PackedNetwork] = PackedNetwork,
) -> PackedNetwork | None:
    """The model with packed rows, or None when it cannot take them; it is left as it was then.

    What its code and configuration say decides first, then a comparison on a few tokens with its own way. The info of
    the network has its `token_bytes`.
    """
    if not _fit(model):
        return None
    register()
    ids = [place * 7 % info.vocabulary for place in range(5)]
    with torch.inference_mode():
        expected = model(input_ids=torch.tensor([ids], device=_device(model)), use_cache=False).logits[0]
    own = model.get_decoder().config._attn_implementation  # noqa: SLF001 -- there is no public way to ask
    _attend_with(model, ATTENTION)
    network = make(model, info, threads)
    try:
        reason = _difference(network, ids, expected)
    # A model that does not hand on what its attention needs fails in a way of its own.
    except (TypeError, LookupError, AttributeError, NotImplementedError, ValueError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason is not None:
        log.debug("rows_not_packed", model=type(model).__name__, reason=reason)
        _attend_with(model, own)
        return None
    return network


def _fit(model: Any) -> bool:
    """Whether the model has keys and values in all layers, gets at attention by its name, and treats rows alone."""
    text = model.config.get_text_config()
    if model._is_stateful or not model._can_set_attn_implementation():  # noqa: SLF001 -- there is no public way to ask
        return False
    kinds = {type(layer) for layer in DynamicCache(config=text).layers}
    rotations = getattr(text, "rope_parameters", None) or {}
    tables = [table for table in (rotations, *rotations.values()) if isinstance(table, dict)]
    return (
        not getattr(text, "is_encoder_decoder", False)
        and getattr(text, "is_causal", True)
        and kinds <= {DynamicLayer, DynamicSlidingWindowLayer, DummyLayer}
        and set(getattr(text, "layer_types", None) or ()) <= _LAYERS
        and not any(table.get("rope_type") in _ROTATIONS for table in tables)
    )


def _difference(network: PackedNetwork, ids: Sequence[int], expected: torch.Tensor) -> str | None:
    """Why the scores are not those expected, or None. Two rows are read, one of them in two parts."""
    parted, whole = network.cache(), network.cache()
    network.forward([Row(cache=parted, ids=ids[:3], keep=0)])
    rows = [Row(cache=parted, ids=ids[3:], keep=2), Row(cache=whole, ids=ids, keep=len(ids))]
    step = PackedStep(rows)
    found = [torch.from_numpy(scores) for scores in network.run(step, rows)]
    right = expected.float().cpu()
    allowed = _NEAR.get(expected.dtype, max(_NEAR.values())) * float(right.std())
    apart = max(float((found[0] - right[3:]).abs().max()), float((found[1] - right).abs().max()))
    layers = DynamicCache(config=network.model.config.get_text_config()).layers
    windows = sum(isinstance(layer, DynamicSlidingWindowLayer) for layer in layers)
    if not apart <= allowed:
        return f"scores are {apart} apart, more than {allowed}"
    if step.windows < windows:
        return f"{step.windows} layers of {windows} told their window"
    network.info = replace(network.info, token_bytes=whole.token_bytes)
    return None


def _attend_with(model: Any, name: str) -> None:
    """Set the attention of the text part; what looks at images keeps its own."""
    model.set_attn_implementation({"text_config": name} if "text_config" in model.config.sub_configs else name)


def _device(model: Any) -> torch.device:
    """Where the ids go to."""
    place: torch.device = model.get_input_embeddings().weight.device
    return place
