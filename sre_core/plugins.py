"""Finding, loading and checking plugins; one bad plugin never stops the others."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from sre_core import hookspecs, logs
from sre_core.access.candidate import check_id
from sre_core.access.guard import AccessRequest, Veto
from sre_core.components.base import Component
from sre_core.components.library import LIBRARY, builtin_component
from sre_core.connectors.base import Connector, Service, Settings
from sre_core.errors import (
    ConfigError,
    DuplicateConnectorError,
    PluginError,
    PluginLoadError,
    UnknownConnectorError,
    WorkflowError,
)
from sre_core.events import Event
from sre_core.models.entry import ModelEntry
from sre_core.providers import COMPONENT_PROVIDERS, PROVIDERS
from sre_core.skills import Skill

if TYPE_CHECKING:
    import click

__all__ = ["BUILTIN", "PluginInfo", "Plugins"]

log = logs.get_logger(__name__)

BUILTIN = "builtin"
"""The name under which the runtime's own connectors are registered, before all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """What is known of a plugin. A plugin with an error offers nothing."""

    name: str
    version: str = ""
    offers: tuple[str, ...] = ()
    error: PluginError | None = None

    def summary(self) -> str:
        """What it offers in one line, the models by their number: there may be hundreds."""
        named = [offer for offer in self.offers if not offer.startswith("model:")]
        models = len(self.offers) - len(named)
        counted = [f"{models} model{'s' if models > 1 else ''}"] if models else []
        return ", ".join([*named, *counted])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Things:
    """What one plugin registers."""

    connectors: Mapping[tuple[Service, str], type[Connector]]
    components: Mapping[str, type[Component]]
    skills: Mapping[str, Skill]
    models: Mapping[str, ModelEntry]

    def offers(self) -> tuple[str, ...]:
        named = [f"{service.value}:{name}" for service, name in self.connectors]
        named += [f"component:{name}" for name in self.components]
        named += [f"skill:{name}" for name in self.skills]
        return (*named, *(f"model:{name}" for name in self.models))


class Plugins:
    """The plugins of one runtime: a wrapper around pluggy that knows who registered what."""

    def __init__(self) -> None:
        """Load the built-in connectors, nothing else."""
        self._manager = pluggy.PluginManager("sre")
        self._manager.add_hookspecs(hookspecs)
        self._infos: dict[str, PluginInfo] = {}
        self._namesakes: list[PluginInfo] = []
        self.connectors: dict[tuple[Service, str], type[Connector]] = {}
        self.components: dict[str, type[Component]] = {}
        self.skills: dict[str, Skill] = {}
        self.models: dict[str, ModelEntry] = {}
        self._model_owners: dict[str, str] = {}
        # By name: the built-in connectors know no more of this module than any other plugin's do.
        self.register(BUILTIN, import_module("sre_core.builtin"))

    @classmethod
    def load(
        cls,
        *,
        disabled: Iterable[str] = (),
        only: Iterable[str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> "Plugins":
        """Load what is installed under the entry-point group `sre`, in order of name, then `extra`.

        `extra` maps names to plugin objects, for tests and applications. Never raises for a bad plugin: its
        error is in `infos`.
        """
        plugins = cls()
        unwanted, wanted = frozenset(disabled), None if only is None else frozenset(only)
        for entry in sorted(entry_points(group=hookspecs.ENTRY_POINT_GROUP), key=lambda entry: entry.name):
            if entry.name not in unwanted and (wanted is None or entry.name in wanted):
                plugins.load_entry_point(entry)
        for name, plugin in (extra or {}).items():
            plugins.register(name, plugin)
        for name in sorted((wanted or frozenset()) - set(plugins._infos)):
            error = PluginLoadError(f"plugin {name!r} is not installed", hint="pip install it, or take it off the list")
            plugins._fail(name, "", error)
        return plugins

    @property
    def infos(self) -> tuple[PluginInfo, ...]:
        """All plugins, in the order in which they were loaded, those that failed among them."""
        return (*self._infos.values(), *self._namesakes)

    def load_entry_point(self, entry: EntryPoint) -> None:
        """Import what an entry point names, and register it."""
        version = entry.dist.version if entry.dist else ""
        try:
            plugin = entry.load()
        # The author's code runs here: whatever it raises is this plugin's problem alone.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self._fail(entry.name, version, _load_error(entry.name, "could not be imported", error))
        else:
            self.register(entry.name, plugin, version=version)

    def register(self, name: str, plugin: object, *, version: str = "") -> None:
        """Check a plugin and take what it offers; on any failure nothing of it stays."""
        if name in self._infos:
            error = PluginLoadError(f"two plugins are named {name!r}", hint="uninstall or disable one of them")
            self._fail(name, version, error)
            return
        try:
            self._check_hooks(name, plugin)
            self._manager.register(plugin, name)
            things = self._collect(name, plugin)
        except PluginError as error:
            self._fail(name, version, error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the author's code, or pluggy's check of it
            self._fail(name, version, _load_error(name, "could not be registered", error))
        else:
            self.connectors |= things.connectors
            self.components |= things.components
            self.skills |= things.skills
            self.models |= things.models
            self._model_owners |= dict.fromkeys(things.models, name)
            self._infos[name] = PluginInfo(name=name, version=version, offers=things.offers())
            log.debug("plugin_loaded", plugin=name, version=version)

    def connector(self, service: Service, name: str) -> type[Connector]:
        """The connector class of that name. Raises UnknownConnectorError that says what to do."""
        found = self.connectors.get((service, name))
        if found is not None:
            return found
        known = sorted(other for kind, other in self.connectors if kind is service)
        failed = [info for info in self.infos if info.error is not None]
        package = PROVIDERS.get((service.value, name))
        close = difflib.get_close_matches(name, known, n=1)
        message = f"no {service.value} connector {name!r} is installed"
        if failed:
            message += "; plugins that failed to load: " + ", ".join(f"{info.name} ({info.error})" for info in failed)
        if package:
            hint = f"pip install {package}"
        else:
            hint = f"did you mean {close[0]!r}?" if close else f"installed are: {', '.join(known)}"
        raise UnknownConnectorError(message, hint=hint)

    def component(self, name: str) -> type[Component]:
        """The component type of that name or alias. Raises WorkflowError that says what to do."""
        found = builtin_component(name) or self._components_by_any_name.get(name)
        if found is not None:
            return found
        package = COMPONENT_PROVIDERS.get(name)
        close = difflib.get_close_matches(name, [*LIBRARY, *self._components_by_any_name], n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`sre plugins` shows what each plugin offers"
        raise WorkflowError(f"no component {name!r} is installed", hint=f"pip install {package}" if package else hint)

    @property
    def _components_by_any_name(self) -> Mapping[str, type[Component]]:
        return {alias: cls for cls in self.components.values() for alias in (cls.name, *cls.aliases)}

    def model_owner(self, id: str) -> str:  # noqa: A002 -- the field's own name
        """The plugin that offers the model of that id."""
        return self._model_owners[id]

    def vetoes(self) -> list[Veto]:
        """The veto hooks; one that raises, or answers with something else than text, refuses."""
        return [_closed(name, hook) for name, hook in self._implementations("veto_access")]

    def observers(self) -> list[Callable[[Event], None]]:
        """The event hooks; what one raises is logged, and goes no further."""
        return [_quiet(name, hook) for name, hook in self._implementations("on_event")]

    def register_commands(self, cli: "click.Group") -> None:
        """Let plugins add commands; one that raises, or replaces a command, adds none and is marked as failed."""
        for name, hook in self._implementations("register_commands"):
            before = dict(cli.commands)
            try:
                hook(cli=cli)
                _check_kept(before, cli)
            except (Exception, SystemExit) as error:  # noqa: BLE001 -- the author's code
                cli.commands = before
                failure = _load_error(name, "raised in register_commands", error)
                self._infos[name] = replace(self._infos[name], error=failure)
                log.warning("plugin_failed", plugin=name, error=str(failure))

    def _implementations(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        # pluggy's own order is last registered first.
        implementations = reversed(getattr(self._manager.hook, hook).get_hookimpls())
        ordered = sorted(implementations, key=lambda found: list(self._infos).index(found.plugin_name))
        return [(found.plugin_name, _by_name(found)) for found in ordered]

    def _check_hooks(self, name: str, plugin: object) -> None:
        """pluggy blames every plugin for one unknown hook; this blames the one that has it."""
        known = {hook for hook in hookspecs.__all__ if hasattr(getattr(hookspecs, hook), "sre_spec")}
        if inspect.isclass(plugin):
            raise PluginLoadError(f"plugin {name!r} is a class", hint="name a module, or an instance of the class")
        found = False
        for attribute in dir(plugin):
            options = self._manager.parse_hookimpl_opts(plugin, attribute)
            hook = (options.get("specname") or attribute) if options else None
            if hook is None:
                continue
            found = True
            if hook not in known:
                close = difflib.get_close_matches(hook, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"hooks are: {', '.join(sorted(known))}"
                raise PluginLoadError(f"plugin {name!r} implements an unknown hook {hook!r}", hint=hint)
            if inspect.iscoroutinefunction(getattr(plugin, attribute)):
                raise PluginLoadError(f"hook {hook!r} of plugin {name!r} is async", hint="write 'def', not 'async def'")
        if not found:
            raise PluginLoadError(f"plugin {name!r} has no hooks", hint="mark its functions with @hookimpl")

    def _collect(self, name: str, plugin: object) -> _Things:
        def ask(hook: str, kind: str) -> list[Any]:
            implementations = getattr(self._manager.hook, hook).get_hookimpls()
            own = [_by_name(found) for found in implementations if found.plugin is plugin]
            try:
                return [thing for call in own for thing in _several(name, hook, call(), kind)]
            except PluginError:
                raise
            except (Exception, SystemExit) as error:
                raise _load_error(name, f"raised in {hook}", error) from error

        connectors: dict[tuple[Service, str], type[Connector]] = {}
        for cls in ask("register_connectors", "Connector classes"):
            key = _connector_key(name, cls)
            if key in self.connectors or key in connectors:
                raise DuplicateConnectorError(
                    f"plugin {name!r} offers {key[0].value}:{key[1]}, which {self._owner(key, name)!r} offers already",
                    hint="rename the connector, or disable one of the two under [plugins]",
                )
            connectors[key] = cls
        taken = {**LIBRARY, **self._components_by_any_name}
        components = _unique(name, ask("register_components", "Component classes"), Component, taken)
        skills = _unique(name, ask("register_skills", "Skill objects"), Skill, self.skills)
        models = _unique(name, ask("register_models", "ModelEntry objects"), ModelEntry, self.models, key="id")
        return _Things(connectors=connectors, components=components, skills=skills, models=models)

    def _owner(self, key: tuple[Service, str], default: str) -> str:
        offer = f"{key[0].value}:{key[1]}"
        return next((info.name for info in self.infos if offer in info.offers), default)

    def _fail(self, name: str, version: str, error: PluginError) -> None:
        info = PluginInfo(name=name, version=version, error=error)
        if name in self._infos:
            # The name belongs to the plugin that had it first, which goes on working.
            self._namesakes.append(info)
        else:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self._infos[name] = info
        log.warning("plugin_failed", plugin=name, error=str(error))


def _load_error(name: str, what: str, error: BaseException) -> PluginLoadError:
    # In one line: errors of pluggy have several, which would break lists and logs.
    text = " ".join(str(error).split())
    failure = PluginLoadError(
        f"plugin {name!r} {what}: {type(error).__name__}: {text}",
        hint="fix or update the plugin, or list it under [plugins] disabled in sre.toml",
    )
    failure.__cause__ = error
    return failure


def _by_name(found: Any) -> Callable[..., Any]:
    """Call an implementation with only those arguments that it takes, as pluggy does."""

    def call(**arguments: Any) -> Any:
        return found.function(*(arguments[name] for name in found.argnames))

    return call


def _several(name: str, hook: str, answer: Any, kind: str) -> list[Any]:
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        raise PluginLoadError(
            f"plugin {name!r}: {hook} returned {answer!r}", hint=f"return a list of {kind}, as in 'return [Mine]'"
        )
    return list(answer)


def _connector_key(name: str, cls: Any) -> tuple[Service, str]:
    if not (inspect.isclass(cls) and issubclass(cls, Connector)):
        raise PluginLoadError(f"plugin {name!r} offers {cls!r} as a connector", hint="return classes, not instances")
    where = f"connector {cls.__name__!r} of plugin {name!r}"
    missing = [attribute for attribute in ("service", "name") if not hasattr(cls, attribute)]
    if missing:
        raise PluginLoadError(f"{where} has no {missing[0]!r}", hint="subclass StorageConnector or a sibling; set name")
    if inspect.isabstract(cls):
        lacking = ", ".join(sorted(cls.__abstractmethods__))
        raise PluginLoadError(f"{where} is not finished: it lacks {lacking}", hint="implement these methods")
    if not (inspect.isclass(cls.settings_type) and issubclass(cls.settings_type, Settings)):
        raise PluginLoadError(f"{where} has a settings_type that is not a Settings", hint="subclass Settings")
    try:
        return Service(cls.service), check_id(cls.name, "connector name")
    except (ConfigError, ValueError, TypeError) as error:
        raise PluginLoadError(f"{where}: {error}", hint=getattr(error, "hint", None)) from error


def _unique(
    name: str, things: Iterable[Any], kind: type, taken: Mapping[str, Any], key: str = "name"
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for thing in things:
        fits = issubclass(thing, kind) if inspect.isclass(thing) else isinstance(thing, kind)
        if not fits or not isinstance(getattr(thing, key, None), str):
            raise PluginLoadError(f"plugin {name!r} offers {thing!r} as a {kind.__name__}")
        identity = getattr(thing, key)
        if identity in taken or identity in found:
            raise PluginLoadError(f"plugin {name!r} offers {kind.__name__} {identity!r}, which is taken already")
        found[identity] = thing
    return found


def _check_kept(before: "Mapping[str, click.Command]", cli: "click.Group") -> None:
    replaced = [name for name, command in before.items() if cli.commands.get(name) is not command]
    if replaced:
        raise ConfigError(f"command {replaced[0]!r} is there already", hint="give the plugin's command another name")


def _closed(name: str, hook: Callable[..., Any]) -> Veto:
    def veto(request: AccessRequest) -> str | None:
        try:
            reason = hook(request=request)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- a veto that breaks must refuse
            log.warning("veto_raised", plugin=name, error=type(error).__name__)
            return f"the veto of plugin {name!r} raised {type(error).__name__}"
        if reason is None or isinstance(reason, str):
            return reason
        return f"the veto of plugin {name!r} returned {type(reason).__name__}, not text or None"

    return veto


def _quiet(name: str, hook: Callable[..., Any]) -> Callable[[Event], None]:
    def observe(event: Event) -> None:
        try:
            hook(event=event)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- an observer must not disturb what it observes
            log.warning("observer_raised", plugin=name, event_type=event.type, error=type(error).__name__)

    return observe
