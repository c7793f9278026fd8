"""Plugin `openai`: language models of OpenAI, of Azure, and of every server that speaks OpenAI's API."""

from collections.abc import Iterable

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_core.models.entry import ModelEntry
from sre_openai.connector import OpenAILLM
from sre_openai.models import model_entries
from sre_openai.preset import Preset
from sre_openai.presets import PRESETS
from sre_openai.settings import OpenAISettings

__all__ = ["PRESETS", "OpenAILLM", "OpenAISettings", "Preset", "register_connectors", "register_models"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (OpenAILLM,)


@hookimpl
def register_models() -> Iterable[ModelEntry]:
    """The models of the providers that the presets reach."""
    return model_entries()
