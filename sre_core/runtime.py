"""The runtime: boots from a configuration, hands out handles, and stops what it started."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sre_core import logs
from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate, check_id
from sre_core.access.guard import Guard
from sre_core.access.resource import Resource
from sre_core.access.stored import StoredAcls
from sre_core.access.teams import Teams
from sre_core.config import Config, load
from sre_core.connectors import LLM, Cache, Service, Storage, Vault, Vectors
from sre_core.connectors.kernel_storage import KernelStorage
from sre_core.connectors.service import ConnectorService
from sre_core.errors import ConfigError
from sre_core.events import Event
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
        self.connectors = ConnectorService(self.config, self.plugins.connector)
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

    async def __aenter__(self) -> Self:
        """Check the settings of all connectors; start none. Raises ConfigError."""
        if self._entered:
            raise ConfigError("a Runtime runs once", hint="make a new Runtime for a second 'async with'")
        self._entered = True
        self.connectors.open()
        log.debug("runtime_started", plugins=[info.name for info in self.plugins.infos])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all connectors; the first failure is raised, unless an error is on its way already."""
        failures = await self.connectors.stop()
        if failures and error is None:
            raise failures[0]

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

    def resolve_model(self, model: str | None) -> tuple[str, str | None]:
        """The id of the connector that serves a model, and the model's name there (None: its default).

        "fast" may be the id of a configured connector, or an installed connector's name; "fast/some-model" names
        both; anything else is a model of the default connector. The name of the connector that the default uses
        means the default, with its settings. None and "default" mean what `model` in the configuration says.
        """
        if model in {None, "default"}:
            model = self.config.model
        if model is None:
            return "default", None
        head, _, rest = model.partition("/")
        configured = self.config.connectors.get("llm", {})
        if head in configured:
            return head, rest or None
        if head == configured["default"].use:
            return "default", rest or None
        if (Service.LLM, head) in self.plugins.connectors:
            return head, rest or None
        return "default", model

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
            acls[resource] = ACL(frozenset((Candidate.parse(who), Access.parse(what)) for who, what in grants.items()))
    return acls


@contextmanager
def _located(config: Config, path: str) -> Iterator[None]:
    """Add the place in the configuration to the ConfigErrors of a block."""
    try:
        yield
    except ConfigError as error:
        where = f"bad value for {path!r} in {config.source(path)}: {error.message}"
        raise ConfigError(where, hint=error.hint) from error
