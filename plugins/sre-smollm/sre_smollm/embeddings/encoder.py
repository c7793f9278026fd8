"""Texts in, vectors out: tokenizer, network, pooling and the steps after it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sre_core import logs
from sre_core.errors import ConfigError
from sre_smollm.embeddings.bert import Bert
from sre_smollm.embeddings.folder import Recipe, read_recipe
from sre_smollm.embeddings.options import EmbeddingOptions
from sre_smollm.embeddings.pooling import pooled
from sre_smollm.embeddings.tensors import read_tensors
from sre_smollm.embeddings.torch_network import TorchNetwork
from sre_smollm.weights.checks import check_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

__all__ = ["Encoder"]

log = logs.get_logger(__name__)

# Letters that may belong to one token of a text that is cut anyway. Tokens beyond the cut that must follow before the
# rest of a long text is known not to matter.
_LETTERS = 64
_MARGIN = 64


class _Network(Protocol):
    dims: int

    def states(self, rows: Sequence[Sequence[int]]) -> "list[NDArray[np.float32]]": ...


class Encoder:
    """A loaded sentence-transformers folder. It blocks; for one thread at a time."""

    def __init__(self, folder: Path, options: EmbeddingOptions) -> None:
        """Read tokenizer and weights. Raises ConfigError when something is missing, damaged or not known."""
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

        self._recipe = recipe = read_recipe(folder)
        check_folder(recipe.network, repair="fetch the model again, or save it again with SentenceTransformer.save")
        self._options = options
        self._threads = options.threads or os.cpu_count() or 1
        self._tokenizer = _tokenizer(recipe)
        self._prompt_tokens = self._count_prompt()
        plain = options.device in {"auto", "cpu"} and options.dtype in {"auto", "float32"}
        self._lean = plain and Bert.fits(recipe.config)
        self._network = self._load()
        self._blas = ThreadpoolController()
        # Not the sum of sizes in files: what really comes out.
        self.dims = self.vectors([self.tokens("")]).shape[1]
        log.debug("embedding_model_loaded", folder=str(folder), dims=self.dims, lean=self._lean)

    def _load(self) -> _Network:
        recipe, options = self._recipe, self._options
        if self._lean:
            tensors = read_tensors(recipe.network, leave=("pooler.", "cls.", "position_ids"))
            return Bert(recipe.config, tensors, str(recipe.network))
        return TorchNetwork(recipe.network, device=options.device, dtype=options.dtype, threads=self._threads)

    def tokens(self, text: str) -> list[int]:
        """The ids of a text with prompt and special tokens, cut at the model's length."""
        recipe = self._recipe
        text = (recipe.prompt + text).strip()
        if recipe.lower:
            text = text.lower()
        # A lone surrogate has no UTF-8 form, which the tokenizer needs.
        text = text.encode("utf-8", "replace").decode()
        if recipe.max_tokens is not None and len(text) > recipe.max_tokens * _LETTERS:
            begin = self._tokenizer.encode(text[: recipe.max_tokens * _LETTERS])
            if sum(len(part.ids) for part in begin.overflowing) > _MARGIN:
                return begin.ids
        # A tokenizer without special tokens makes nothing of an empty text.
        return self._tokenizer.encode(text).ids or [self._recipe.config.get("pad_token_id") or 0]

    def vectors(self, rows: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        """One vector for each row of ids, shape (rows, dims).

        Rows run in batches of like length, each of at most `batch_tokens` tokens or a single row.
        """
        import numpy as np

        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        batches = self._batches(order, rows)
        made: list[NDArray[np.float32]] = []
        # The threads of BLAS wait for each other in every product, and burn whole cores when another process needs
        # one. Batches do not wait for each other, so they are what runs side by side.
        with self._blas.limit(limits=1, user_api="blas"):
            if self._lean and self._threads > 1 and len(batches) > 1:
                with ThreadPoolExecutor(min(self._threads, len(batches)), "smollm-embed-batch") as pool:
                    made = list(pool.map(lambda batch: self._batch([rows[number] for number in batch]), batches))
            else:
                made = [self._batch([rows[number] for number in batch]) for batch in batches]
        found = np.empty((len(rows), made[0].shape[1]), dtype=np.float32)
        for batch, vectors in zip(batches, made, strict=True):
            found[batch] = vectors
        return found

    def _batch(self, rows: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        import numpy as np

        recipe = self._recipe
        start = 0 if recipe.include_prompt else self._prompt_tokens
        states = self._network.states(rows)
        vectors = np.stack([pooled(each, recipe.pooling, start=start) for each in states])
        for step in recipe.steps:
            vectors = step(vectors)
        return vectors

    def _batches(self, order: Sequence[int], rows: Sequence[Sequence[int]]) -> list[list[int]]:
        batches: list[list[int]] = []
        for number in order:
            # Rows come shortest first, so this one is what the others would be padded to.
            if not batches or (len(batches[-1]) + 1) * len(rows[number]) > self._options.batch_tokens:
                batches.append([])
            batches[-1].append(number)
        return batches

    def _count_prompt(self) -> int:
        """Tokens that the prompt puts in front of a text, its opening special tokens included."""
        if not self._recipe.prompt:
            return 0
        found = self._tokenizer.encode(self._recipe.prompt.strip())
        ends = 1 if found.special_tokens_mask and found.special_tokens_mask[-1] else 0
        count = len(found.ids) - ends
        if self._recipe.max_tokens is not None and count >= self._recipe.max_tokens:
            raise ConfigError(
                f"the prompt of {str(self._recipe.folder)!r} has {count} tokens, and leaves no room for a text",
                hint="shorten it in config_sentence_transformers.json",
            )
        return count


def _tokenizer(recipe: Recipe) -> "Tokenizer":
    import tokenizers

    path = recipe.network / "tokenizer.json"
    found = tokenizers.Tokenizer.from_file(str(path))
    words = recipe.config.get("vocab_size")
    if isinstance(words, int) and found.get_vocab_size() > words:
        raise ConfigError(
            f"the tokenizer {str(path)!r} has {found.get_vocab_size()} tokens, and the network knows {words}",
            hint="they are of different models; fetch the model again",
        )
    found.no_padding()
    if recipe.max_tokens is None:
        found.no_truncation()
        return found
    if recipe.max_tokens <= found.num_special_tokens_to_add(is_pair=False):
        raise ConfigError(f"{recipe.max_tokens} tokens a text leave no room for a text", hint="see max_seq_length")
    found.enable_truncation(recipe.max_tokens)
    return found
