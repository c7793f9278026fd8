"""The compiled network: whole steps of few tokens in one go, many tokens layer by layer on several threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import Network, NetworkInfo, Row
from sre_smollm.networks.compiled.cache import CompiledCache, Shape
from sre_smollm.networks.compiled.packing import PARTS, missing
from sre_smollm.networks.compiled.rotation import frequencies, turning_layers
from sre_smollm.networks.compiled.tensors import TensorFile
from sre_smollm.networks.folder import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ARCHITECTURES", "CompiledNetwork", "check", "load"]

ARCHITECTURES = frozenset({"llama", "smollm3", "mistral"})
# From so many tokens on a step is worth more than one thread, and attention is worth BLAS.
_MANY = 24
# Queries of one token run at once against all keys before them; more waste work on those that they may not see.
_QUERIES = 128


def check(folder: ModelFolder) -> None:
    """Raise UnsupportedError, saying why, for a model that this network cannot compute."""
    text = folder.text
    sizes = (folder.hidden, folder.heads * folder.head_size, int(text.get("intermediate_size", 1)))
    reasons = {
        f"its kind is {folder.model_type!r}": folder.model_type not in ARCHITECTURES,
        "its layers have biases": bool(text.get("attention_bias") or text.get("mlp_bias")),
        f"its activation is {text.get('hidden_act')!r}": text.get("hidden_act", "silu") != "silu",
        "its attention has a window": bool(text.get("sliding_window")) and bool(text.get("use_sliding_window", True)),
        "its sizes are no multiples of 32": any(size % 32 for size in sizes) or bool(folder.head_size % 16),
    }
    for reason, true in reasons.items():
        if true:
            raise UnsupportedError(
                f"the compiled network cannot run the model in {str(folder.path)!r}: {reason}",
                hint="set engine = 'transformers'",
            )
    frequencies(folder)


def load(folder: ModelFolder, packed: Path, *, context_tokens: int, threads: int = 1) -> "CompiledNetwork":
    """Map the weights that `packing.pack` wrote. Raises ConfigError when tensors are missing, UnsupportedError."""
    check(folder)
    file = TensorFile(packed)
    if absent := missing(file.places, folder.layers):
        raise ConfigError(
            f"the model in {str(folder.path)!r} has no tensor {absent[0]!r}", hint="fetch it again, it is not whole"
        )
    return CompiledNetwork(folder, file, context_tokens=context_tokens, threads=threads)


class CompiledNetwork(Network):
    """Weights in 4 or 8 bits, what they are multiplied with in 8, keys and values float16, all else float32.

    Few tokens are computed on one thread, many on `threads`.
    """

    name: ClassVar[str] = "compiled"

    def __init__(self, folder: ModelFolder, file: TensorFile, *, context_tokens: int, threads: int) -> None:
        import numpy as np

        from sre_smollm.networks.compiled import kernels

        self._kernels: Any = kernels
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="smollm-compute") if threads > 1 else None
        self._threads = threads
        self._file: TensorFile | None = file
        self._shape = Shape(layers=folder.layers, heads=folder.key_heads, size=folder.head_size)
        self._heads, self._hidden = folder.heads, folder.hidden
        self._inner = int(folder.text["intermediate_size"])
        self._epsilon = np.float32(folder.text.get("rms_norm_eps", 1e-5))
        self._frequencies, self._turns = frequencies(folder), turning_layers(folder)
        layers = [f"model.layers.{layer}" for layer in range(folder.layers)]
        self._places = np.array([[self._place(f"{layer}.{part}.weight") for part in PARTS] for layer in layers])
        norms = ("input_layernorm.weight", "post_attention_layernorm.weight")
        self._norms = np.stack([[self._vector(f"{layer}.{norm}") for norm in norms] for layer in layers])
        self._last_norm = self._vector("model.norm.weight")
        self._table = self._place("model.embed_tokens.weight")
        head = "lm_head.weight" if "lm_head.weight" in file.places else "model.embed_tokens.weight"
        self._head, self._head_rows = self._place(head), file.places[head].shape[0] * 16
        bits = sorted({int(bits) for bits in self._places[..., 1].flat})
        self.info = NetworkInfo(
            name=self.name,
            device="cpu",
            weights=" and ".join(f"int{number}" for number in bits),
            parameters=folder.parameters,
            vocabulary=folder.vocabulary,
            context_tokens=context_tokens,
            token_bytes=self._shape.token_bytes,
        )

    @property
    def _data(self) -> "NDArray[np.uint8]":
        assert self._file is not None, "the network is closed"  # noqa: S101 -- a fault of the caller
        return self._file.data

    def _place(self, name: str) -> "tuple[int, int]":
        """Offset and bits of a matrix."""
        assert self._file is not None  # noqa: S101 -- only asked while it is made
        place = self._file.places[name]
        width = self._inner if name.endswith("down_proj.weight") else self._hidden
        width = self._heads * self._shape.size if name.endswith("o_proj.weight") else width
        return place.offset, 4 if place.shape[1] == width // 32 * 320 else 8

    def _vector(self, name: str) -> "NDArray[np.float32]":
        import numpy as np

        assert self._file is not None  # noqa: S101
        place = self._file.places[name]
        return np.array(self._file.data[place.offset : place.offset + place.size]).view(np.float32)

    def cache(self) -> CompiledCache:
        """An empty cache."""
        return CompiledCache(self._shape)

    def close(self) -> None:
        """Unmap the weights."""
        self._file = None
        if self._pool is not None:
            self._pool.shutdown()

    def forward(self, rows: Sequence[Row]) -> "list[NDArray[np.float32]]":
        """Read every row. Rows of few tokens are computed together; each row of many on its own."""
        import numpy as np

        caches: list[CompiledCache] = [row.cache for row in rows]  # type: ignore[misc]  # made by `cache`
        for row, cache in zip(rows, caches, strict=True):
            cache.reserve(len(row.ids))
        few = [place for place, row in enumerate(rows) if len(row.ids) < _MANY]
        found: list[NDArray[np.float32]] = [np.empty((0, 0), np.float32)] * len(rows)
        for group in [few, *([place] for place in range(len(rows)) if place not in few)]:
            if group:
                some = [rows[place] for place in group]
                states = self._read(some, [caches[place] for place in group])
                for place, scores in zip(group, self._scores(some, states), strict=True):
                    found[place] = scores
        for row, cache in zip(rows, caches, strict=True):
            cache.advance(len(row.ids))
        return found

    def _read(self, rows: Sequence[Row], caches: Sequence[CompiledCache]) -> "NDArray[np.float32]":
        """The last hidden states of all tokens, (tokens, hidden)."""
        import numpy as np

        ids = np.concatenate([np.asarray(row.ids, np.int64) for row in rows])
        counts = [len(row.ids) for row in rows]
        table = np.empty((len(ids), 3), np.int64)
        table[:, 0] = np.repeat([cache.address for cache in caches], counts)
        table[:, 1] = np.repeat([cache.capacity for cache in caches], counts)
        table[:, 2] = np.concatenate(
            [np.arange(cache.length, cache.length + count) for cache, count in zip(caches, counts, strict=True)]
        )
        angles = table[:, 2:].astype(np.float32) * self._frequencies
        states = np.empty((len(ids), self._hidden), np.float32)
        self._kernels.unpack_rows(self._data, self._table[0], self._table[1], ids, states)
        (self._few if max(counts) < _MANY else self._many)(states, np.cos(angles), np.sin(angles), table)
        return states

    def _few(self, x: "NDArray[np.float32]", cosine: Any, sine: Any, caches: "NDArray[np.int64]") -> None:
        import numpy as np

        tokens, shape = len(x), self._shape
        widths = (self._heads * shape.size, shape.heads * shape.size, shape.heads * shape.size, self._hidden)
        q, k, v, h = (np.empty((tokens, width), np.float32) for width in widths)
        gate, up = (np.empty((tokens, self._inner), np.float32) for _ in range(2))
        most = tokens * max(self._inner, self._hidden, widths[0])
        numbers, scales, sums = (
            np.empty(most, np.int8),
            np.empty(most // 32, np.float32),
            np.empty(most // 32, np.float32),
        )
        longest = -(-int(caches[:, 2].max() + 1) // 64) * 64
        scores = np.empty((self._heads // shape.heads, longest), np.float32)
        self._kernels.step(
            self._data, self._places, self._norms, self._epsilon, self._turns, shape.size, shape.heads,
            x, cosine, sine, caches, q, k, v, h, np.empty_like(q), gate, up, numbers, scales, sums, scores,
        )  # fmt: skip

    def _many(self, x: "NDArray[np.float32]", cosine: Any, sine: Any, caches: "NDArray[np.int64]") -> None:
        import numpy as np

        run, shape, queries = self._kernels, self._shape, self._heads * self._shape.size
        h = np.empty_like(x)
        for layer in range(shape.layers):
            places = self._places[layer]
            run.normalise(x, self._norms[layer, 0], self._epsilon, h)
            q, k, v = self._multiply(
                h, [(places[0], queries), *((places[i], shape.heads * shape.size) for i in (1, 2))]
            )
            run.rotate_and_store(q, k, v, cosine, sine, self._turns[layer], layer, shape.size, caches)
            x += self._multiply(self._attend(q, layer, caches[0]), [(places[3], self._hidden)])[0]
            run.normalise(x, self._norms[layer, 1], self._epsilon, h)
            gate, up = self._multiply(h, [(places[part], self._inner) for part in (4, 5)])
            run.swish(gate, up)
            x += self._multiply(gate, [(places[6], self._hidden)])[0]

    def _each(self, work: Callable[[int], None]) -> None:
        """Run `work` for the number of each thread."""
        if self._pool is None:
            work(0)
        else:
            list(self._pool.map(work, range(self._threads)))

    def _multiply(self, x: "NDArray[np.float32]", matrices: Sequence[tuple[Any, int]]) -> "list[NDArray[np.float32]]":
        """Products of `x` with matrices, given by their places and rows; each thread takes a share of the rows."""
        import numpy as np

        tokens, width = x.shape
        numbers = np.empty((tokens, width), np.int8)
        scales, sums = (np.empty((tokens, width // 32), np.float32) for _ in range(2))
        self._kernels.quantise(x, numbers, scales, sums)
        found = [np.empty((tokens, rows), np.float32) for _, rows in matrices]

        def share(part: int) -> None:
            for (place, rows), out in zip(matrices, found, strict=True):
                first, last = (rows // 16 * number // self._threads for number in (part, part + 1))
                self._kernels.multiply(self._data, place[0], place[1], numbers, scales, sums, out, first, last)

        self._each(share)
        return found

    def _attend(self, q: "NDArray[np.float32]", layer: int, cache: "NDArray[np.int64]") -> "NDArray[np.float32]":
        """Attention of the tokens of one sequence; `cache` has address, capacity, and the first token's position."""
        import numpy as np

        out, shape = np.empty_like(q), self._shape
        queries = (q * np.float32(shape.size**-0.5)).reshape(len(q), shape.heads, -1, shape.size)
        results = out.reshape(queries.shape)

        def share(part: int) -> None:
            for head in range(part, shape.heads, self._threads):
                self._attend_head(queries[:, head], layer, head, cache, results[:, head])

        self._each(share)
        return out

    def _attend_head(self, queries: Any, layer: int, head: int, cache: "NDArray[np.int64]", results: Any) -> None:
        """Attention of queries (tokens, group, size) that share one head of keys and values."""
        import numpy as np

        tokens, group, size = queries.shape
        address, capacity, first = (int(number) for number in cache)
        keys, values = np.empty((size, first + tokens), np.float32), np.empty((first + tokens, size), np.float32)
        self._kernels.widen(address, layer, head, self._shape.heads, size, capacity, keys, values)
        for start in range(0, tokens, _QUERIES):
            some = queries[start : start + _QUERIES]
            seen = first + start + len(some)
            scores = some.reshape(-1, size) @ keys[:, :seen]
            self._kernels.softmax_causal(scores, group, first + start)
            results[start : start + len(some)] = (scores @ values[:seen]).reshape(some.shape)

    def _scores(self, rows: Sequence[Row], states: "NDArray[np.float32]") -> "list[NDArray[np.float32]]":
        """The scores after the last `keep` tokens of each row."""
        import numpy as np

        ends = np.cumsum([len(row.ids) for row in rows])
        wanted = np.concatenate([np.arange(end - row.keep, end) for row, end in zip(rows, ends, strict=True)])
        kept = np.empty((len(wanted), self._hidden), np.float32)
        if len(wanted):
            self._kernels.normalise(states[wanted], self._last_norm, self._epsilon, kept)
        (scores,) = self._multiply(kept, [(self._head, self._head_rows)])
        scores = scores[:, : self.info.vocabulary]
        return np.split(scores, np.cumsum([row.keep for row in rows])[:-1])
