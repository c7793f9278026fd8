"""The settings that a command works with: those of the default connector, for a model that may be named."""

from pydantic import ValidationError

from sre_core.config import ConnectorConfig, load
from sre_core.errors import ConfigError
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import picked

__all__ = ["configured"]

_USE = "smollm"


def configured(model: str | None, *, command: str = "pull", needed: bool = True) -> SmolLMSettings:
    """The settings of the default connector, for `model` if one is named; `command` is named in hints.

    Raises ConfigError when they are wrong, or when no model is named and the default connector is another one; unless
    `needed`, what holds without settings is given then.
    """
    config = load().config
    entry = config.connectors["llm"]["default"]
    if entry.use != _USE:
        if model is None and needed:
            raise ConfigError(
                f"the default connector is {entry.use!r}, whose models are not on this machine",
                hint=f"name the model: sre {command} smollm3; or sre pull --list",
            )
        entry = ConnectorConfig(use=_USE)
    try:
        settings = SmolLMSettings.model_validate(entry.options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("connectors.llm.default", *(str(part) for part in first["loc"])))
        raise ConfigError(
            f"bad value for {where!r} in {config.source(where)}: {first['msg']}", hint="correct it there"
        ) from None
    places = {
        name: config.place(path)
        for name, path in (("weights", settings.weights), ("cache_folder", settings.cache_folder))
        if path is not None
    }
    chosen = {} if model is None else {"model": model, "weights": None}
    return picked(settings.model_copy(update=places | chosen))
