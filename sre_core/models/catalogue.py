"""The catalogue: every model that plugins and the user name, found by id or alias, and never by likeness."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sre_core.errors import ConfigError, NotFoundError
from sre_core.models.entry import ANY, ModelEntry

__all__ = ["Catalogue", "Clash", "Given", "Listed", "Route"]

_NEAR = 3
_WAY = frozenset({"connector", "settings"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the user says of a model: `values` are those fields of ModelEntry that were given, as TOML writes them.

    `source` is the file. `notes` say what in that file has no meaning here.
    """

    id: str
    values: Mapping[str, Any] = field(repr=False)
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model in the catalogue, and who named it: `sources` are plugins and files, the last one last heard.

    `own_aliases` are the user's. `own_route` is whether the user said how to reach it, other than its provider is.
    `is_given` is whether the user said anything of it.
    """

    entry: ModelEntry
    sources: tuple[str, ...]
    is_given: bool = False
    own_aliases: frozenset[str] = frozenset()
    own_route: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How models are reached for which no connector is configured; `id` is what the connector is known by then.

    `is_own` is whether the user said so.
    """

    id: str
    connector: str
    settings: Mapping[str, Any] = field(repr=False)
    source: str
    is_own: bool = False

    def leads(self, entry: ModelEntry) -> bool:
        """Whether it reaches what the entry's own connector and settings reach."""
        return self.connector == entry.connector and self.settings == entry.settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """An alias that several models want. `winner` is the id of the one that has it; None when it names none."""

    alias: str
    ids: tuple[str, ...]
    winner: str | None


class Catalogue:
    """Models by id, in order; aliases; and a route to each. It never changes."""

    def __init__(
        self,
        offered: Iterable[tuple[ModelEntry, str]] = (),
        given: Iterable[Given] = (),
        *,
        connectors: Mapping[str, str] | None = None,
    ) -> None:
        """`offered` are entries of plugins with the plugin's name, `given` the user's words on them and on others.

        A given model that no plugin has is reached like the others of its provider; else by the connector of
        `connectors` that is called like the provider. Raises ConfigError when there is neither.
        """
        listed: dict[str, dict[str, Listed]] = {}
        for entry, plugin in offered:
            listed.setdefault(entry.provider, {})[entry.id] = Listed(entry=entry, sources=(f"plugin {plugin!r}",))
        ways = {provider: _common(there.values()) for provider, there in listed.items()}
        for one in _ordered(given):
            provider = one.id.partition("/")[0]
            there = listed.setdefault(provider, {})
            old = there.get(one.id) or _new(one, there.values(), connectors or {})
            there[one.id] = _changed(old, one, ways.get(provider))
        self._listed = dict(sorted((id_, found) for there in listed.values() for id_, found in there.items()))
        self._routes: dict[str, Route] = {}
        self._route_of: dict[str, Route] = {}
        for provider in self.providers:
            self._lay_routes(provider)
        self._owners: dict[str, list[Listed]] = {}
        self._named: dict[str, list[ModelEntry]] = {}
        for found in self._listed.values():
            for alias in found.entry.aliases:
                self._owners.setdefault(alias, []).append(found)
            if not found.entry.is_any:
                for name in {found.entry.name, *found.entry.aliases}:
                    self._named.setdefault(name, []).append(found.entry)

    @property
    def listed(self) -> Mapping[str, Listed]:
        """All models by id, in order."""
        return self._listed

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers of all models, in order."""
        return tuple(sorted({found.entry.provider for found in self._listed.values()}))

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """The aliases that several models want, in order."""
        return tuple(self._clashes())

    def find(self, name: str) -> Listed | None:
        """The model of exactly that id or alias. Raises ConfigError when several have the alias."""
        if name in self._listed and not self.is_hidden(name):
            return self._listed[name]
        owners = self._claims(name)
        if len(owners) > 1:
            raise _ambiguous("alias", name, [found.entry for found in owners])
        return owners[0] if owners else None

    def is_hidden(self, id: str) -> bool:  # noqa: A002 -- the field's own name
        """Whether the user calls another model by the id of one that only plugins list.

        That one must not take what is meant for his own because a plugin was installed.
        """
        return not self._listed[id].is_given and any(id in found.own_aliases for found in self._owners.get(id, ()))

    def get(self, name: str) -> Listed:
        """The model of that id or alias; else the only one that its provider calls so.

        Raises NotFoundError, which names near ones, and ConfigError when several have the name.
        """
        found = self.find(name)
        if found is not None:
            return found
        entries = [entry for entry in self._named.get(name, ()) if entry.name == name]
        if len(entries) > 1:
            raise _ambiguous("name", name, entries)
        if entries:
            return self._listed[entries[0].id]
        near = self.near(name)
        hint = f"did you mean {_spoken(near)}?" if near else "`sre models list` shows the names"
        raise NotFoundError(f"the catalogue has no model {name!r}", hint=hint)

    def named(self, name: str) -> tuple[ModelEntry, ...]:
        """All models that their provider calls so, or that have the alias."""
        return tuple(self._named.get(name, ()))

    def near(self, name: str) -> tuple[str, ...]:
        """The ids of models whose id, alias or name is much like `name`, best first."""
        ids: dict[str, str] = {}
        for called, entries in self._named.items():
            ids.setdefault(called.lower(), entries[0].id)
        ids |= {id_.lower(): id_ for id_, found in self._listed.items() if not found.entry.is_any}
        close = difflib.get_close_matches(name.lower(), ids, n=_NEAR)
        return tuple(dict.fromkeys(ids[called] for called in close))

    def explain(self, error: NotFoundError, name: str) -> NotFoundError:
        """The same error of a connector that has no model `name`, which also names near ones of the catalogue."""
        near = [id_ for id_ in self.near(name) if id_ != name]
        hints = [error.hint, f"near names in the catalogue: {_spoken(near)}" if near else None]
        return NotFoundError(error.message, hint="; ".join(hint for hint in hints if hint) or None)

    def route(self, entry: ModelEntry) -> Route:
        """How a model of this catalogue is reached where no connector is configured for it."""
        return self._route_of[entry.id]

    def route_by_id(self, id: str) -> Route | None:  # noqa: A002 -- the field's own name
        """The route whose connector is known by that id. A provider's name is the id of the way to its models."""
        return self._routes.get(id)

    def _lay_routes(self, provider: str) -> None:
        entries = [found for found in self._listed.values() if found.entry.provider == provider]
        common = _common(entries)
        routes: list[Route] = []
        if common is not None:
            routes.append(replace(_route(common), id=provider))
        for found in entries:
            route = next((route for route in routes if route.leads(found.entry)), None)
            if route is None:
                route = _route(found)
                routes.append(route)
            self._route_of[found.entry.id] = route
        self._routes |= {route.id: route for route in routes}

    def _claims(self, alias: str) -> list[Listed]:
        """Who has an alias: what the user says counts before what plugins say."""
        owners = self._owners.get(alias, [])
        return [found for found in owners if alias in found.own_aliases] or owners

    def _clashes(self) -> Iterator[Clash]:
        for alias, owners in sorted(self._owners.items()):
            ids = [found.entry.id for found in owners]
            claims = self._claims(alias)
            if alias in self._listed and not self.is_hidden(alias):
                yield Clash(alias=alias, ids=tuple(sorted({alias, *ids})), winner=alias)
            elif len(ids) > 1 or alias in self._listed:
                winner = claims[0].entry.id if len(claims) == 1 else None
                yield Clash(alias=alias, ids=tuple(sorted({*ids, *({alias} & set(self._listed))})), winner=winner)


def _ordered(given: Iterable[Given]) -> list[Given]:
    """What is said of each model, put together; those come first whose ways others may take, whole providers first."""
    merged: dict[str, Given] = {}
    for one in given:
        old = merged.get(one.id)
        if old is not None:
            aliases = (*old.values.get("aliases", ()), *one.values.get("aliases", ()))
            values = {**old.values, **one.values, "aliases": aliases}
            one = Given(id=one.id, values=values, source=one.source, notes=(*old.notes, *one.notes))
        merged[one.id] = one
    return sorted(merged.values(), key=lambda one: (not one.id.endswith(f"/{ANY}"), not _WAY & set(one.values)))


def _new(given: Given, others: Iterable[Listed], connectors: Mapping[str, str]) -> Listed:
    """A model that no plugin has, reached like the others of its provider unless it says how itself."""
    provider = given.id.partition("/")[0]
    common = None if set(given.values) >= _WAY else _common(others)
    if common is not None:
        entry = ModelEntry(id=given.id, connector=common.entry.connector, settings=common.entry.settings)
        return Listed(entry=entry, sources=())
    connector = given.values.get("connector") or connectors.get(provider)
    if connector is None:
        raise ConfigError(
            f"model {given.id!r} in {given.source} does not say how to reach {provider!r}",
            hint=f'add connector = "...", or configure [connectors.llm.{provider}]',
        )
    return Listed(entry=ModelEntry(id=given.id, connector=connector), sources=())


def _changed(old: Listed, given: Given, offered: Listed | None) -> Listed:
    """A model with what the user says of it; `offered` is how plugins say that its provider is reached."""
    values = dict(given.values)
    aliases = tuple(values.pop("aliases", ()))
    if "features" in values:
        values["features"] = frozenset(values["features"])
    if values.get("connector", old.entry.connector) != old.entry.connector:
        # The settings of another connector mean nothing to this one.
        values.setdefault("settings", {})
    entry = replace(old.entry, **values)
    own_way = bool(_WAY & set(values)) and not entry.is_any
    return Listed(
        entry=replace(entry, aliases=tuple(dict.fromkeys((*entry.aliases, *aliases)))),
        sources=(*old.sources, given.source),
        is_given=True,
        own_aliases=frozenset(aliases),
        own_route=own_way and (offered is None or not _route(offered).leads(entry)),
        notes=given.notes,
    )


def _common(entries: Iterable[Listed]) -> Listed | None:
    """The entry that says how a provider is reached: that for any model, else one with what all others have too."""
    found = [one for one in entries if one.entry.is_any]
    if found:
        return found[0]
    ways: list[Listed] = []
    for one in [one for one in entries if not one.own_route] or list(entries):
        # Most are reached alike, and there may be hundreds.
        if not any(_route(way).leads(one.entry) for way in ways):
            ways.append(one)
    return next((one for one in ways if all(_is_part(one.entry, other.entry) for other in ways)), None)


def _is_part(one: ModelEntry, other: ModelEntry) -> bool:
    return one.connector == other.connector and one.settings.items() <= other.settings.items()


def _route(found: Listed) -> Route:
    entry = found.entry
    source = f"model {entry.id!r} of {found.sources[-1]}"
    return Route(id=entry.id, connector=entry.connector, settings=entry.settings, source=source, is_own=found.own_route)


def _ambiguous(what: str, name: str, entries: Iterable[ModelEntry]) -> ConfigError:
    ids = sorted(entry.id for entry in entries)
    return ConfigError(f"{what} {name!r} is that of several models: {', '.join(ids)}", hint="say which one, by its id")


def _spoken(ids: Iterable[str]) -> str:
    return " or ".join(repr(id_) for id_ in ids)
