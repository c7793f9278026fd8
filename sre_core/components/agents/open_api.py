"""A service with an OpenAPI document, asked in words."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from pydantic import Field

from sre_core.components.agents.headers import read_headers
from sre_core.components.agents.open_api_operations import Operation, read_operations
from sre_core.components.agents.open_api_request import build_request
from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.http_client import HTTPReply
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import as_text, expand
from sre_core.components.web.urls import check_own_url
from sre_core.connectors.base import import_drivers
from sre_core.errors import ComponentError, SkillError
from sre_core.skills import Skill

__all__ = ["OpenAPI", "OpenAPISettings"]

_MOST_BYTES = 8 * 2**20
_MOST_CHARACTERS = 50_000
_USUAL_PORTS = {"http": 80, "https": 443}


class OpenAPISettings(ComponentSettings):
    """Where the document is, and what the model is told about the service."""

    spec_url: str = Field(min_length=1, description="Address of the service's OpenAPI 3 document, JSON or YAML.")
    desc_for_model: str = Field(
        "", description="What the model is told about its task, with {{inputs}}; else the document's own text."
    )
    model: str = Field("", description="The model that calls the service; none is the agent's own.")
    open_ai_model: str = Field("", description="An older name of model; counts only without it.")
    server_url: str = Field("", description="Where the service is, if not where its document says.")
    headers: str | dict[str, str] = Field(
        "", description="JSON with headers for all calls, which may name secrets, {{KEY(name)}}."
    )
    name_of_service: str = Field("", alias="name", description="What the service is called.")
    desc: str = Field("", description="A description for editors.")


class OpenAPI(Component):
    """Lets a model answer the prompt with the operations of a service that has an OpenAPI 3 document.

    Each operation is a skill; `Output` is the answer. What a call returns goes to the model as text, errors too. A
    body must be JSON or a form; operations that take another one are left out.

    Calls may go to private networks only where the author's text says so: to the origin of `specUrl`, or to
    `serverUrl`. A document cannot send them there. `headers`, which SmythOS does not have, go only to these places.
    """

    name = "OpenAPI"
    aliases = ("GPTPlugin",)
    settings_type = OpenAPISettings
    settings: OpenAPISettings
    inputs = (
        InputPort(name="Prompt", type="Text", optional=True, description="What to ask."),
        InputPort(name="Query", type="Text", optional=True, description="Another name for Prompt."),
    )
    outputs = (OutputPort(name="Output", default=True, description="The answer."),)

    def check(self) -> list[Flaw]:
        """Addresses that no request can go to."""
        settings = self.settings
        return [
            *Flaw.raised_by(lambda: check_own_url(settings.spec_url), "specUrl"),
            *(Flaw.raised_by(lambda: check_own_url(settings.server_url), "serverUrl") if settings.server_url else []),
        ]

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Read the document, then answer the prompt with its operations."""
        prompt = as_text(inputs.get("Prompt") or inputs.get("Query") or "").strip()
        if not prompt:
            raise ComponentError("there is nothing to ask", hint="give the input Prompt, or Query, a text")
        # Without the inputs: where requests go is the author's to say.
        url = await expand(self.settings.spec_url, {}, context, node=self.node)
        document = await _load(url, context)
        server = await expand(self.settings.server_url, {}, context, node=self.node)
        operations = read_operations(document, url)
        headers = await read_headers(self.settings.headers, {}, context, self.node)
        calls = [
            _Call(operation, context, server=server, own=server or url, headers=headers) for operation in operations
        ]
        if not calls:
            raise ComponentError(f"the document at {_place(url)} has no operation that can be called")
        task = await expand(self.settings.desc_for_model, inputs, context, node=self.node)
        answer = await context.host.converse(
            prompt,
            skills={call.skill.name: call.skill for call in calls},
            model=self.settings.model or self.settings.open_ai_model or None,
            behavior=task or _description(document),
        )
        return {"Output": answer}


class _Call:
    """One operation as a skill. `own` is a URL that the author wrote: only its origin is trusted."""

    def __init__(
        self, operation: Operation, context: ComponentContext, *, server: str, own: str, headers: Mapping[str, str]
    ) -> None:
        self._operation = operation
        self._context = context
        self._server = server.rstrip("/")
        self._own = own
        self._headers = headers

    @property
    def skill(self) -> Skill:
        """What the model sees."""
        operation = self._operation
        return Skill(
            name=operation.name,
            description=operation.description or f"{operation.method} {operation.path}",
            parameters=operation.parameters,
            function=self._send,
        )

    async def _send(self, **arguments: Any) -> str:
        request = build_request(self._operation, arguments)
        url = self._server + request.url.removeprefix(self._operation.base) if self._server else request.url
        trusted = _origin(url) == _origin(self._own)
        own = self._headers if trusted else {}
        named = {name.lower() for name in own}
        reply = await self._context.host.http.request(
            request.method,
            url,
            trusted=trusted,
            headers={**{name: value for name, value in request.headers.items() if name.lower() not in named}, **own},
            data=request.data,
            # Any of the author's headers may be a secret, so none of them is taken elsewhere.
            follow_redirects=not own,
        )
        text = _text(reply)
        if reply.status >= 300:
            raise SkillError(f"the service answered {reply.status}{': ' if text else ''}{text}")
        return text or f"the service answered {reply.status}, with no content"


async def _load(url: str, context: ComponentContext) -> Mapping[str, Any]:
    reply = await context.host.http.request("GET", url, trusted=True, max_bytes=_MOST_BYTES)
    if reply.status != 200:
        raise ComponentError(f"there is no document at {_place(url)}: it answers {reply.status}")
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        await import_drivers("sre_core.components.agents.open_api_yaml")
        # Not at the top: it imports yaml, and most documents are JSON.
        from sre_core.components.agents.open_api_yaml import read_yaml

        document = await anyio.to_thread.run_sync(read_yaml, reply.body, _place(url), abandon_on_cancel=True)
    if not isinstance(document, Mapping):
        raise ComponentError(f"what is at {_place(url)} is no OpenAPI document", hint="it is neither JSON nor YAML")
    return document


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _USUAL_PORTS.get(parts.scheme)


def _place(url: str) -> str:
    """The URL as a message may show it: a path and a query may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def _description(document: Mapping[str, Any]) -> str:
    info = document.get("info")
    texts = [info.get("title"), info.get("description")] if isinstance(info, Mapping) else []
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def _text(reply: HTTPReply) -> str:
    """The body as a model reads it, cut where it gets too long."""
    kind = reply.headers.get("content-type", "").partition(";")[0]
    try:
        text = reply.body.decode()
    except UnicodeDecodeError:
        return f"[{len(reply.body)} bytes of {kind or 'an unknown type'}]"
    left = len(text) - _MOST_CHARACTERS
    return text if left <= 0 else f"{text[:_MOST_CHARACTERS]}\n[{left} more characters]"
