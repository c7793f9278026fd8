"""The compiled network: a step in one call on one thread, or layer by layer on several."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import Network, NetworkInfo, OutOfMemoryError, Row
from sre_smollm.networks.compiled.cache import PLACES, CompiledCache, Shape
from sre_smollm.networks.compiled.packing import PARTS, missing
from sre_smollm.networks.compiled.preparing import compile_kernels, kernels
from sre_smollm.networks.compiled.rotation import frequencies, turning_layers
from sre_smollm.networks.compiled.scratch import CHUNK, Scratch
from sre_smollm.networks.compiled.tensors import TensorFile
from sre_smollm.networks.folder import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ARCHITECTURES", "CompiledNetwork", "check", "load"]

ARCHITECTURES = frozenset({"llama", "smollm3", "mistral"})
# Tokens of one step from which on it is worth more than one thread.
_MANY = 24


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


def load(
    folder: ModelFolder, packed: Path, *, context_tokens: int, threads: int = 1, decode_threads: int = 1
) -> "CompiledNetwork":
    """Map the weights that `packing.pack` wrote. The loops are compiled, if they are not yet, into the same folder.

    Steps of many tokens take `threads`, others `decode_threads`, which pays for models of a billion parameters and
    more. Raises ConfigError when tensors are missing or the file is damaged, UnsupportedError.
    """
    check(folder)
    file = TensorFile(packed)
    if absent := missing(file.places, folder.layers):
        raise ConfigError(
            f"the model in {str(folder.path)!r} has no tensor {absent[0]!r}", hint="fetch it again, it is not whole"
        )
    compile_kernels(packed.parent)
    return CompiledNetwork(
        folder, file, packed.parent, context_tokens=context_tokens, threads=(threads, decode_threads)
    )


class CompiledNetwork(Network):
    """Weights in 4 or 8 bits, what they are multiplied with in 16, keys and values float16, all else float32.

    `threads` are those for steps of many tokens and of few; `cache` is where machine code is kept.
    """

    name: ClassVar[str] = "compiled"

    def __init__(
        self, folder: ModelFolder, file: TensorFile, cache: Path, *, context_tokens: int, threads: tuple[int, int]
    ) -> None:
        import numpy as np

        self._kernels: Any = kernels(cache)
        # The thread that calls does a share too.
        others = max(threads) - 1
        self._pool = ThreadPoolExecutor(others, thread_name_prefix="smollm-compute") if others else None
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
        self._table = np.array(self._place("model.embed_tokens.weight"))
        head = "lm_head.weight" if "lm_head.weight" in file.places else "model.embed_tokens.weight"
        self._head, self._head_rows = np.array(self._place(head)), file.places[head].shape[0] * 16
        queries, shared = folder.heads * folder.head_size, folder.key_heads * folder.head_size
        self._scratch = Scratch(self._hidden, queries, shared, self._inner)
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
        """Read every row, all together. What a row gives does not depend on the others at all."""
        import numpy as np

        caches: list[CompiledCache] = [row.cache for row in rows]  # type: ignore[misc]  # made by `cache`
        try:
            for row, cache in zip(rows, caches, strict=True):
                cache.reserve(len(row.ids))
            # First, since nothing is computed in vain if there is no room for it.
            scores = np.empty((sum(row.keep for row in rows), self._head_rows), np.float32)
            states = self._read(rows, caches)
            self._score(rows, states, scores)
        except OutOfMemoryError:
            raise
        except MemoryError as error:
            raise OutOfMemoryError("there is no memory for this step of the model") from error
        for row, cache in zip(rows, caches, strict=True):
            cache.advance(len(row.ids))
        ends = accumulate(row.keep for row in rows)
        return [scores[end - row.keep : end, : self.info.vocabulary] for row, end in zip(rows, ends, strict=True)]

    def _read(self, rows: Sequence[Row], caches: Sequence[CompiledCache]) -> "NDArray[np.float32]":
        """The last hidden states of all tokens, (tokens, hidden)."""
        import numpy as np

        ids = np.array([token for row in rows for token in row.ids], np.int64)
        if ids.min() < 0 or ids.max() >= self.info.vocabulary:
            raise ValueError(f"a token is not among the {self.info.vocabulary} that the model knows")
        table = np.array(
            [
                (address, capacity, position)
                for row, cache in zip(rows, caches, strict=True)
                for address, capacity in [(cache.address, cache.capacity)]
                for position in range(cache.length, cache.length + len(row.ids))
            ],
            np.int64,
        )
        angles = table[:, 2:].astype(np.float32) * self._frequencies
        cosine, sine = np.cos(angles), np.sin(angles)
        states = np.empty((len(ids), self._hidden), np.float32)
        self._kernels.unpack_rows(self._data, self._table, ids, states)
        for start in range(0, len(ids), CHUNK):
            part = slice(start, start + CHUNK)
            self._layers(states[part], cosine[part], sine[part], table[part])
        return states

    def _layers(self, x: "NDArray[np.float32]", cosine: Any, sine: Any, caches: "NDArray[np.int64]") -> None:
        """All layers for some tokens, in place."""
        import numpy as np

        scratch, shape, parts = self._scratch, self._shape, self._parts(len(x))
        longest = -(-int(caches[:, 2].max() + 1) // PLACES) * PLACES
        found = np.empty((parts, self._heads // shape.heads, longest), np.float32)
        if parts == 1:
            self._kernels.step(
                self._data, self._places, self._norms, self._epsilon, self._turns, shape.size, shape.heads,
                x, cosine, sine, caches, *scratch.arrays(len(x)), scratch.numbers, scratch.scales, scratch.sums,
                found[0],
            )  # fmt: skip
        else:
            self._shared_layers(x, cosine, sine, caches, found)

    def _shared_layers(self, x: Any, cosine: Any, sine: Any, caches: Any, found: Any) -> None:
        """The same as `kernels.step`, each product and the attention shared by as many threads as `found` has parts."""
        run, shape, parts = self._kernels, self._shape, len(found)
        q, k, v, h, a, gate, up = self._scratch.arrays(len(x))

        def attend(part: int) -> None:
            run.attend(q, layer, shape.size, shape.heads, caches, found[part], a, part, parts)

        for layer in range(shape.layers):
            places = self._places[layer]
            run.normalise(x, self._norms[layer, 0], self._epsilon, h)
            self._multiply(h, parts, [(places[0], q), (places[1], k), (places[2], v)])
            run.rotate_and_store(q, k, v, cosine, sine, self._turns[layer], layer, shape.size, caches)
            self._each(parts, attend)
            self._multiply(a, parts, [(places[3], h)])
            run.add(x, h)
            run.normalise(x, self._norms[layer, 1], self._epsilon, h)
            self._multiply(h, parts, [(places[4], gate), (places[5], up)])
            run.swish(gate, up)
            self._multiply(gate, parts, [(places[6], h)])
            run.add(x, h)

    def _parts(self, tokens: int) -> int:
        """Threads that are worth it."""
        return self._threads[0 if tokens >= _MANY else 1]

    def _each(self, parts: int, work: Callable[[int], None]) -> None:
        """Do the parts of some work at once."""
        others = [self._pool.submit(work, part) for part in range(1, parts)] if self._pool is not None else []
        work(0)
        for other in others:
            other.result()

    def _multiply(self, x: "NDArray[np.float32]", parts: int, matrices: Sequence[tuple[Any, Any]]) -> None:
        """Products of `x` with matrices, given by their places, into arrays; each thread takes some rows of them."""
        run, scratch = self._kernels, self._scratch
        numbers, scales, sums = scratch.numbers, scratch.scales, scratch.sums
        run.quantise(x, numbers, scales, sums)

        def share(part: int) -> None:
            for place, out in matrices:
                tiles = out.shape[1] // 16
                first, last = tiles * part // parts, tiles * (part + 1) // parts
                run.multiply(self._data, place, x.shape[1], numbers, scales, sums, out, first, last)

        self._each(parts, share)

    def _score(self, rows: Sequence[Row], states: "NDArray[np.float32]", scores: "NDArray[np.float32]") -> None:
        """Compute the scores after the last `keep` tokens of each row."""
        import numpy as np

        ends = accumulate(len(row.ids) for row in rows)
        wanted = np.concatenate([states[end - row.keep : end] for row, end in zip(rows, ends, strict=True)])
        for start in range(0, len(wanted), CHUNK):
            some = wanted[start : start + CHUNK]
            kept = np.empty_like(some)
            self._kernels.normalise(some, self._last_norm, self._epsilon, kept)
            self._multiply(kept, self._parts(len(kept)), [(self._head, scores[start : start + CHUNK])])
