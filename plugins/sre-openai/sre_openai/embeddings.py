"""Embeddings: texts in the form that servers take, and vectors out of what they answer."""

import array
import base64
import sys
from collections.abc import Sequence
from typing import Any

from sre_openai.preset import Preset

__all__ = ["embedding_fields", "vectors"]


def embedding_fields(texts: Sequence[str], preset: Preset, *, model: str, dimensions: int | None) -> dict[str, Any]:
    """The request for some texts."""
    fields: dict[str, Any] = {"model": model, "input": list(texts)}
    if preset.packed_vectors:
        fields["encoding_format"] = "base64"
    if dimensions is not None:
        fields["dimensions"] = dimensions
    return fields


def vectors(data: Any, count: int) -> list[list[float]]:
    """The vectors in a reply, in the order of the texts. Raises ValueError, TypeError and the like for none."""
    entries = data["data"]
    if len(entries) != count:
        raise ValueError(f"{len(entries)} vectors for {count} texts")
    ordered = sorted(enumerate(entries), key=lambda numbered: numbered[1].get("index", numbered[0]))
    found = [_vector(entry["embedding"]) for _, entry in ordered]
    if len({len(vector) for vector in found}) > 1 or not all(found):
        raise ValueError("vectors of different lengths, or empty ones")
    return found


def _vector(data: Any) -> list[float]:
    if not isinstance(data, str):
        return [float(number) for number in data]
    numbers = array.array("f", base64.b64decode(data))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
