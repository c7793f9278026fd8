"""The component that lets a model use the tools of an MCP server."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from sre_core.components.agents.headers import read_headers
from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.components.template import as_text, expand, placeholders
from sre_core.connectors.base import import_drivers
from sre_core.errors import ComponentError, SREError

__all__ = ["MCPClient", "MCPClientSettings"]


class MCPClientSettings(ComponentSettings):
    """Which server, and what the model is told."""

    mcp_url: str = Field(min_length=1, description="Address of the MCP server.")
    prompt: str = Field(
        "", max_length=5000, description="What to do, with {{inputs}}; without it, the inputs are the prompt."
    )
    model: str = Field("", description="The model that uses the tools; none is the agent's own.")
    open_ai_model: str = Field("", description="An older name of model; counts only without it.")
    desc_for_model: str = Field("", description="What the model is told about its task, with {{inputs}}.")
    headers: str | dict[str, str] = Field(
        "", description="JSON with headers for all requests, which may name secrets, {{KEY(name)}}."
    )
    timeout: float = Field(60.0, gt=0, le=3600, description="Seconds that one request to the server may take.")
    name_of_server: str = Field("", alias="name", description="What the server is called.")
    desc: str = Field("", description="A description for editors.")


class MCPClient(Component):
    """Lets a model answer the prompt with the tools of an MCP server; `Output` is the answer.

    The server is reached over Streamable HTTP, and where it does not know that, over SSE. Each tool is a skill with
    the whole schema that the server gives. The connection is closed when the node has run, however it ended.

    No input has a say in `mcpUrl`: it is the author's text, which is why it may lead to a private network. `headers`,
    which SmythOS does not have, go to that server alone.
    """

    name = "MCPClient"
    settings_type = MCPClientSettings
    settings: MCPClientSettings
    outputs = (OutputPort(name="Output", default=True, description="The answer."),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Connect, and answer the prompt with the tools."""
        prompt = await self._prompt(inputs, context)
        task = await expand(self.settings.desc_for_model, inputs, context, node=self.node)
        url = await self._url(context)
        headers = await read_headers(self.settings.headers, inputs, context, self.node)
        await import_drivers("sre_mcp.connection", "sre_mcp.tools")
        # Not at the top: they import mcp, which most workflows do without.
        from sre_mcp.connection import connect
        from sre_mcp.tools import read_skills

        outcome: str | SREError
        async with AsyncExitStack() as stack:
            client = await connect(stack, url, headers, timeout=self.settings.timeout)
            try:
                outcome = await context.host.converse(
                    prompt,
                    skills=await read_skills(client),
                    model=self.settings.model or self.settings.open_ai_model or None,
                    behavior=task or client.instructions or "",
                )
            except SREError as error:
                # The client would wrap it in a group.
                outcome = error
        if isinstance(outcome, SREError):
            raise outcome
        return {"Output": outcome}

    async def _prompt(self, inputs: Mapping[str, Any], context: ComponentContext) -> str:
        if self.settings.prompt:
            prompt = await expand(self.settings.prompt, inputs, context, node=self.node)
        else:
            given = {name: value for name, value in inputs.items() if value is not None}
            texts = [
                as_text(value) if len(given) == 1 else f"{name}: {as_text(value)}" for name, value in given.items()
            ]
            prompt = "\n".join(texts)
        if not prompt.strip():
            raise ComponentError("there is nothing to ask", hint="set prompt, or give an input a text")
        return prompt

    async def _url(self, context: ComponentContext) -> str:
        # Without the inputs: which server is asked is the author's to say.
        url = await expand(self.settings.mcp_url, {}, context, node=self.node)
        if left := placeholders(url):
            raise ComponentError(f"mcpUrl has a placeholder that no variable fills: {left[0]!r}", hint="inputs may not")
        try:
            parts = urlsplit(url)
            legal = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            legal = False
        if not legal:
            raise ComponentError("mcpUrl is no URL of a server", hint="it begins with http:// or https://")
        return url
