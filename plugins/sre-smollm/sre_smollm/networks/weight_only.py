"""Keeps the weights of linear layers in eight or four bits, on a processor. Importing it loads torch.

Only weights are rounded, never what flows between layers. torch's products for such weights have private names, so
each has a plain stand-in that is taken when a version of torch lacks them.
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

__all__ = ["Int4Linear", "Int8Linear", "products", "quantize"]

# Weights of a row that share a scale and an offset.
_GROUP = 32
_LEVELS = 16
# Tiles that the inner loop of the packed form takes at once; on a processor it has no effect.
_TILES = 1
# Rows that the packed form of four-bit weights wants a multiple of.
_ROWS = 64


def products(name: str) -> Callable[..., torch.Tensor] | None:
    """An operation of torch for packed weights, None when this version has none of that name."""
    return getattr(torch.ops.aten, name, None)


class Int8Linear(torch.nn.Module):
    """One scale for each row of the weights, in -127 to 127."""

    numbers: torch.Tensor
    scales: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.in_features, self.out_features = weight.shape[1], weight.shape[0]
        wide = weight.float()
        scales = wide.abs().amax(dim=1).clamp(min=1e-12) / 127
        self.register_buffer("numbers", (wide / scales[:, None]).round().to(torch.int8))
        self.register_buffer("scales", scales.bfloat16())
        self.register_buffer("bias", None if bias is None else bias.bfloat16())
        self._product = products("_weight_int8pack_mm")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape (..., in features) to (..., out features), both bfloat16."""
        flat = x.reshape(-1, self.in_features)
        if self._product is not None:
            found = self._product(flat, self.numbers, self.scales)
        else:
            found = functional.linear(flat, self.numbers.to(flat.dtype)) * self.scales
        found = found.view(*x.shape[:-1], self.out_features)
        return found if self.bias is None else found + self.bias


class Int4Linear(torch.nn.Module):
    """A scale and an offset for each 32 weights of a row, in 0 to 15."""

    numbers: torch.Tensor
    scales: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.in_features, self.out_features = weight.shape[1], weight.shape[0]
        groups = weight.float().view(self.out_features, -1, _GROUP)
        low, high = groups.amin(dim=2), groups.amax(dim=2)
        # Rounded first, so that the numbers fit the scale that is kept.
        steps = ((high - low).clamp(min=1e-12) / (_LEVELS - 1)).bfloat16()
        middles = (low.bfloat16().float() + steps.float() * (_LEVELS // 2)).bfloat16()
        zeros = middles.float() - steps.float() * (_LEVELS // 2)
        numbers = ((groups - zeros[..., None]) / steps.float()[..., None]).round().clamp(0, _LEVELS - 1)
        plain = numbers.to(torch.int32).view(self.out_features, self.in_features)
        pack = products("_convert_weight_to_int4pack_for_cpu")
        self._product = None if pack is None else products("_weight_int4pack_mm_for_cpu")
        packed = plain.to(torch.uint8) if pack is None or self._product is None else pack(plain, _TILES)
        self.register_buffer("numbers", packed)
        self.register_buffer("scales", torch.stack((steps, middles), dim=-1).transpose(0, 1).contiguous())
        self.register_buffer("bias", None if bias is None else bias.bfloat16())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape (..., in features) to (..., out features), both bfloat16."""
        flat = x.reshape(-1, self.in_features)
        if self._product is not None:
            found = self._product(flat, self.numbers, _GROUP, self.scales)
        else:
            found = functional.linear(flat, self._weight().to(flat.dtype))
        found = found.view(*x.shape[:-1], self.out_features)
        return found if self.bias is None else found + self.bias

    def _weight(self) -> torch.Tensor:
        steps, middles = self.scales.float().transpose(0, 1).unbind(dim=-1)
        groups = self.numbers.view(self.out_features, -1, _GROUP).float() - _LEVELS // 2
        return (groups * steps[..., None] + middles[..., None]).view(self.out_features, self.in_features)


def quantize(model: Any, kind: Literal["int8", "int4"]) -> None:
    """Replace the linear layers of a bfloat16 model, one after the other, so that little more memory is needed.

    The head and layers of a shape that does not fit are kept in eight bits with `int4` too. A table of embeddings
    that the head shares stays as it is.
    """
    head = model.get_output_embeddings()
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, torch.nn.Linear):
                weight = layer.weight
            elif isinstance(layer, Conv1D):
                weight = layer.weight.t().contiguous()
            else:
                continue
            fits = weight.shape[1] % _GROUP == 0 and weight.shape[0] % _ROWS == 0
            kept = Int4Linear if kind == "int4" and layer is not head and fits else Int8Linear
            with torch.inference_mode():
                setattr(parent, name, kept(weight.detach(), None if layer.bias is None else layer.bias.detach()))
