"""Tells a folder with whole weights from one that is incomplete or damaged, without reading the weights."""

import json
from pathlib import Path
from typing import Any

from sre_core.errors import ConfigError

__all__ = ["check_folder", "missing", "pickled", "weight_files"]

_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
# Read by every network or tokenizer if they are there.
_SIDE = (
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
    "processor_config.json",
)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_SHOWN = 3


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files that hold the weights of a folder, whether they are there or not.

    `model.safetensors` if there is one, else the parts that the index names, else every safetensors file. Raises
    ConfigError when the index is damaged.
    """
    if (folder / _SINGLE).is_file():
        return (folder / _SINGLE,)
    index = folder / _INDEX
    if index.is_file():
        return tuple(folder / name for name in sorted(set(_places(index).values())))
    return tuple(sorted(folder.glob("*.safetensors")))


def missing(folder: Path) -> list[str]:
    """Names of files that a model cannot do without and that are not there."""
    found = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    files = weight_files(folder)
    return found + ([file.name for file in files if not file.is_file()] if files else ["*.safetensors"])


def pickled(folder: Path) -> str | None:
    """The name of a file with weights in Python's pickle format, which runs code when it is read."""
    return next((file.name for kind in _PICKLES for file in sorted(folder.glob(kind))), None)


def check_folder(folder: Path, *, repair: str) -> None:
    """Raise ConfigError, with `repair` as its hint, unless every file of a model is there and has its whole length.

    Looks at the JSON files and at the head of each safetensors file, so it takes milliseconds. Bytes that were
    changed within the weights are not noticed: only a checksum would tell, and reading it all is slow.
    """
    absent = missing(folder)
    if absent:
        pickle = pickled(folder)
        if "*.safetensors" in absent and pickle:
            raise ConfigError(
                f"the weights in {str(folder)!r} are a pickle ({pickle!r}), which runs code when it is read",
                hint="use a model with *.safetensors, or save it as such where you trust it: model.save_pretrained",
            )
        shown = ", ".join(absent[:_SHOWN]) + (f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else "")
        raise ConfigError(f"the model folder {str(folder)!r} has no {shown}", hint=repair)
    try:
        _check_config(folder / "config.json")
        _check_tokenizer(folder / "tokenizer.json")
        for name in _SIDE:
            if (folder / name).is_file():
                _table(folder / name)
        _check_weights(folder)
    except _DamagedError as error:
        raise ConfigError(f"{str(error.file)!r} is damaged: {error.why}", hint=repair) from error


class _DamagedError(Exception):
    def __init__(self, file: Path, why: object) -> None:
        super().__init__(file, why)
        self.file = file
        self.why = why


def _table(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _DamagedError(file, f"it is no JSON ({error})" if content else "it is empty") from error
    except OSError as error:
        raise _DamagedError(file, error.strerror) from error
    if not isinstance(found, dict):
        raise _DamagedError(file, "it holds no JSON object")
    return found


def _check_config(file: Path) -> None:
    if not isinstance(_table(file).get("model_type"), str):
        raise _DamagedError(file, "it names no 'model_type'")


def _check_tokenizer(file: Path) -> None:
    """The library that reads it fails with a bare Exception, so what it would trip over is looked for here."""
    table = _table(file)
    model = table.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), (dict, list)) or not model["vocab"]:
        raise _DamagedError(file, "it has no vocabulary")
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        if not all(type(number) is int and number >= 0 for number in vocabulary.values()):
            raise _DamagedError(file, "its vocabulary has tokens without a number")
        for merge in model.get("merges") or ():
            pair = merge.split(" ", 1) if isinstance(merge, str) else merge
            if not isinstance(pair, list) or len(pair) != 2 or "".join(map(str, pair)) not in vocabulary:
                raise _DamagedError(file, f"its merge {merge!r} makes no token of its vocabulary")
    for token in table.get("added_tokens") or ():
        if not isinstance(token, dict) or not isinstance(token.get("content"), str) or type(token.get("id")) is not int:
            raise _DamagedError(file, f"its added token {token!r} has no text and number")


def _check_weights(folder: Path) -> None:
    from safetensors import SafetensorError, safe_open

    held: set[str] = set()
    for file in weight_files(folder):
        try:
            # Compares the table at its front with the length of the file, and maps it without reading on.
            with safe_open(file, framework="numpy") as opened:
                held.update(opened.keys())
        except SafetensorError as error:
            size = file.stat().st_size
            raise _DamagedError(file, f"{error}; it has {size:,} bytes" if size else "it is empty") from error
        except OSError as error:
            raise _DamagedError(file, error) from error
    index = folder / _INDEX
    if not (folder / _SINGLE).is_file() and index.is_file():
        lost = sorted(_places(index).keys() - held)
        if lost:
            raise _DamagedError(index, f"it names {lost[0]!r}, which is in none of its files")


def _places(index: Path) -> dict[str, str]:
    """The file of each tensor."""
    try:
        places = _table(index).get("weight_map")
    except _DamagedError as error:
        raise _bad_index(index, error.why) from error
    if not isinstance(places, dict) or not places:
        raise _bad_index(index, "it has no 'weight_map'")
    for name in places.values():
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise _bad_index(index, f"{name!r} is no name of a safetensors file")
    return places


def _bad_index(index: Path, why: object) -> ConfigError:
    return ConfigError(f"{str(index)!r} is damaged: {why}", hint="fetch the model again, or save it again")
