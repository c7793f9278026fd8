"""Rotary positions: the frequencies that a configuration asks for, and the angles of tokens."""

import math
from typing import TYPE_CHECKING

from sre_core.errors import UnsupportedError
from sre_smollm.networks.folder import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["frequencies", "turning_layers"]


def frequencies(folder: ModelFolder) -> "NDArray[np.float32]":
    """Radians per position, of shape (head size / 2,). Raises UnsupportedError for a way of scaling it does not know.

    Plain ones after Su et al., "RoFormer" (2021); "llama3" as Meta describes it for Llama 3.1, section 3.1 of its card;
    "linear" after Chen et al., "Position Interpolation" (2023).
    """
    import numpy as np

    text = folder.text
    asked = text.get("rope_parameters") or text.get("rope_scaling") or {}
    base = float(asked.get("rope_theta") or text.get("rope_theta") or 10000.0)
    plain = 1.0 / base ** (np.arange(0, folder.head_size, 2, dtype=np.float32) / np.float32(folder.head_size))
    match asked.get("rope_type") or asked.get("type") or "default":
        case "default":
            return plain.astype(np.float32)
        case "linear":
            return (plain / float(asked["factor"])).astype(np.float32)
        case "llama3":
            longest = asked["original_max_position_embeddings"] / float(asked["low_freq_factor"])
            shortest = asked["original_max_position_embeddings"] / float(asked["high_freq_factor"])
            waves = 2 * math.pi / plain
            blend = (longest / waves - 1) / (longest / shortest - 1)
            slow = plain / float(asked["factor"])
            return np.where(
                waves > longest, slow, np.where(waves < shortest, plain, (1 - blend) * slow + blend * plain)
            ).astype(np.float32)
        case other:
            raise UnsupportedError(
                f"the compiled network does not know rotary positions of the kind {other!r}",
                hint="set engine = 'transformers'",
            )


def turning_layers(folder: ModelFolder) -> "NDArray[np.bool_]":
    """Which layers rotate at all; SmolLM3 has some that do not (NoPE)."""
    import numpy as np

    flags = folder.text.get("no_rope_layers")
    # The name is misleading: a 1 stands for a layer that does rotate.
    return np.array(flags, dtype=np.bool_) if flags else np.ones(folder.layers, np.bool_)
