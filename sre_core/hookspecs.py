"""Every hook that a plugin can implement.

A plugin is a module, named by an entry point of the group `sre`, with functions marked `@hookimpl`. Hooks are
synchronous and cheap, and return things; what takes time belongs in `Connector.start`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from sre_core.access.guard import AccessRequest
from sre_core.components.base import Component
from sre_core.connectors.base import Connector
from sre_core.events import Event
from sre_core.models.entry import ModelEntry
from sre_core.skills import Skill

if TYPE_CHECKING:
    import click

__all__ = [
    "ENTRY_POINT_GROUP",
    "hookimpl",
    "hookspec",
    "on_event",
    "register_commands",
    "register_components",
    "register_connectors",
    "register_models",
    "register_skills",
    "veto_access",
]

ENTRY_POINT_GROUP = "sre"

hookspec = pluggy.HookspecMarker("sre")
hookimpl = pluggy.HookimplMarker("sre")


@hookspec
def register_connectors() -> Iterable[type[Connector]]:  # type: ignore[empty-body]
    """Connector classes that this plugin offers."""


@hookspec
def register_components() -> Iterable[type[Component]]:  # type: ignore[empty-body]
    """Component classes that this plugin offers."""


@hookspec
def register_skills() -> Iterable[Skill]:  # type: ignore[empty-body]
    """Skills that agents can pick by name."""


@hookspec
def register_models() -> Iterable[ModelEntry]:  # type: ignore[empty-body]
    """Entries for the catalogue of models."""


@hookspec
def register_commands(cli: "click.Group") -> None:
    """Add commands to `sre`."""


@hookspec
def veto_access(request: AccessRequest) -> str | None:
    """Return a reason to refuse a request that would be allowed, or None. A raise counts as a refusal."""


@hookspec
def on_event(event: Event) -> None:
    """Hear of everything that happens. A raise is logged, and disturbs nobody."""
