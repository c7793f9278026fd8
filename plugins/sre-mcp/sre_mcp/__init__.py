"""A plugin with one component, which uses the tools of an MCP server."""

from sre_core.components.base import Component
from sre_core.hookspecs import hookimpl
from sre_mcp.component import MCPClient, MCPClientSettings

__all__ = ["MCPClient", "MCPClientSettings", "register_components"]


@hookimpl
def register_components() -> list[type[Component]]:
    """The components of this plugin."""
    return [MCPClient]
