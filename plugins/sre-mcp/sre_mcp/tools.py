"""From the tools of an MCP server to skills, and from their results to text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import mcp_types
from mcp import Client, MCPError
from pydantic_core import to_json

from sre_core.errors import ComponentError, SkillError
from sre_core.skills import Skill

__all__ = ["read_skills", "result_text"]

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 64
_MOST_PAGES = 100
_MOST_TOOLS = 2000
_MOST_CHARACTERS = 50_000


async def read_skills(client: Client) -> dict[str, Skill]:
    """A skill for each tool of the server, by its name, with the schema that the server gives.

    They work as long as the client is connected. A name that no model may use is made legal, and each is given once.
    Raises ComponentError if there are no tools, or no end of them.
    """
    try:
        tools = await _tools(client)
    except MCPError as error:
        raise ComponentError(f"the MCP server does not list its tools: {error}") from error
    skills: dict[str, Skill] = {}
    for tool in tools:
        name = _unique(tool.name, skills)
        skills[name] = _skill(client, tool, name)
    if not skills:
        raise ComponentError("the MCP server has no tools")
    return skills


def result_text(result: mcp_types.CallToolResult) -> str:
    """What a tool returned, as a model reads it: its texts, and of all else what it is."""
    texts = [_text(block) for block in result.content]
    if not texts and result.structured_content is not None:
        texts = [to_json(result.structured_content).decode()]
    text = "\n".join(texts)
    left = len(text) - _MOST_CHARACTERS
    return text if left <= 0 else f"{text[:_MOST_CHARACTERS]}\n[{left} more characters]"


async def _tools(client: Client) -> list[mcp_types.Tool]:
    tools: list[mcp_types.Tool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        if len(tools) > _MOST_TOOLS:
            raise ComponentError(f"the MCP server has more than {_MOST_TOOLS} tools", hint="let it offer fewer")
        cursor = page.next_cursor
        if not cursor:
            return tools
    raise ComponentError(f"the MCP server has more than {_MOST_PAGES} pages of tools")


def _skill(client: Client, tool: mcp_types.Tool, name: str) -> Skill:
    async def call(**arguments: Any) -> str:
        try:
            result = await client.call_tool(tool.name, arguments)
        except MCPError as error:
            raise SkillError(f"the MCP server refuses the call of {tool.name!r}: {error}") from error
        if result.is_error:
            raise SkillError(result_text(result) or f"the tool {tool.name!r} failed, and does not say why")
        return result_text(result)

    schema: Mapping[str, Any] = tool.input_schema
    return Skill(
        name=name,
        description=tool.description or tool.title or tool.name,
        parameters={"type": "object", **schema},
        function=call,
    )


def _unique(text: str, taken: Iterable[str]) -> str:
    plain = _ILLEGAL.sub("_", text).strip("_")[:_LONGEST_NAME] or "tool"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain[: _LONGEST_NAME - len(str(number)) - 1]}_{number}"
    return name


def _text(block: Any) -> str:
    match block:
        case mcp_types.TextContent():
            return block.text
        case mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents() as resource):
            return resource.text
        case mcp_types.EmbeddedResource(resource=resource):
            return f"[resource {resource.uri}, {resource.mime_type or 'of an unknown type'}]"
        case mcp_types.ResourceLink():
            return f"[resource {block.uri}: {block.description or block.name}]"
        case _:
            return f"[{block.type}, {block.mime_type}]"
