"""The connectors of one runtime: which are configured, which run, and in what order they started."""

import asyncio
import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from sre_core import logs
from sre_core.access.candidate import check_id
from sre_core.config import Config, ConnectorConfig
from sre_core.connectors.base import Connector, Service, Settings
from sre_core.connectors.slot import Slot
from sre_core.errors import ConfigError, NotFoundError, SREError, UnknownConnectorError
from sre_core.models.catalogue import Route

__all__ = ["ConnectorService", "FindConnector"]

log = logs.get_logger(__name__)

_HIDDEN = SecretStr("not resolved yet")


class FindConnector(Protocol):
    """How a service asks for connector classes; raises UnknownConnectorError."""

    def __call__(self, service: Service, name: str) -> type[Connector]:
        """The class of that name."""
        ...


class ConnectorService:
    """Keeps one slot per configured connector, and makes others by name when they are asked for."""

    def __init__(
        self, config: Config, find: FindConnector, *, find_route: Callable[[str], Route | None] = lambda _: None
    ) -> None:
        """Nothing is checked or started yet. `find_route` says how models are reached that are in no configuration."""
        self._config = config
        self._find = find
        self._find_route = find_route
        self._slots: dict[tuple[Service, str], Slot] = {}
        self._started: list[Slot] = []
        self._is_open = False
        self._closed = False

    def open(self) -> None:
        """Validate the settings of all configured connectors whose class is installed, and let them start.

        A connector that is not installed is reported when it is used: nobody needs it before. Raises ConfigError.
        """
        for service, entries in self._config.connectors.items():
            for id_, entry in entries.items():
                path = f"connectors.{service}.{id_}"
                check_id(id_, f"connector id in {self._config.source(path)}")
                if _is_default_vault(service, id_) and _references(entry.options):
                    raise ConfigError(
                        f"{path} in {self._config.source(path)} refers to the vault, which is what it configures",
                        hint="give it its own secret through the environment or a file",
                    )
                try:
                    kind = self._find(Service(service), entry.use)
                except UnknownConnectorError:
                    continue
                self._settings(kind, path, entry, None)
        self._is_open = True

    def get(self, service: Service, id: str = "default") -> Slot:  # noqa: A002 -- the field's own name
        """The slot of a configured connector; else, of a model connector, the one that the catalogue knows by that id;
        else of an installed one of that name with its default settings.

        Raises UnknownConnectorError, never a stand-in; ConfigError once the runtime has ended.
        """
        if self._closed:
            raise ConfigError("the runtime has ended", hint="open a new 'async with Runtime()'")
        slot = self._slots.get((service, id))
        if slot is None:
            slot = self._slots[service, id] = self._open(service, id)
        return slot

    def started(self) -> tuple[Slot, ...]:
        """The connectors that run, in the order in which they were started."""
        return tuple(self._started)

    async def stop(self) -> list[SREError]:
        """Stop what runs, last started first, also after failures; returns them."""
        self._closed = True
        failures: list[SREError] = []
        cancelled: asyncio.CancelledError | None = None
        # What nobody started is closed as well, so that a handle used too late says so.
        idle = [slot for slot in self._slots.values() if slot not in self._started]
        for slot in (*reversed(self._started), *idle):
            try:
                await slot.stop()
            except SREError as error:
                log.warning("connector_stop_failed", service=slot.service, id=slot.id, error=str(error))
                failures.append(error)
            except asyncio.CancelledError as error:
                # Those that are left must be stopped as well.
                cancelled = error
        self._started.clear()
        if cancelled is not None:
            raise cancelled
        return failures

    def _open(self, service: Service, id_: str) -> Slot:
        entry, source = self._entry(service, id_)
        kind = self._find(service, entry.use)

        async def make() -> Connector:
            if not self._is_open:
                raise ConfigError("the runtime is not open", hint="use it inside 'async with Runtime() as runtime:'")
            path = f"connectors.{service.value}.{id_}"
            names = sorted(_references(entry.options))
            secrets = {name: await self._secret(name, source or path) for name in names}
            return kind(self._settings(kind, path, entry, secrets, source=source))

        timeouts = self._config.timeouts
        return Slot(
            kind, make, id=id_, timeout=timeouts.start, stop_timeout=timeouts.stop, on_start=self._started.append
        )

    def _entry(self, service: Service, id_: str) -> tuple[ConnectorConfig, str | None]:
        """What is to be opened under an id, and who says so if the configuration does not."""
        entries = self._config.connectors.get(service.value, {})
        entry = entries.get(id_)
        if entry is not None:
            return entry, None
        route = self._find_route(id_) if service is Service.LLM else None
        if route is not None:
            return ConnectorConfig(use=route.connector, **route.settings), route.source
        return self._by_name(service, id_, entries), None

    def _by_name(self, service: Service, id_: str, entries: Mapping[str, ConnectorConfig]) -> ConnectorConfig:
        try:
            self._find(service, id_)
        except UnknownConnectorError as error:
            close = difflib.get_close_matches(id_, entries, n=1)
            hint = f"did you mean {close[0]!r}?" if close else None
            raise UnknownConnectorError(
                f"no {service.value} connector has the id {id_!r}, and {error.message}", hint=hint or error.hint
            ) from None
        return ConnectorConfig(use=id_)

    async def _secret(self, name: str, wanted_by: str) -> SecretStr:
        vault = self.get(Service.VAULT)
        if not vault.started:
            await vault.start()
        read: Callable[[str], Any] = vault.connector.get  # type: ignore[attr-defined]  # slots are typed by service
        try:
            secret: SecretStr = await read(name)
        except NotFoundError as error:
            raise ConfigError(
                f"{wanted_by} needs the secret {name!r}, which is in no vault: {error.message}", hint=error.hint
            ) from error
        return secret

    def _settings(
        self,
        kind: type[Connector],
        path: str,
        entry: ConnectorConfig,
        secrets: Mapping[str, SecretStr] | None,
        *,
        source: str | None = None,
    ) -> Settings:
        """Validated settings; `source` gave them, if not the configuration.

        Without `secrets`, what is wrong with references into the vault is not known yet.
        """
        try:
            settings = kind.settings_type.model_validate(_resolve(entry.options, secrets or {}))
        except ValidationError as error:
            problem = _problem(error, skip_references=secrets is None and bool(_references(entry.options)))
            if problem is None:
                return kind.settings_type.model_construct()
            raise self._explain(problem, kind, path, (secrets or {}).values(), source=source) from None
        places = {
            name: self._config.place(value)
            for name in type(settings).model_fields
            if isinstance(value := getattr(settings, name), Path)
        }
        return settings.model_copy(update=places)

    def _explain(
        self,
        problem: ErrorDetails,
        kind: type[Connector],
        path: str,
        secrets: Iterable[SecretStr],
        *,
        source: str | None,
    ) -> ConfigError:
        where = ".".join([path, *(str(part) for part in problem["loc"])])
        if source is None:
            source = self._config.source(f"{path}.use" if problem["type"] == "missing" else where)
        known = sorted(kind.settings_type.model_fields)
        if problem["type"] == "extra_forbidden":
            close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"{kind.name!r} has: {', '.join(known) or 'no settings'}"
            return ConfigError(f"unknown key {where!r} in {source}", hint=hint)
        message = problem["msg"]
        # A validator of the plugin's own may quote what it was given.
        for secret in secrets:
            message = message.replace(secret.get_secret_value() or message, str(secret))
        return ConfigError(f"bad value for {where!r} in {source}: {message}", hint="correct it there")


def _is_default_vault(service: str, id_: str) -> bool:
    return service == Service.VAULT and id_ == "default"


def _problem(error: ValidationError, *, skip_references: bool) -> ErrorDetails | None:
    """The first problem, without those that a placeholder may have caused."""
    for problem in error.errors(include_url=False):
        # What judges several settings together may have judged the placeholder.
        if not skip_references or (problem["input"] is not _HIDDEN and problem["loc"]):
            return problem
    return None


def _references(value: Any) -> set[str]:
    """The names of all `{ vault = "name" }` in a value."""
    if isinstance(value, Mapping):
        if set(value) == {"vault"} and isinstance(value["vault"], str):
            return {value["vault"]}
        return {name for item in value.values() for name in _references(item)}
    if isinstance(value, (list, tuple)):
        return {name for item in value for name in _references(item)}
    return set()


def _resolve(value: Any, secrets: Mapping[str, SecretStr]) -> Any:
    """The value with secrets in place of references; a placeholder where they are not known yet."""
    if isinstance(value, Mapping):
        if set(value) == {"vault"} and isinstance(value["vault"], str):
            return secrets.get(value["vault"], _HIDDEN)
        return {key: _resolve(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolve(item, secrets) for item in value]
    return value
