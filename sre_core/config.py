"""Configuration: one merge, one validation, and every value knows where it came from."""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from sre_core.errors import ConfigError

__all__ = [
    "CONFIG_FILE",
    "Config",
    "ConnectorConfig",
    "GuardConfig",
    "Loaded",
    "ModelConfig",
    "ModelParams",
    "PluginsConfig",
    "ServiceName",
    "Timeouts",
    "load",
]

CONFIG_FILE = "sre.toml"
DATA_FOLDER = ".sre"
ENV_PREFIX = "SRE_"

Origin = dict[tuple[str, ...], str]

ServiceName = Literal["llm", "storage", "vectors", "cache", "vault"]

DEFAULTS: Mapping[str, Any] = {
    "connectors": {
        "llm": {"default": {"use": "smollm"}},
        "storage": {"default": {"use": "local", "folder": ".sre/storage"}},
        "vectors": {"default": {"use": "memory", "folder": ".sre/vectors"}},
        "cache": {"default": {"use": "memory"}},
        "vault": {"default": {"use": "local"}},
    },
    "access": {"llm": {"public": "read"}},
}
"""What holds with no `sre.toml` at all. Paths that begin with `.sre/` lie in the data folder."""

# Read by connectors that need a secret from the environment, so not settings of ours.
_RESERVED_ENV = frozenset({"SRE_VAULT_KEY", "SRE_VAULT_PASSPHRASE"})


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectorConfig(BaseModel):
    """One connector: `use` picks it, every other key belongs to its own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)

    use: str

    @property
    def options(self) -> dict[str, Any]:
        """Every key but `use`."""
        return dict(self.model_extra or {})


class PluginsConfig(_Section):
    """Which plugins are loaded: all that are installed, but the disabled; or `only` these."""

    disabled: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None


class Timeouts(_Section):
    """Seconds until a call of a connector is given up; `llm` bounds each chunk. Starting may convert weights."""

    start: float = Field(default=600, gt=0)
    stop: float = Field(default=30, gt=0)
    operation: float = Field(default=60, gt=0)
    llm: float = Field(default=600, gt=0)


class GuardConfig(_Section):
    """`acl_cache_seconds`: how long a revocation made on another machine may take to be seen here."""

    acl_cache_seconds: float = Field(default=2.0, ge=0)


class ModelParams(_Section):
    """What requests to a model ask for where they do not say: fields of LLMRequest."""

    temperature: float | None = Field(
        default=None, allow_inf_nan=False, description="How free the choice of words is; 0 is not at all."
    )
    top_p: float | None = Field(
        default=None, allow_inf_nan=False, description="The share of likely words to choose from."
    )
    max_tokens: int | None = Field(default=None, gt=0, description="The longest reply.")
    seed: int | None = Field(default=None, description="Makes the choice of words repeatable, where a server does.")
    stop: tuple[str, ...] = Field(default=(), description="Texts that end the reply.")
    thinking: bool | None = Field(default=None, description="Whether the model thinks first.")
    options: Mapping[str, Any] = Field(default={}, description="Options of the connector's own.")


Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ModelConfig(_Section):
    """What the user says of a model; a key that is not given stays as the plugin has it. See ModelEntry."""

    connector: str | None = Field(default=None, description="The connector class that serves it.")
    settings: Mapping[str, Any] = Field(default={}, description="That connector's settings, to reach it.")
    model: str | None = Field(default=None, min_length=1, description="What the API calls it, if not as the id says.")
    aliases: tuple[str, ...] = Field(default=(), description="Other names for it, beside those of the plugin.")
    params: ModelParams = Field(default=ModelParams(), description="For requests that do not say; the keys are below.")
    context_tokens: int | None = Field(default=None, gt=0, description="Prompt and reply together.")
    output_tokens: int | None = Field(default=None, gt=0, description="The longest reply.")
    features: tuple[str, ...] = Field(default=(), description="Capability words, as `tools` and `images`.")
    input_price: Price | None = Field(default=None, description="US dollars per million tokens of input.")
    output_price: Price | None = Field(default=None, description="The same of output.")
    cached_price: Price | None = Field(default=None, description="Of input that the provider's cache gave.")
    cache_write_price: Price | None = Field(default=None, description="Of input that it took.")
    label: str = Field(default="", description="A name for people.")
    enabled: bool = Field(default=True, description="Whether it may be asked for.")

    @field_validator("settings")
    @classmethod
    def _without_use(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "use" in value:
            raise ValueError("the connector is named by `connector`, not by `use`")
        return value


def _model_id(text: str) -> str:
    provider, slash, name = text.partition("/")
    if not (slash and name and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", provider)):
        raise ValueError('a model is called "provider/name", in quotes')
    return text


class Config(_Section):
    """The whole configuration, as `sre.toml` writes it."""

    model: str | None = None
    data: Path | None = None
    connectors: Mapping[ServiceName, Mapping[str, ConnectorConfig]] = Field(default={}, validate_default=True)
    access: Mapping[str, Mapping[str, Literal["read", "write", "own"]]] = Field(default={}, validate_default=True)
    teams: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    models: Mapping[Annotated[str, AfterValidator(_model_id)], ModelConfig] = Field(default_factory=dict)
    model_files: tuple[Path, ...] = ()
    plugins: PluginsConfig = PluginsConfig()
    timeouts: Timeouts = Timeouts()
    guard: GuardConfig = GuardConfig()

    _root: Path = PrivateAttr(default_factory=Path.cwd)
    _origin: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("connectors", "access", mode="before")
    @classmethod
    def _over_the_defaults(cls, value: Mapping[str, Any], info: ValidationInfo) -> Mapping[str, Any]:
        """A Config made by hand stands on the same defaults as one that was loaded."""
        defaults = DEFAULTS[str(info.field_name)]
        if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
            return value
        if info.field_name == "access":
            return {**defaults, **value}
        unknown = {service: entries for service, entries in value.items() if service not in defaults}
        return {service: {**entries, **value.get(service, {})} for service, entries in defaults.items()} | unknown

    def located(self, root: Path, origin: Mapping[str, str]) -> "Config":
        """The same configuration, knowing the folder that relative paths start from and its sources."""
        self._root = root
        self._origin = origin
        return self

    @property
    def root(self) -> Path:
        """The folder that relative paths start from: that of `sre.toml`, else the current one."""
        return self._root

    @property
    def data_folder(self) -> Path:
        """Where embedded connectors keep their data."""
        if self.data is not None:
            return self.root / self.data.expanduser()
        if (self.root / CONFIG_FILE).is_file():
            return self.root / DATA_FOLDER
        return Path(platformdirs.user_data_dir("sre", appauthor=False))

    def place(self, path: Path) -> Path:
        """A path of a setting, made absolute: `.sre/…` lies in the data folder, others beside `sre.toml`."""
        if path.is_absolute():
            return path
        if path.parts[:1] == (DATA_FOLDER,):
            return self.data_folder.joinpath(*path.parts[1:])
        return self.root / path.expanduser()

    def source(self, path: str) -> str:
        """Where the value at a dotted path came from; of a table its first key, of an item its list."""
        if path not in self._origin:
            below = next((source for leaf, source in self._origin.items() if leaf.startswith(f"{path}.")), None)
            if below is not None:
                return below
        while path and path not in self._origin:
            path = path.rpartition(".")[0]
        return self._origin.get(path, "default")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and for each of its leaves (dotted path) where it came from."""

    config: Config
    origin: Mapping[str, str]


def load(
    folder: Path = Path(),
    environ: Mapping[str, str] | None = None,
    code: Mapping[str, Any] | None = None,
) -> Loaded:
    """Merge the defaults, `sre.toml`, `SRE_*` variables and `code`, each over the ones before.

    `sre.toml` is looked for in `folder`, then in its parents. Raises ConfigError that names the source.
    """
    found = _find(folder)
    layers: list[tuple[Mapping[str, Any], Origin]] = [_layer(DEFAULTS, "default")]
    if found is not None:
        layers.append(_layer(_read(found), str(found)))
    layers.append(_from_environ(os.environ if environ is None else environ))
    if code:
        layers.append(_layer(code, "code"))
    merged: dict[str, Any] = {}
    sources: Origin = {}
    for values, layer in layers:
        _merge(merged, values, (), sources, layer)
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise _explain(error, sources) from None
    origin = {".".join(path): source for path, source in sources.items()}
    return Loaded(config.located((found.parent if found else folder).resolve(), origin), origin)


def _find(folder: Path) -> Path | None:
    start = folder.resolve()
    return next(
        (place / CONFIG_FILE for place in (start, *start.parents) if os.path.lexists(place / CONFIG_FILE)), None
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        # A link that leads nowhere, above all: to pass over it would mean the defaults, and another data folder.
        raise ConfigError(f"{path} is not a file", hint="make it one, or remove it")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="fix the file at that place") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", hint="check its permissions") from error


def _from_environ(environ: Mapping[str, str]) -> tuple[dict[str, Any], Origin]:
    values: dict[str, Any] = {}
    sources: Origin = {}
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in _RESERVED_ENV:
            continue
        path = tuple(part.lower() for part in name.removeprefix(ENV_PREFIX).split("__"))
        text: Any = environ[name]
        if path == ("plugins",):
            path, text = ("plugins", "only"), [part.strip() for part in text.split(",") if part.strip()]
        elif text[:1] in "[{" and text:
            try:
                text = json.loads(text)
            except ValueError as error:
                # Without its cause, which holds the whole text: a variable may be a secret.
                raise ConfigError(f"{name} is not valid JSON: {error}", hint="lists and tables are JSON") from None
        place = values
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{name} and a variable above it set the same value", hint="keep one of them")
        place[path[-1]] = text
        sources |= dict.fromkeys(_leaves(text, path), name)
    return values, sources


def _layer(values: Mapping[str, Any], source: str) -> tuple[Mapping[str, Any], Origin]:
    return values, dict.fromkeys(_leaves(values, ()), source)


def _is_reference(value: Any) -> bool:
    """Whether it is `{ vault = "name" }`: one value, not a table."""
    return isinstance(value, Mapping) and set(value) == {"vault"} and isinstance(value["vault"], str)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping) and value and not _is_reference(value):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    else:
        yield path


def _merge(
    into: dict[str, Any], values: Mapping[str, Any], path: tuple[str, ...], sources: Origin, layer: Origin
) -> None:
    """Lay `values` over `into`, and their sources, `layer`, over `sources`.

    Two things are replaced whole: a connector that another `use` takes over, whose old options mean nothing to it,
    and the grants of a path under `access`.
    """
    for key, value in values.items():
        here = (*path, key)
        old = into.get(key)
        another = len(here) == 3 and here[0] == "connectors" and isinstance(value, Mapping)
        replaced = (another and isinstance(old, Mapping) and "use" in value and value["use"] != old.get("use")) or (
            len(here) == 2 and here[0] == "access"
        )
        replaced = replaced or _is_reference(value) or _is_reference(old)
        if isinstance(value, Mapping) and isinstance(old, dict) and not replaced:
            # An empty table changes nothing; one with something in it is no leaf any more.
            if value:
                sources.pop(here, None)
            _merge(old, value, here, sources, layer)
            continue
        for stale in [leaf for leaf in sources if leaf[: len(here)] == here]:
            del sources[stale]
        sources.update({leaf: _source(leaf, layer) for leaf in _leaves(value, here)})
        into[key] = _copy(value)


def _copy(value: Any) -> Any:
    return {key: _copy(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _explain(error: ValidationError, sources: Origin) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    # pydantic says of a bad key of a table that it is a bad "[key]" below it.
    path = tuple(str(part) for part in first["loc"] if part != "[key]")
    dotted = ".".join(path)
    source = _source(path, sources)
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(path[-1], _known(path[:-1]), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see 'sre config' for the keys that exist"
        return ConfigError(f"unknown key {dotted!r} in {source}", hint=hint)
    return ConfigError(f"bad value for {dotted!r} in {source}: {first['msg']}", hint="correct it there")


def _source(path: tuple[str, ...], sources: Origin) -> str:
    """Where a value came from: of a table its first key, of a missing key what stands beside it."""
    for length in range(len(path), 0, -1):
        for leaf, where in sources.items():
            if leaf[:length] == path[:length]:
                return where
    return "default"


def _known(path: tuple[str, ...]) -> list[str]:
    """The keys of a section of the configuration."""
    section: Any = Config
    for part in path:
        fields = getattr(section, "model_fields", None)
        # Of a table with free keys, what each of them holds.
        section = get_args(section)[-1] if fields is None else fields[part].annotation
    return list(section.model_fields)
