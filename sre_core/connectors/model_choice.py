"""Which connector serves a model: from what a user calls it to a connector and a name there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sre_core.config import DEFAULTS, Config, ConnectorConfig
from sre_core.connectors.base import Connector
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError
from sre_core.messages import Usage
from sre_core.models.catalogue import Catalogue, Listed, Route
from sre_core.models.entry import ModelEntry
from sre_core.providers import MODEL_PROVIDERS

__all__ = ["ModelChoice", "ModelChooser"]

# The settings that say where a connector of a kind leads.
_PLACES = ("preset", "url", "backend")
_PARAMS = ("temperature", "top_p", "max_tokens", "seed", "stop", "thinking")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The id of the connector that serves a model, and the model's name there (None: that connector's default).

    `entry` is what the catalogue knows of it, if it does.
    """

    connector: str
    model: str | None = None
    entry: ModelEntry | None = None

    def fill(self, request: LLMRequest) -> LLMRequest:
        """`request` with the parameters that the catalogue gives the model, where it has none of its own."""
        params = self.entry.params if self.entry is not None else {}
        changes: dict[str, Any] = {
            name: params[name] for name in _PARAMS if name in params and getattr(request, name) in (None, ())
        }
        if "options" in params:
            changes["options"] = {**params["options"], **request.options}
        return replace(request, **changes) if changes else request

    def cost(self, usage: Usage) -> float | None:
        """What so many tokens cost, in US dollars; None where model or prices are not known."""
        return None if self.entry is None else self.entry.cost(usage)


class ModelChooser:
    """Reads the names of models. It starts nothing, asks no server, and takes no name for another that is like it."""

    def __init__(
        self, config: Config, catalogue: Catalogue, installed: Callable[[str], type[Connector] | None]
    ) -> None:
        """`installed` gives the model connector of a name, if it is installed."""
        self._configured: Mapping[str, ConnectorConfig] = config.connectors["llm"]
        self._default = self._configured["default"]
        usual = DEFAULTS["connectors"]["llm"]["default"]["use"]
        given = config.source("connectors.llm.default.use") != "default"
        self._default_is_given = given or self._default.use != usual
        self._catalogue = catalogue
        self._installed = installed

    def choose(self, model: str) -> ModelChoice:
        """Where `model` is served; see `Runtime.choose_model`. Raises ConfigError."""
        head, _, rest = model.partition("/")
        if model in self._configured:
            return self._of_connector(model, None)
        listed = self._listed(model)
        if listed is not None and listed.own_route:
            return self._of_entry(listed)
        if head in self._configured:
            return self._of_connector(head, rest or None)
        if rest and self._default_is_given and self._knows(model):
            return self._of_connector("default", model)
        other = self._other_provider() if head == self._default.use else None
        if head == self._default.use and (other is None or not rest):
            return self._of_connector("default", rest or None)
        if listed is not None:
            return self._of_entry(listed)
        if other is not None:
            raise ConfigError(
                f"{head!r} is a provider, and the connector that leads to {other!r} by default: "
                f"which one is meant by {model!r}?",
                hint=f"say 'default/{rest}', or configure [connectors.llm.{head}] for {head!r} itself",
            )
        return self._unlisted(model, head, rest or None)

    def _knows(self, name: str) -> bool:
        """Whether the default connector leads to a provider that calls a model so, as Groq "openai/gpt-oss-20b"."""
        found = [entry for entry in self._catalogue.named(name) if entry.name == name]
        return any(self._reaches(self._default, entry) for entry in found)

    def _other_provider(self) -> str | None:
        """The provider that the default connector leads to, when that is not the one that is called like itself."""
        preset = self._default.options.get("preset")
        is_other = isinstance(preset, str) and preset in MODEL_PROVIDERS and preset != self._default.use
        return preset if is_other else None

    def _listed(self, name: str) -> Listed | None:
        """The model of that id or alias.

        A plugin's alias must not take a name away from a connector that the user has chosen for all models: what
        is meant for that server would go to another one.
        """
        listed = self._catalogue.find(name) if self._aliases_count(name) else None
        if listed is None or listed.entry.is_any:
            return None
        return listed

    def _aliases_count(self, name: str) -> bool:
        if not self._default_is_given or name in self._catalogue.listed:
            return True
        return any(name in self._catalogue.listed[entry.id].own_aliases for entry in self._catalogue.named(name))

    def _unlisted(self, model: str, head: str, rest: str | None) -> ModelChoice:
        """A model that the catalogue does not have by that name."""
        if rest is None:
            return ModelChoice(connector=head) if self._installed(head) else self._of_connector("default", model)
        route = self._catalogue.route_by_id(head)
        if route is not None:
            entry = self._only([one for one in self._catalogue.named(rest) if one.provider == head])
            id_ = head if route.is_own or not self._reaches(self._default, route) else "default"
            return ModelChoice(connector=id_, model=_enabled(entry).name if entry else rest, entry=entry)
        if self._installed(head):
            return ModelChoice(connector=head, model=rest)
        if head in self._catalogue.providers:
            raise ConfigError(
                f"the models of {head!r} are reached in several ways, and {rest!r} is none of those that are listed",
                hint=f"`sre models list --provider {head}` shows them; or configure [connectors.llm.{head}]",
            )
        if head in MODEL_PROVIDERS:
            raise self._unreachable(head, model)
        return self._of_connector("default", model)

    def _of_entry(self, listed: Listed) -> ModelChoice:
        entry = _enabled(listed.entry)
        if not listed.own_route:
            if entry.provider in self._configured:
                return ModelChoice(connector=entry.provider, model=entry.name, entry=entry)
            if self._reaches(self._default, entry):
                return ModelChoice(connector="default", model=entry.name, entry=entry)
        return ModelChoice(connector=self._catalogue.route(entry).id, model=entry.name, entry=entry)

    def _of_connector(self, id_: str, model: str | None) -> ModelChoice:
        """A model of a configured connector, by the name that it has there, or an alias of it."""
        config = self._configured[id_]
        # The connector's own default, when that is set.
        name = config.options.get("model") if model is None else model
        entry = None
        if isinstance(name, str):
            own = self._catalogue.listed.get(f"{id_}/{name}")
            known = [one for one in self._catalogue.named(name) if one.provider == id_ or self._reaches(config, one)]
            entry = own.entry if own is not None and not own.own_route else self._only(known)
        if entry is None or model is None:
            return ModelChoice(connector=id_, model=model, entry=entry)
        return ModelChoice(connector=id_, model=_enabled(entry).name, entry=entry)

    def _only(self, entries: list[ModelEntry]) -> ModelEntry | None:
        """The one of them, if it is one, and if the user does not reach it in another way."""
        found = [entry for entry in entries if not self._catalogue.listed[entry.id].own_route]
        return found[0] if len(found) == 1 else None

    def _reaches(self, config: ConnectorConfig, target: ModelEntry | Route) -> bool:
        """Whether a configured connector leads to the provider of a model."""
        here, there = self._place(config.use, config.options), self._place(target.connector, target.settings)
        return config.use == target.connector and here == there

    def _place(self, connector: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Where settings lead. What a connector assumes, or what is called like it, says no more than nothing does."""
        kind = self._installed(connector)
        known = kind.settings_type.model_fields if kind is not None else {}
        usual = {key: (None, connector, known[key].default if key in known else None) for key in _PLACES}
        return {key: settings[key] for key in _PLACES if settings.get(key) not in usual[key]}

    def _unreachable(self, provider: str, model: str) -> ConfigError:
        connector, package = MODEL_PROVIDERS[provider]
        if self._installed(connector) is None:
            hint = f"pip install {package}"
        else:
            hint = f'configure [connectors.llm.{provider}] with use = "{connector}" in sre.toml'
        return ConfigError(
            f"nothing here serves the models of {provider!r}",
            hint=f"{hint}; or say 'default/{model}' for a model of the default connector that is called so",
        )


def _enabled(entry: ModelEntry) -> ModelEntry:
    if not entry.enabled:
        raise ConfigError(f"model {entry.id!r} is not enabled", hint="`sre models show` says where that is set")
    return entry
