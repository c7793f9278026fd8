"""Reads what a model folder says of itself: its configuration and the tables at the front of its weights."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sre_core.errors import ConfigError

__all__ = ["ModelFolder"]

# Of safetensors: an unsigned little-endian length, then a table in JSON of at most so many bytes.
_LENGTH = 8
_LONGEST_TABLE = 100_000_000
_DTYPES = MappingProxyType({"F32": "float32", "BF16": "bfloat16", "F16": "float16", "F64": "float64"})
# What is taken when a configuration names no limit, as those of recurrent networks do not.
_CONTEXT = 2048
# Names that architectures have for one and the same thing.
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length", "context_length")
_LAYER_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEAD_KEYS = ("num_attention_heads", "n_head", "n_heads")
_HIDDEN_KEYS = ("hidden_size", "n_embd", "d_model")
_HEADS = ("lm_head.weight", "embed_out.weight")
_IMAGE_KEYS = ("image_token_id", "image_token_index")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    """An entry of a table: `size` and `end`, counted from the end of the table, are in bytes."""

    kind: str
    numbers: int
    size: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """Facts of a model, read without loading it. A size that the folder does not tell is 0.

    Of a model with images they are those of its text part. `context_tokens` is 2048 when there is no limit in the
    configuration; `ends` are the ids that end a reply; `dtype` is what most weights are kept in, such as
    "bfloat16" or "other"; `tied` says that the head shares the table of embeddings. `config` is config.json, `text`
    the part of it that describes the text model, often the same.
    """

    path: Path
    architecture: str
    model_type: str
    context_tokens: int
    vocabulary: int
    ends: frozenset[int]
    parameters: int
    weight_bytes: int
    dtype: str
    image_text: bool
    image_token: int | None
    layers: int
    heads: int
    key_heads: int
    head_size: int
    hidden: int
    tied: bool
    weights: tuple[Path, ...]
    config: Mapping[str, Any] = field(repr=False)
    text: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "ModelFolder":
        """The facts of a folder with config.json and safetensors. Raises ConfigError naming the file that is wrong."""
        file = path / "config.json"
        config = _json(file)
        text = config.get("text_config", config)
        if not isinstance(text, dict):
            raise _wrong(file, f"'text_config' is {text!r} and should be a table")
        heads, hidden = _whole(file, text, _HEAD_KEYS), _whole(file, text, _HIDDEN_KEYS)
        images = "vision_config" in config
        weights = _weights(path)
        tensors = {name: tensor for part in weights for name, tensor in _table(part).items()}
        return cls(
            path=path,
            architecture=_architecture(file, config),
            model_type=str(config.get("model_type", "")),
            context_tokens=_whole(file, text, _CONTEXT_KEYS) or _CONTEXT,
            vocabulary=_whole(file, text, ("vocab_size",)) or _whole(file, config, ("vocab_size",)),
            ends=_ends(path, (config, text)),
            parameters=sum(tensor.numbers for tensor in tensors.values()),
            weight_bytes=sum(tensor.size for tensor in tensors.values()),
            dtype=_main_kind(tensors.values()),
            image_text=images,
            image_token=_whole(file, config, _IMAGE_KEYS) or None if images else None,
            layers=_whole(file, text, _LAYER_KEYS),
            heads=heads,
            key_heads=_whole(file, text, ("num_key_value_heads", "n_head_kv")) or heads,
            head_size=_whole(file, text, ("head_dim",)) or (hidden // heads if heads else 0),
            hidden=hidden,
            tied=not any(name.endswith(_HEADS) for name in tensors),
            weights=weights,
            config=MappingProxyType(config),
            text=MappingProxyType(text),
        )


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no {str(file)!r}", hint="a model folder holds config.json, tokenizer.json and *.safetensors"
        ) from error
    except (OSError, ValueError) as error:
        raise _wrong(file, error) from error
    if not isinstance(found, dict):
        raise _wrong(file, "it is no table of names and values")
    return found


def _wrong(file: Path, why: object) -> ConfigError:
    return ConfigError(
        f"the model file {str(file)!r} cannot be read: {why}",
        hint="it is damaged: delete the folder if it lies in the cache, or fetch it again",
    )


def _architecture(file: Path, config: Mapping[str, Any]) -> str:
    names = config.get("architectures") or [""]
    if not isinstance(names, list) or not isinstance(names[0], str):
        raise _wrong(file, f"'architectures' is {names!r} and should be a list of names")
    return names[0]


def _whole(file: Path, table: Mapping[str, Any], keys: Iterable[str]) -> int:
    """The first of these numbers that there is, else 0."""
    for key in keys:
        value = table.get(key)
        if value is None:
            continue
        # A few architectures have a list here, one number for each layer.
        if isinstance(value, list) and value and all(type(item) is int for item in value):
            value = max(value)
        if type(value) is not int or value < 0:
            raise _wrong(file, f"{key!r} is {value!r} and should be a number of at least 0")
        return value
    return 0


def _ends(path: Path, tables: Iterable[Mapping[str, Any]]) -> frozenset[int]:
    """Of all that name them, since the settings of generation are often fuller than the configuration."""
    generation = path / "generation_config.json"
    named = [(path / "config.json", table) for table in tables]
    if generation.is_file():
        named.append((generation, _json(generation)))
    found: set[int] = set()
    for file, table in named:
        value = table.get("eos_token_id")
        ids = [] if value is None else value if isinstance(value, list) else [value]
        if not all(type(item) is int for item in ids):
            raise _wrong(file, f"'eos_token_id' is {value!r} and should be a number or a list of numbers")
        found.update(ids)
    return frozenset(found)


def _weights(path: Path) -> tuple[Path, ...]:
    """The files of the model; a folder may hold the same weights in another form next to them."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        places = _json(index).get("weight_map")
        if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
            raise _wrong(index, "'weight_map' should be a table of files")
        files = tuple(path / name for name in sorted(set(places.values())))
    elif (path / "model.safetensors").is_file():
        files = (path / "model.safetensors",)
    else:
        files = tuple(sorted(path.glob("*.safetensors")))
    if not files:
        raise ConfigError(
            f"the model folder {str(path)!r} has no *.safetensors",
            hint="save it with model.save_pretrained, or fetch it from the hub again",
        )
    return files


def _table(file: Path) -> dict[str, _Tensor]:
    """The tensors in a file, which is checked to be whole."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(_LENGTH), "little")
            # Else a damaged length asks for as much memory as it says.
            raw = stream.read(length) if length <= _LONGEST_TABLE else b""
        table = json.loads(raw)
        table.pop("__metadata__", None)
        found = {name: _tensor(entry) for name, entry in table.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise _wrong(file, f"the table at its front is damaged ({error})") from error
    whole = _LENGTH + length + max((tensor.end for tensor in found.values()), default=0)
    if whole != size:
        raise _wrong(file, f"it has {size} bytes and should have {whole}")
    return found


def _tensor(entry: Mapping[str, Any]) -> _Tensor:
    start, end = entry["data_offsets"]
    return _Tensor(kind=str(entry["dtype"]), numbers=math.prod(entry["shape"]), size=end - start, end=end)


def _main_kind(tensors: Iterable[_Tensor]) -> str:
    """The type that most bytes are in."""
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[tensor.kind] += tensor.size
    return _DTYPES.get(max(sizes, key=lambda kind: sizes[kind]), "other") if sizes else "other"
