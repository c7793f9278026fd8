"""The runtime: boots from a configuration, hands out handles, and stops what it started."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from sre_core import logs
from sre_core.access.acl import ACL
from sre_core.access.candidate import Candidate, check_id
from sre_core.access.guard import Guard
from sre_core.access.resource import Resource
from sre_core.access.stored import StoredAcls
from sre_core.access.teams import Teams
from sre_core.config import Config, load
from sre_core.connectors import LLM, Cache, Service, Storage, Vault, Vectors
from sre_core.connectors.kernel_storage import KernelStorage
from sre_core.connectors.model_choice import ModelChoice, ModelChooser
from sre_core.connectors.service import ConnectorService
from sre_core.errors import ConfigError
from sre_core.events import Event
from sre_core.models.catalogue import Catalogue, Given
from sre_core.plugins import Plugins

__all__ = ["Runtime"]

log = logs.get_logger(__name__)


class Runtime:
    """One kernel. Several may live in one process; each has its own connectors, guard and plugins.

    A connector starts on its first use, and stops when the `async with` block ends, last started first.
    """

    def __init__(self, config: Config | None = None, *, plugins: Plugins | None = None) -> None:
        """Without `config`, `sre.toml` and the environment decide, and the defaults where they say nothing.

        Raises ConfigError that names the bad value and its source.
        """
        self.config = load(Path()).config if config is None else config
        chosen = self.config.plugins
        self.plugins = plugins or Plugins.load(disabled=chosen.disabled, only=chosen.only)
        self.teams = _teams(self.config)
        self.connectors = ConnectorService(
            self.config, self.plugins.connector, find_route=lambda id_: self.catalogue.route_by_id(id_)
        )
        self._observers = self.plugins.observers()
        self.guard = Guard(
            StoredAcls(
                KernelStorage(lambda: self.connectors.get(Service.STORAGE), timeout=self._timeout),
                configured=_access(self.config),
                cache_seconds=self.config.guard.acl_cache_seconds,
            ),
            teams=self.teams,
            vetoes=self.plugins.vetoes(),
            emit=self.emit if self._observers else None,
        )
        self._entered = False
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Check the settings of all connectors, and what the user says of models; start none. Raises ConfigError."""
        if self._entered:
            raise ConfigError("a Runtime runs once", hint="make a new Runtime for a second 'async with'")
        self._entered = True
        self.connectors.open()
        if self.config.models or self.config.model_files:
            _ = self.catalogue
        log.debug("runtime_started", plugins=[info.name for info in self.plugins.infos])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all connectors; the first failure is raised, unless an error is on its way already."""
        try:
            # Also calls what is added meanwhile, and all of it, whatever one of them raises.
            await self._closing.__aexit__(kind, error, trace)
        finally:
            failures = await self.connectors.stop()
        if failures and error is None:
            raise failures[0]

    def before_stop(self, close: Callable[[bool], Awaitable[None]]) -> None:
        """Call `close` when the `async with` block ends, before the connectors stop; the last one given comes first.

        It learns whether the block ended well: then what goes on may come to its end, else it is to be given up. One
        that raises is no reason to leave out the others.
        """

        async def leave(kind: type[BaseException] | None, *_: object) -> None:
            await close(kind is None)

        self._closing.push_async_exit(leave)

    def llm(self, candidate: Candidate, id: str = "default") -> LLM:  # noqa: A002 -- the field's own name
        """A language model, as `candidate` may use it. Raises UnknownConnectorError."""
        return LLM(self.connectors.get(Service.LLM, id), candidate, self.guard, timeout=self.config.timeouts.llm)

    def storage(self, candidate: Candidate, id: str = "default") -> Storage:  # noqa: A002
        """Objects, as `candidate` may use them. Raises UnknownConnectorError."""
        return Storage(self.connectors.get(Service.STORAGE, id), candidate, self.guard, timeout=self._timeout)

    def vectors(self, candidate: Candidate, id: str = "default") -> Vectors:  # noqa: A002
        """Vectors, as `candidate` may use them. Raises UnknownConnectorError."""
        return Vectors(self.connectors.get(Service.VECTORS, id), candidate, self.guard, timeout=self._timeout)

    def cache(self, candidate: Candidate, id: str = "default") -> Cache:  # noqa: A002
        """A cache, as `candidate` may use it. Raises UnknownConnectorError."""
        return Cache(self.connectors.get(Service.CACHE, id), candidate, self.guard, timeout=self._timeout)

    def vault(self, candidate: Candidate, id: str = "default") -> Vault:  # noqa: A002
        """Secrets, as `candidate` may use them. Raises UnknownConnectorError."""
        return Vault(self.connectors.get(Service.VAULT, id), candidate, self.guard, timeout=self._timeout)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The models that plugins and the configuration name. Raises ConfigError."""
        return Catalogue(
            ((entry, self.plugins.model_owner(id_)) for id_, entry in self.plugins.models.items()),
            _given_models(self.config),
            connectors={
                **{name: name for service, name in self.plugins.connectors if service is Service.LLM},
                **{id_: entry.use for id_, entry in self.config.connectors.get("llm", {}).items()},
            },
        )

    def choose_model(self, model: str | None) -> ModelChoice:
        """The connector that serves a model, the model's name there, and what the catalogue knows of it.

        "fast" may be the id of a configured connector, or an installed connector's name; "fast/some-model" names
        both; anything else is a model of the default connector. The name of the connector that the default uses
        means the default, with its settings. None and "default" mean what `model` in the configuration says.

        What no such id begins is looked up in the catalogue, as exactly an id or an alias; "groq/some-model" is
        served by what the catalogue says of "groq", whether it lists that model or not. An alias that a plugin
        brings counts only for the models of a default connector that is configured. Raises ConfigError for an alias
        of several models, for a model that is not enabled, for a known provider that nothing here serves, and for
        "openai/..." when the default connector is an openai that leads to another provider.
        """
        if model in {None, "default"}:
            model = self.config.model
        return self._chooser.choose(model or "default")

    def resolve_model(self, model: str | None) -> tuple[str, str | None]:
        """The first two of `choose_model`: the id of the connector, and the model's name there."""
        choice = self.choose_model(model)
        return choice.connector, choice.model

    @cached_property
    def _chooser(self) -> ModelChooser:
        return ModelChooser(self.config, self.catalogue, lambda name: self.plugins.connectors.get((Service.LLM, name)))

    @property
    def is_observed(self) -> bool:
        """Whether any plugin has an event hook."""
        return bool(self._observers)

    async def emit(self, event: Event) -> None:
        """Let the plugins' event hooks hear of something."""
        for observe in self._observers:
            observe(event)

    @property
    def _timeout(self) -> float:
        return self.config.timeouts.operation


def _teams(config: Config) -> Teams:
    teams = Teams()
    for team, members in config.teams.items():
        with _located(config, f"teams.{team}"):
            check_id(team, "team id")
            for member in members:
                teams.join(Candidate.parse(member), team)
    return teams


def _access(config: Config) -> dict[Resource, ACL]:
    acls: dict[Resource, ACL] = {}
    for path, grants in config.access.items():
        with _located(config, f"access.{path}"):
            resource = Resource.parse(path)
            if resource.parts[0].partition("@")[0] not in list(Service):
                raise ConfigError(f"{path!r} begins with no service", hint=f"begin with one of {', '.join(Service)}")
            acls[resource] = ACL.parse(grants)
    return acls


def _given_models(config: Config) -> list[Given]:
    """What the user says of models: first the files, then `sre.toml`, whose word counts."""
    given: list[Given] = []
    if config.model_files:
        # Few have such files, and the runtime is to load fast.
        from sre_core.models.smythos import read_model_files

        given += read_model_files(config.place(path) for path in config.model_files)
        for one in given:
            if one.notes:
                log.info("model_keys_not_used", model=one.id, file=one.source, notes=one.notes)
    for id_, entry in config.models.items():
        values = entry.model_dump(exclude_unset=True)
        given.append(Given(id=id_, values=values, source=config.source(f"models.{id_}")))
    return given


@contextmanager
def _located(config: Config, path: str) -> Iterator[None]:
    """Add the place in the configuration to the ConfigErrors of a block."""
    try:
        yield
    except ConfigError as error:
        where = f"bad value for {path!r} in {config.source(path)}: {error.message}"
        raise ConfigError(where, hint=error.hint) from error
