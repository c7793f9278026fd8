"""Plugin `javascript`: JavaScript in workflows, through the component ECMASandbox."""

from collections.abc import Iterable

from sre_core.components.base import Component
from sre_core.hookspecs import hookimpl
from sre_javascript.component import ECMASandbox, ECMASandboxSettings

__all__ = ["ECMASandbox", "ECMASandboxSettings", "register_components"]


@hookimpl
def register_components() -> Iterable[type[Component]]:
    """The component of this plugin."""
    return (ECMASandbox,)
