"""Plugin `smollm`: language models that run on this machine."""

from collections.abc import Iterable

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_smollm.connector import SmolLM
from sre_smollm.settings import SmolLMSettings

__all__ = ["SmolLM", "SmolLMSettings", "register_connectors"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (SmolLM,)
