"""The conformance kits: one class of tests for each kind of connector, for plugin authors to subclass."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sre_core.testing.conformance.cache import CacheConformance
    from sre_core.testing.conformance.http_faults import HttpFaultConformance
    from sre_core.testing.conformance.lifecycle import LifecycleConformance
    from sre_core.testing.conformance.llm import LLMConformance
    from sre_core.testing.conformance.storage import StorageConformance
    from sre_core.testing.conformance.vault import VaultConformance
    from sre_core.testing.conformance.vectors import VectorConformance

__all__ = [
    "CacheConformance",
    "HttpFaultConformance",
    "LLMConformance",
    "LifecycleConformance",
    "StorageConformance",
    "VaultConformance",
    "VectorConformance",
]

_MODULES = {
    "CacheConformance": "cache",
    "HttpFaultConformance": "http_faults",
    "LLMConformance": "llm",
    "LifecycleConformance": "lifecycle",
    "StorageConformance": "storage",
    "VaultConformance": "vault",
    "VectorConformance": "vectors",
}


def __getattr__(name: str) -> Any:
    """Import a kit when it is asked for: the command line imports this package where pytest may be missing."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
