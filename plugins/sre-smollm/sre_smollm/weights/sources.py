"""Where the weights of a model are: a folder, a GGUF file, the hub's cache, or an installed package."""

from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from sre_core import logs
from sre_core.errors import ConfigError, NotFoundError
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.checks import check_folder, missing
from sre_smollm.weights.convert import converted
from sre_smollm.weights.hub import HubPlace, cached, fetch
from sre_smollm.weights.known import KNOWN, KnownModel, canonical, known_model

__all__ = [
    "AUTO",
    "KNOWN",
    "KnownModel",
    "cache_folder",
    "canonical",
    "found",
    "hub_place",
    "locate",
    "packaged",
    "picked",
    "readable",
    "resolve",
]

log = logs.get_logger(__name__)

AUTO = "auto"
_LARGE_DEFAULT, _SMALL_DEFAULT = "smollm3", "smollm2-135m"


def cache_folder(settings: SmolLMSettings) -> Path:
    """The folder for converted weights, shared by all projects of a user."""
    return settings.cache_folder or user_cache_path("sre") / "smollm"


def resolve(settings: SmolLMSettings) -> Path:
    """A folder with safetensors, config and tokenizer; a GGUF file is converted, once.

    Raises NotFoundError when the weights are nowhere, ConfigError when what is there is not whole weights,
    UnavailableError when a download fails.
    """
    chosen = picked(settings)
    return readable(locate(chosen), chosen)


def picked(settings: SmolLMSettings) -> SmolLMSettings:
    """`settings` with a model in place of `auto`: the larger default if it is here, else the small one."""
    if settings.model != AUTO:
        return settings
    if settings.weights is not None:
        return settings.model_copy(update={"model": str(settings.weights)})
    large = settings.model_copy(update={"model": _LARGE_DEFAULT})
    return large if found(large) is not None else settings.model_copy(update={"model": _SMALL_DEFAULT})


def readable(place: Path, settings: SmolLMSettings) -> Path:
    """What `locate` found, as a folder that networks read. Raises ConfigError when it is damaged."""
    if place.is_file():
        return converted(place, cache_folder(settings))
    hub = hub_place(settings)
    again = "save it again with model.save_pretrained and tokenizer.save_pretrained, or fetch it again from the hub"
    check_folder(place, repair=f"run `sre pull {settings.model}`: it fetches what is damaged" if hub else again)
    return place


def locate(settings: SmolLMSettings) -> Path:
    """The folder or GGUF file of the configured model, no `auto` any more; downloads only with `allow_download`."""
    place = found(settings)
    if place is not None:
        return place
    hub = hub_place(settings)
    if hub is None:
        raise NotFoundError(
            f"no model {settings.model!r}: it is no known name, folder, GGUF file or hub id",
            hint=f"known names: {', '.join(known.name for known in KNOWN)}; or give the path of a folder or GGUF file",
        )
    if not settings.allow_download:
        raise _absent(hub, settings)
    log.warning("downloading_weights", model=str(hub))
    return fetch(hub).path


def found(settings: SmolLMSettings) -> Path | None:
    """What `locate` gives if nothing may be downloaded, or None. Raises NotFoundError for a path that is not there."""
    if settings.weights is not None:
        return _local(settings.weights.expanduser(), "weights")
    known = known_model(settings.model)
    if known is not None and (place := packaged(known)):
        return place
    if known is None and (path := Path(settings.model).expanduser()).exists():
        return _local(path, "model")
    hub = hub_place(settings)
    if hub is None:
        return None
    place = cached(hub)
    # A download that was cut leaves a folder in which the weights, which come last, are missing.
    return None if place is None or (place.is_dir() and missing(place)) else place


def hub_place(settings: SmolLMSettings) -> HubPlace | None:
    """The place on the hub that the settings mean, or None if they mean none, as a path does."""
    if settings.weights is not None:
        return None
    name, at, revision = settings.model.partition("@")
    known = known_model(name)
    if known is not None:
        return HubPlace.parse(known.hub_id + at + revision)
    return None if Path(settings.model).expanduser().exists() else HubPlace.parse(settings.model)


def packaged(known: KnownModel) -> Path | None:
    """The GGUF file or the folder inside an installed distribution, found without importing its code."""
    if known.distribution is None or known.file is None:
        return None
    try:
        files = metadata.files(known.distribution) or []
    except metadata.PackageNotFoundError:
        return None
    places = [Path(str(entry.locate())) for entry in files if entry.name == known.file]
    place = next((place for place in places if place.is_file()), None)
    return place.parent if place is not None and place.suffix == ".safetensors" else place


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


def _absent(hub: HubPlace, settings: SmolLMSettings) -> NotFoundError:
    known = known_model(settings.model)
    name = known.name if known is not None else str(hub)
    ways = [
        f"run `sre pull {settings.model}` to fetch {hub} from the hub",
        "set allow_download = true to let a start fetch it",
        "set weights = '<folder or GGUF file>'",
    ]
    if known is not None and known.install is not None:
        ways.insert(0, f"run `{known.install}`")
    if cached(hub) is not None:
        return NotFoundError(f"the weights of {name!r} are not all on this machine", hint="; or ".join(ways[-3:]))
    return NotFoundError(f"the weights of {name!r} are not on this machine", hint="; or ".join(ways))
