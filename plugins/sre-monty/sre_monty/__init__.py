"""Plugin `monty`: Python in workflows, through the component PythonSandbox."""

from collections.abc import Iterable

from sre_core.components.base import Component
from sre_core.hookspecs import hookimpl
from sre_monty.component import PythonSandbox, PythonSandboxSettings

__all__ = ["PythonSandbox", "PythonSandboxSettings", "register_components"]


@hookimpl
def register_components() -> Iterable[type[Component]]:
    """The component of this plugin."""
    return (PythonSandbox,)
