"""Reads a sentence-transformers folder: which steps lead from a text to its vector."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sre_core.errors import ConfigError
from sre_smollm.embeddings.pooling import Activation, Dense, Mode, Normalize, Step
from sre_smollm.embeddings.tensors import read_tensors

__all__ = ["Recipe", "read_recipe"]

_SAVE = "save the model again with SentenceTransformer.save"
_KEYS: Mapping[str, Mode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a folder makes vectors: network and tokenizer, pooling, then `steps` in their order.

    `config` is the network's config.json. A text longer than `max_tokens`, with its special tokens, is cut; None
    cuts nothing. `prompt` stands in front of every text, and with `include_prompt` its tokens are pooled too.
    """

    folder: Path
    network: Path
    config: Mapping[str, Any]
    max_tokens: int | None
    lower: bool
    pooling: tuple[Mode, ...]
    include_prompt: bool
    prompt: str
    steps: tuple[Step, ...]


def read_recipe(folder: Path) -> Recipe:
    """What the folder's modules.json and the files that it names say.

    Raises ConfigError when a file is missing or damaged, or asks for what is not known here.
    """
    if not (folder / "modules.json").is_file():
        raise ConfigError(f"{str(folder)!r} has no modules.json, so it is no sentence-transformers folder", hint=_SAVE)
    modules = [_module(folder, entry) for entry in _json(folder / "modules.json", list)]
    kinds = [kind for kind, _ in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise ConfigError(
            f"the modules of {str(folder)!r} begin with {kinds[:2]!r}",
            hint="only models that begin with Transformer and Pooling can be run",
        )
    network, pooling = modules[0][1], modules[1][1]
    config = _json(network / "config.json", dict)
    limits = _limits(network)
    modes, include_prompt = _pooling(pooling / "config.json")
    return Recipe(
        folder=folder,
        network=network,
        config=config,
        max_tokens=_max_tokens(network, config, limits),
        lower=limits.get("do_lower_case") is True,
        pooling=modes,
        include_prompt=include_prompt,
        prompt=_prompt(folder),
        steps=tuple(step for kind, path in modules[2:] for step in _steps(folder, kind, path)),
    )


def _json(path: Path, kind: type[Any]) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"the model folder has no {str(path)!r}", hint=_SAVE) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error}", hint=_SAVE) from error
    if not isinstance(found, kind):
        raise ConfigError(f"{str(path)!r} holds no JSON {kind.__name__}", hint=_SAVE)
    return found


def _module(folder: Path, entry: object) -> tuple[str, Path]:
    """The last part of a module's type, and its folder."""
    kind = entry.get("type") if isinstance(entry, dict) else None
    place = entry.get("path", "") if isinstance(entry, dict) else None
    if not isinstance(kind, str) or not isinstance(place, str):
        raise ConfigError(f"{str(folder / 'modules.json')!r} has a module without type and path", hint=_SAVE)
    if not kind.startswith("sentence_transformers."):
        raise ConfigError(
            f"the model folder {str(folder)!r} needs the module {kind!r}, which is code of its own",
            hint="use a model made of the modules of sentence-transformers; foreign code is never run",
        )
    path = folder / place
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"the module path {place!r} leaves the model folder {str(folder)!r}", hint=_SAVE)
    return kind.rpartition(".")[2], path


def _limits(network: Path) -> dict[str, Any]:
    # Named after the architecture: sentence_bert_config.json, sentence_roberta_config.json and others.
    found = sorted(network.glob("sentence_*_config.json"))
    limits: dict[str, Any] = _json(found[0], dict) if found else {}
    return limits


def _max_tokens(network: Path, config: Mapping[str, Any], limits: Mapping[str, Any]) -> int | None:
    tokenizer: dict[str, Any] = {}
    if (network / "tokenizer_config.json").is_file():
        tokenizer = _json(network / "tokenizer_config.json", dict)
    places = config.get("max_position_embeddings")
    named = limits.get("max_seq_length")
    if named is not None and (not isinstance(named, int) or named < 1):
        raise ConfigError(f"{str(network)!r} has max_seq_length = {named!r}", hint="it must be a whole number above 0")
    asked = [named] if named else [tokenizer.get("model_max_length")]
    # A tokenizer without a limit says so with a number far beyond any text.
    sizes = [size for size in (*asked, places) if isinstance(size, int) and 0 < size < 10**9]
    return min(sizes, default=None)


def _pooling(path: Path) -> tuple[tuple[Mode, ...], bool]:
    config = _json(path, dict)
    names = config.get("pooling_mode")
    if isinstance(names, str):
        asked = [name.removesuffix("_tokens") for name in names.lower().split("+")]
    else:
        # What sentence-transformers takes when the file says nothing.
        chosen = {"pooling_mode_mean_tokens": True} | {
            key: value for key, value in config.items() if key.startswith("pooling_mode_")
        }
        asked = [_KEYS.get(key, key) for key, value in chosen.items() if value]
    unknown = [name for name in asked if name not in get_args(Mode)]
    if unknown or not asked:
        raise ConfigError(
            f"{str(path)!r} asks for the pooling {unknown[0] if unknown else None!r}, which is not known",
            hint=f"known are: {', '.join(get_args(Mode))}",
        )
    return tuple(mode for mode in get_args(Mode) if mode in asked), config.get("include_prompt", True) is not False


def _prompt(folder: Path) -> str:
    path = folder / "config_sentence_transformers.json"
    config = _json(path, dict) if path.is_file() else {}
    name = config.get("default_prompt_name")
    if name is None:
        return ""
    prompts = config.get("prompts")
    prompt = prompts.get(name) if isinstance(prompts, dict) else None
    if not isinstance(prompt, str):
        raise ConfigError(f"{str(path)!r} has no prompt {name!r}, its default", hint=_SAVE)
    return prompt


def _steps(folder: Path, kind: str, path: Path) -> tuple[Step, ...]:
    match kind:
        case "Normalize":
            return (Normalize(),)
        case "Dense":
            return (_dense(path),)
        case "Dropout":
            # It does something only while a model is trained.
            return ()
    raise ConfigError(
        f"the model folder {str(folder)!r} needs the module {kind!r}, which is not known",
        hint="known are: Transformer, Pooling, Dense, Normalize, Dropout",
    )


def _dense(path: Path) -> Dense:
    config = _json(path / "config.json", dict)
    activation = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    if activation not in get_args(Activation):
        raise ConfigError(
            f"{str(path / 'config.json')!r} asks for the activation {activation!r}, which is not known",
            hint=f"known are: {', '.join(get_args(Activation))}",
        )
    for key in ("module_input_name", "module_output_name"):
        if config.get(key) not in {None, "sentence_embedding"}:
            raise ConfigError(f"{str(path / 'config.json')!r} has {key} = {config[key]!r}", hint="not supported")
    tensors = read_tensors(path)
    weight, bias = tensors.get("linear.weight"), tensors.get("linear.bias")
    shape = (config.get("out_features"), config.get("in_features"))
    if weight is None or weight.shape != shape or (bias is None) == config.get("bias", True):
        raise ConfigError(f"the weights of the layer {str(path)!r} are not those of its config.json", hint=_SAVE)
    if bias is not None and bias.shape != shape[:1]:
        raise ConfigError(f"the bias of the layer {str(path)!r} has shape {bias.shape}", hint=_SAVE)
    return Dense(weight=weight, bias=bias, activation=activation)  # type: ignore[arg-type]  # checked above
