"""A plugin with one component, which reads web pages."""

from sre_core.components.base import Component
from sre_core.hookspecs import hookimpl
from sre_web.page import Page, read_page
from sre_web.reader import WebReader, WebReaderSettings

__all__ = ["Page", "WebReader", "WebReaderSettings", "read_page", "register_components"]


@hookimpl
def register_components() -> list[type[Component]]:
    """The components of this plugin."""
    return [WebReader]
