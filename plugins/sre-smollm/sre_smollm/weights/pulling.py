"""Makes a model ready on this machine before it is needed: fetched, checked, converted, prepared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sre_core.errors import ConfigError
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.hub import Fetched, fetch
from sre_smollm.weights.known import known_model
from sre_smollm.weights.sources import found, hub_place, locate, packaged, readable

__all__ = ["Prepare", "Pulled", "pull"]

Prepare = Callable[[Path, SmolLMSettings], None]
"""What an engine makes of a folder with safetensors so that its next start is fast. Slow; may raise our errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What to set `model` to, where the weights are, and the folder that is loaded.

    `fetched` is None if the hub was not needed.
    """

    model: str
    place: Path
    folder: Path
    fetched: Fetched | None


def pull(settings: SmolLMSettings, *, revision: str | None = None, prepare: Prepare | None = None) -> Pulled:
    """Make the model of `settings` ready. To call it is to allow the download.

    Weights in an installed package, a folder or a file are taken from there; all others are fetched from the hub, or
    compared with its checksums if they are here. Raises what `fetch` and `resolve` raise, ConfigError when a
    `revision` is asked for of what does not come from the hub.
    """
    asked = settings if revision is None else _at(revision, settings)
    hub = hub_place(asked)
    known = known_model(asked.model)
    if hub is None or (known is not None and packaged(known) is not None):
        fetched, place = None, found(asked) or locate(asked)
    else:
        fetched = fetch(hub)
        place = fetched.path
    folder = readable(place, asked)
    if prepare is not None:
        prepare(folder, asked)
    return Pulled(model=asked.model, place=place, folder=folder, fetched=fetched)


def _at(revision: str, settings: SmolLMSettings) -> SmolLMSettings:
    hub = hub_place(settings)
    if hub is None:
        raise ConfigError(
            f"{str(settings.weights or settings.model)!r} has no revisions",
            hint="leave --revision out, or name a hub id",
        )
    asked = settings.model_copy(update={"model": str(replace(hub, revision=revision))})
    if hub_place(asked) is None:
        raise ConfigError(f"{revision!r} is no revision", hint="name a branch, a tag or a commit")
    return asked
