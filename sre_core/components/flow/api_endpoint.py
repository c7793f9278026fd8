"""APIEndpoint: where a request enters a workflow, with its values in the types that the author declared."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import to_json

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import as_text, expand, expand_value
from sre_core.components.values import coerce, is_file_port, needs_coercion
from sre_core.errors import ComponentError

__all__ = ["APIEndpoint", "APIEndpointSettings"]

_WHOLE = re.compile(r"\{\{[^{}\n\r]+\}\}")


class APIEndpointSettings(ComponentSettings):
    """The name of a skill, and what is said of it to models and people."""

    endpoint: str = Field(
        max_length=50,
        pattern=r"^[a-zA-Z0-9_]+([-_][a-zA-Z0-9_]+)*$",
        description="The name of the skill, and the last part of its path, as in /api/NAME.",
    )
    method: Literal["POST", "GET"] = Field(
        "POST", description="Whether the inputs are taken from the body of a request, or from its query."
    )
    description: str = Field("", max_length=5000, description="What the skill does, for the model that may call it.")
    summary: str = Field("", max_length=1000, description="What the skill does, for people.")
    doc: str = Field("", max_length=1000, description="More about the skill, for people.")
    ai_exposed: bool = Field(default=True, alias="ai_exposed", description="Whether models may call the skill.")
    advanced_mode_enabled: bool = Field(
        default=False, description="Whether an editor shows all settings; no effect on runs."
    )
    endpoint_label: str = Field("", max_length=100, description="What an editor calls the skill.")
    status_message: str = Field(
        "", alias="status_message", description="What a chat shows while the skill runs, instead of its name."
    )

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class APIEndpoint(Component):
    """Takes a request in, and gives its values on in the types of the inputs that the author declared.

    `body` holds the values of a POST, `query` those of a GET; the other one comes as it was sent. `headers` has every
    name twice, as it was sent and in lower case; `params` are those of the path. The author may add outputs that lead
    into these, such as `body.city`. What is empty or missing gets the default of its input. A file input takes
    uploads, addresses, data URLs, base64 or text, and gives `{"mimetype", "size", "url", "name"}`. A text `{…}` at an
    input of type Any becomes an object, also one that is its default.

    Unlike in SmythOS nothing in a request is a template: only a default is, and it reads no secrets. An input of type
    String keeps its text, and stored files are opened as whoever sent the request.
    """

    name = "APIEndpoint"
    settings_type = APIEndpointSettings
    settings: APIEndpointSettings
    outputs = (
        OutputPort(name="headers", default=True),
        OutputPort(name="body", default=True),
        OutputPort(name="query", default=True),
    )
    open_inputs = True
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """`inputs` are the request's own, or the payload of a trigger, as they came."""
        request = context.request
        typed = await self._typed(inputs, context)
        is_get = request.method.upper() == "GET"
        return {
            "headers": {**{name.lower(): value for name, value in request.headers.items()}, **request.headers},
            "body": dict(request.body) if is_get else typed,
            "query": typed if is_get else dict(request.query),
            "params": dict(request.params),
        }

    async def _typed(self, inputs: Mapping[str, Any], context: ComponentContext) -> dict[str, Any]:
        ports = {port.name: port for port in self.node.inputs}
        typed: dict[str, Any] = {}
        for name, value in inputs.items():
            port = ports.get(name, InputPort(name=name))
            typed[name] = await _coerced(value, port, context)
        for port in ports.values():
            if typed.get(port.name) in (None, ""):
                await self._fill(port, typed, ports, context)
        return typed

    async def _fill(
        self, port: InputPort, typed: dict[str, Any], ports: Mapping[str, InputPort], context: ComponentContext
    ) -> None:
        """Take the uploads of that name, else the default."""
        uploads = context.request.files.get(port.name, ())
        if uploads and (is_file_port(port) or not needs_coercion(port)):
            files = [await coerce(file, InputPort(name=port.name, type="Binary"), context) for file in uploads]
            typed[port.name] = files[0] if len(files) == 1 else files
        elif port.default not in (None, ""):
            # Only declared inputs: a request must not stand in for a variable of the author's.
            known = {name: value for name, value in typed.items() if name in ports}
            typed[port.name] = await _coerced(await self._default(port, known, context), port, context)

    async def _default(self, port: InputPort, values: Mapping[str, Any], context: ComponentContext) -> Any:
        """It reads no secrets, which it would hand to whoever sent the request."""
        default = port.default
        if isinstance(default, str) and not _WHOLE.fullmatch(default):
            in_json = partial(expand, default, values, context, node=self.node, quote=_in_json, secrets=False)
            if port.type.lower() in {"object", "array"}:
                return await in_json()
            if not needs_coercion(port) and "{{" in default and _in_braces(default):
                found = _object(await in_json())
                if found is not None:
                    return found
        return await expand_value(default, values, context, node=self.node, secrets=False)


async def _coerced(value: Any, port: InputPort, context: ComponentContext) -> Any:
    if needs_coercion(port):
        return await coerce(value, port, context)
    found = _object(value) if isinstance(value, str) and _in_braces(value) else None
    return value if found is None else found


def _in_braces(text: str) -> bool:
    bare = text.strip()
    return bare.startswith("{") and bare.endswith("}")


def _object(text: str) -> Mapping[str, Any] | None:
    """The object that a text is, if it is one."""
    try:
        parsed = parse_loose_json(text, repair=False)
    except ComponentError:
        return None
    return parsed if isinstance(parsed, Mapping) else None


def _in_json(value: Any) -> str:
    """A value inside JSON that the author wrote: a text cannot end the quotes that it stands in."""
    return to_json(value).decode()[1:-1].replace("'", r"\u0027") if isinstance(value, str) else as_text(value)
