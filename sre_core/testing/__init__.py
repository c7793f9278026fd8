"""What tests of agents, plugins and applications need: a scripted model, and the conformance kits."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sre_core.testing.scripted import Pause, ScriptedLLM, ScriptedPlugin, ScriptedReply

__all__ = ["Pause", "ScriptedLLM", "ScriptedPlugin", "ScriptedReply"]


# Every pytest of our users imports this package with its plugin, so that must cost nothing.
def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("sre_core.testing.scripted"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
