"""Model files as SmythOS writes them, read into what the user says of models."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sre_core.errors import ConfigError
from sre_core.models.catalogue import Given
from sre_core.models.entry import ANY
from sre_core.models.unique_keys import unique_keys

__all__ = ["read_model_files"]

_SUFFIX = ".json"
_SECRET = re.compile(r"\{\{KEY\(\s*([^)]*[^)\s])\s*\)\}\}")


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider of SmythOS is called here, and the connector and settings that reach it."""

    name: str
    connector: str
    settings: Mapping[str, str]
    takes_key: bool = True


def _compatible(name: str) -> _Provider:
    return _Provider(name, "openai", {"preset": name})


_GOOGLE = _Provider("google", "google", {})
_TOGETHER = _compatible("together")
_CLOUDS = ("groq", "xai", "perplexity", "deepseek", "mistral", "openrouter", "huggingface")
_SERVERS = ("ollama", "lmstudio", "vllm", "sglang", "llamacpp")

# By the names of SmythOS in small letters, and by our own.
_PROVIDERS: Mapping[str, _Provider] = {
    "openai": _compatible("openai"),
    "anthropic": _Provider("anthropic", "anthropic", {}),
    "google": _GOOGLE,
    "googleai": _GOOGLE,
    "vertexai": _Provider("google", "google", {"backend": "vertex"}, takes_key=False),
    "bedrock": _Provider("bedrock", "bedrock", {}, takes_key=False),
    "echo": _Provider("echo", "echo", {}, takes_key=False),
    "together": _TOGETHER,
    "togetherai": _TOGETHER,
    **{name: _compatible(name) for name in (*_CLOUDS, *_SERVERS)},
}

_FEATURES: Mapping[str, str | None] = {
    # Every model writes text, and searching is no capability here.
    "text": None,
    "search": None,
    "tools": "tools",
    "reasoning": "reasoning",
    "image": "images",
    "audio": "audio",
    "video": "video",
    "document": "documents",
    "embeddings": "embed",
    "image-generation": "image-generation",
    "text-to-image": "image-generation",
    "image-to-image": "image-generation",
    "image-inpainting": "image-generation",
    "image-outpainting": "image-generation",
}

_INTERFACES = {"chat.completions": "chat", "responses": "responses"}


class _Foreign(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _KeyOptions(_Foreign):
    tokens: int | None = Field(default=None, gt=0)
    completion_tokens: int | None = Field(default=None, gt=0, alias="completionTokens")
    enabled: bool | None = None


class _Params(_Foreign):
    max_tokens: int | None = Field(default=None, gt=0, alias="maxTokens")
    temperature: float | None = None
    top_p: float | None = Field(default=None, alias="topP")
    stop: list[str] | str | None = Field(default=None, alias="stopSequences")


class _Model(_KeyOptions):
    """An entry of a model file. `tokens` hold without a key, `key_options` with one."""

    provider: str | None = None
    llm: str | None = None
    model_id: str = Field(alias="modelId", min_length=1)
    label: str = ""
    features: list[str] = []
    base_url: str | None = Field(default=None, alias="baseURL", min_length=1)
    credentials: str | list[str] | dict[str, Any] | None = None
    interface: str | None = None
    alias: str | None = None
    params: _Params = _Params()
    key_options: _KeyOptions = Field(default=_KeyOptions(), alias="keyOptions")


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry with its name and the file that it stands in."""

    name: str
    file: Path
    model: _Model

    def wrong(self, key: str, why: str, hint: str) -> ConfigError:
        return ConfigError(f"bad value for {key!r} of model {self.name!r} in {self.file}: {why}", hint=hint)


def read_model_files(places: Iterable[Path]) -> list[Given]:
    """All models of these files, and of the `.json` files in these folders and below; hidden ones are passed over.

    A model of the name "fast" is found by that name, and as "provider/fast". Keys that mean nothing here are
    tolerated, and noted. Raises ConfigError that names file and key when one model cannot be read: then none is.
    """
    found: dict[str, _Entry] = {}
    # A file may be named twice: by itself and by its folder, or on the command line too.
    files = {file.resolve(): file for place in places for file in _files(place)}
    for file in files.values():
        for entry in _entries(file):
            if entry.name in found:
                twice = f"model {entry.name!r} is in {found[entry.name].file} and in {file}"
                raise ConfigError(twice, hint="keep one of them, or rename one")
            found[entry.name] = entry
    return [_as_given(entry, found) for entry in found.values()]


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ConfigError(f"there is no model file {place}", hint="correct its path, as in `model_files` of sre.toml")
    hidden = [path for path in place.rglob(f"*{_SUFFIX}") if not _is_hidden(path.relative_to(place))]
    return sorted(path for path in hidden if path.is_file())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _entries(file: Path) -> Iterator[_Entry]:
    content = _read(file)
    models = {content["modelId"]: content} if isinstance(content.get("modelId"), str) else content
    for name, raw in models.items():
        if not name.isprintable() or name.strip() in {"", ANY}:
            # The last would stand for all models of its provider.
            raise ConfigError(f"no model can be called {name!r}, as in {file}", hint="call it by a name of its own")
        try:
            model = _Model.model_validate(raw)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(str(part) for part in problem["loc"]) or name
            raise ConfigError(
                f"bad value for {key!r} of model {name!r} in {file}: {problem['msg']}", hint="correct it there"
            ) from None
        yield _Entry(name, file, model)


def _read(file: Path) -> dict[str, Any]:
    try:
        # Some editors begin a file with a mark of its encoding.
        text = file.read_text(encoding="utf-8-sig")
        content = json.loads(text, object_pairs_hook=unique_keys, parse_constant=_no_number)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", hint="check its permissions") from error
    except (ValueError, RecursionError) as error:
        # Without its cause, which holds the whole text: the file may have keys in it.
        raise ConfigError(f"{file} is not valid JSON: {error}", hint="fix the file at that place") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} holds no models", hint='write a table of them, or one with "modelId"')
    return content


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _as_given(entry: _Entry, all_entries: Mapping[str, _Entry]) -> Given:
    model = entry.model
    provider = _provider(entry)
    notes = [*_surplus(model), *_surplus(model.key_options, "keyOptions."), *_surplus(model.params, "params.")]
    # SmythOS asks for the model of the entry that `alias` names.
    target = all_entries.get(model.alias or "")
    if model.alias is not None and target is None:
        notes.append("alias")
    settings, unused = _settings(entry, provider)
    notes += unused
    features = {_FEATURES[word] for word in model.features if word in _FEATURES}
    notes += [f"features: {word}" for word in model.features if word not in _FEATURES]
    values: dict[str, Any] = {
        "connector": provider.connector,
        "settings": settings,
        "model": (target.model if target is not None else model).model_id,
        "aliases": (entry.name,),
        "features": tuple(sorted(word for word in features if word)),
        "context_tokens": model.key_options.tokens or model.tokens,
        "output_tokens": model.key_options.completion_tokens or model.completion_tokens,
        "label": model.label or None,
        "params": _params(model.params),
        "enabled": model.enabled if model.key_options.enabled is None else model.key_options.enabled,
    }
    known = {name: value for name, value in values.items() if value not in (None, {}, ())} | {"settings": settings}
    note = (f"not used: {', '.join(notes)}",) if notes else ()
    return Given(id=f"{provider.name}/{entry.name}", values=known, source=str(entry.file), notes=note)


def _provider(entry: _Entry) -> _Provider:
    name = entry.model.provider or entry.model.llm
    known = f"write one of {', '.join(sorted(_PROVIDERS))}"
    if name is None:
        raise entry.wrong("provider", "it is missing", known)
    found = _PROVIDERS.get(name.lower())
    if found is None:
        raise entry.wrong("provider", f"{name!r} is not known", known)
    return found


def _settings(entry: _Entry, provider: _Provider) -> tuple[dict[str, Any], list[str]]:
    """The settings of the connector, and the keys that have no meaning here."""
    model, unused = entry.model, []
    settings: dict[str, Any] = dict(provider.settings)
    if model.base_url is not None:
        settings["url"] = model.base_url
        if provider.name == "openai":
            # "OpenAI" with an address is whatever speaks like it.
            del settings["preset"]
    api = _INTERFACES.get(model.interface or "") if provider.connector == "openai" else None
    if api is not None:
        settings["api"] = api
    elif model.interface is not None:
        unused.append("interface")
    key, left = _key(entry, provider) if provider.takes_key else (None, ["credentials"] if model.credentials else [])
    if key is not None:
        settings["key"] = key
    return settings, unused + left


def _key(entry: _Entry, provider: _Provider) -> tuple[Any, list[str]]:
    """The key of the provider, a reference into the vault or the secret itself; and what was not understood."""
    given = entry.model.credentials
    if isinstance(given, Mapping):
        left = [f"credentials.{name}" for name in given if name != "apiKey"]
        if "apiKey" not in given:
            return None, left
        text = given["apiKey"]
        reference = _SECRET.fullmatch(text) if isinstance(text, str) else None
        if not isinstance(text, str) or not text or ("{{" in text and reference is None):
            raise entry.wrong("credentials.apiKey", "it must be text", "write the key, or {{KEY(name)}} alone")
        return ({"vault": reference[1]} if reference else SecretStr(text)), left
    # Without a word on it the provider's own server wants the key, a server of one's own may not.
    usual = () if entry.model.base_url or provider.name in _SERVERS else ("internal",)
    words = [given] if isinstance(given, str) else list(usual if given is None else given)
    if {"vault", "internal"} & set(words):
        # Both are looked up in the vault here, which knows the environment too.
        return {"vault": (entry.model.provider or entry.model.llm or "").lower()}, []
    # Without the words: one of them may be the key itself, in the wrong place.
    return None, ["credentials"] if set(words) - {"none"} else []


def _params(params: _Params) -> dict[str, Any]:
    stop = params.stop.replace("\n", ",").split(",") if isinstance(params.stop, str) else params.stop
    values = {
        "max_tokens": params.max_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "stop": tuple(text for text in stop or () if text),
    }
    return {name: value for name, value in values.items() if value not in (None, ())}


def _surplus(model: _Foreign, where: str = "") -> list[str]:
    return [f"{where}{name}" for name in sorted(model.model_extra or {})]
