"""Plugin `anthropic`: Claude models, through the Messages API."""

from collections.abc import Iterable

from sre_anthropic.connector import AnthropicLLM
from sre_anthropic.models import entries
from sre_anthropic.settings import AnthropicSettings
from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_core.models.entry import ModelEntry

__all__ = ["AnthropicLLM", "AnthropicSettings", "register_connectors", "register_models"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (AnthropicLLM,)


@hookimpl
def register_models() -> Iterable[ModelEntry]:
    """The models that Anthropic lists."""
    return entries()
