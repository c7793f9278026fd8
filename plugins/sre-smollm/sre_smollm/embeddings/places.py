"""Where the folder of an embedding model is: a path, an installed package, or the hub's cache."""

from dataclasses import replace
from pathlib import Path

from sre_core import logs
from sre_core.errors import ConfigError, NotFoundError
from sre_smollm.embeddings.options import EmbeddingOptions
from sre_smollm.weights.hub import HubPlace, cached, fetch
from sre_smollm.weights.known import KnownModel, known_model
from sre_smollm.weights.sources import packaged

__all__ = ["model_folder", "present"]

log = logs.get_logger(__name__)


def model_folder(options: EmbeddingOptions) -> Path:
    """The folder of the configured model; downloads only with `allow_download`.

    Raises NotFoundError when it is nowhere on this machine, ConfigError when the path is no folder; a download
    fails as `weights.hub.fetch` does.
    """
    known = known_model(options.model)
    path = Path(options.model).expanduser()
    if known is None and path.exists():
        if path.is_dir():
            return path
        raise ConfigError(f"{options.model!r} is no folder", hint="give the folder that has modules.json")
    if known is not None and (place := packaged(known)) is not None:
        return place if place.is_dir() else place.parent
    hub = HubPlace.parse(known.hub_id if known is not None else options.model)
    if hub is None or hub.file is not None:
        raise NotFoundError(
            f"no embedding model {options.model!r}: it is no known name, folder or hub id",
            hint="use 'minilm', the path of a sentence-transformers folder, or a hub id like 'owner/name'",
        )
    place = cached(hub)
    # A download that was cut leaves a folder in which the weights, which come last, are missing.
    if place is not None and any(place.rglob("*.safetensors")):
        return place
    if not options.allow_download:
        raise _absent(hub, known)
    log.warning("downloading_weights", model=str(hub))
    return fetch(hub).path


def present(options: EmbeddingOptions) -> bool:
    """Whether the model is on this machine. Raises ConfigError when its path is no folder."""
    try:
        model_folder(replace(options, allow_download=False))
    except NotFoundError:
        return False
    return True


def _absent(hub: HubPlace, known: KnownModel | None) -> NotFoundError:
    name = known.name if known is not None else str(hub)
    ways = [f"run `sre pull {name}`", "give the path of a sentence-transformers folder"]
    if known is not None and known.install is not None:
        ways.insert(0, f"run `{known.install}`")
    return NotFoundError(f"the embedding model {name!r} is not on this machine", hint="; or ".join(ways))
