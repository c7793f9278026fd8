"""Plugin `google`: Gemini models, through the Gemini API or Vertex AI."""

from collections.abc import Iterable

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_core.models.entry import ModelEntry
from sre_google.connector import GoogleLLM
from sre_google.models import entries
from sre_google.settings import GoogleSettings

__all__ = ["GoogleLLM", "GoogleSettings", "register_connectors", "register_models"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (GoogleLLM,)


@hookimpl
def register_models() -> Iterable[ModelEntry]:
    """The models that Google lists, with limits and prices."""
    return entries()
