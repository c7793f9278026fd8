"""What an embedder needs to know: which model, where it runs, within which limits."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["EmbeddingOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingOptions:
    """`model` is "minilm", a sentence-transformers folder, or a hub id.

    `device` is "auto", "cpu", "cuda", "cuda:1" or "mps"; "auto" runs a BERT network on the processor, without torch,
    and others where torch is fastest. `dtype` "auto" is float32. `threads` None means all cores. `batch_tokens`
    bounds what is in memory at once on each thread, `cache_bytes` what is kept of vectors; 0 keeps none.
    """

    model: str = "minilm"
    allow_download: bool = False
    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    threads: int | None = None
    batch_tokens: int = 1024
    cache_bytes: int = 64 * 2**20
