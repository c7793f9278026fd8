"""An action of Zapier: one of thousands of apps, through an account that somebody connected there."""

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from sre_core.components import smythfs
from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.files import is_file_value, read_file, safe_name
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import OutputPort
from sre_core.components.template import as_text, expand, expand_value
from sre_core.components.web.service import ask
from sre_core.errors import ComponentError

__all__ = ["ZapierAction", "ZapierActionSettings"]

_FILE_SECONDS = 3600.0
"""How long Zapier may fetch a file that it was given the address of."""
_TYPE_WORDS = frozenset({"array", "bool", "boolean", "dict", "float", "int", "integer", "list", "number", "object"}) | {
    *("str", "string", "text"),
}
"""What stands in a list of parameters where no value was given: Zapier describes them so."""


class ZapierActionSettings(ComponentSettings):
    """Which action, and what it is always told."""

    action_name: str = Field("", description="What the action is called; its instructions when no input gives any.")
    action_id: str = Field(min_length=1, description="The id of the action among those exposed in Zapier.")
    api_key: str = Field(min_length=1, description="The key for Zapier AI Actions, as {{KEY(name)}} of the vault.")
    params: str | dict[str, Any] = Field("", description="JSON with values that the action is always given.")
    logo_url: str = Field("", description="A picture for editors.")


class ZapierAction(Component):
    """Runs an action that was exposed in Zapier AI Actions, with the inputs as its parameters.

    An input `instructions` says in words what to do; what other inputs do not fix, Zapier guesses from it. `Output` is
    what Zapier answers, with the outcome in `result`; if the action failed, `_error` is given too. A file goes to
    Zapier as an address that works for an hour, where the storage can make one. Unlike in SmythOS the key travels in a
    header, not in the address.
    """

    name = "ZapierAction"
    settings_type = ZapierActionSettings
    settings: ZapierActionSettings
    outputs = (OutputPort(name="Output", default=True, description="What Zapier answers."),)
    open_inputs = True
    base_url: ClassVar[str] = "https://actions.zapier.com"

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Run the action."""
        key = await expand(self.settings.api_key, {}, context, node=self.node, missing="empty")
        if not key:
            raise ComponentError("there is no key for Zapier", hint="set apiKey to {{KEY(name)}} of the vault")
        action = quote(await expand(self.settings.action_id, {}, context, node=self.node), safe="")
        if action.strip(".") == "":
            raise ComponentError(f"{action!r} is no id of an action")
        answer = await ask(
            context,
            "POST",
            f"{self.base_url}/api/v1/exposed/{action}/execute/",
            service="Zapier",
            key=key,
            headers={"x-api-key": key},
            body=await self._body(inputs, context),
        )
        outputs: dict[str, Any] = {"Output": answer}
        if isinstance(answer, Mapping) and (answer.get("error") or answer.get("status") == "error"):
            outputs["_error"] = f"the action failed: {answer.get('error') or 'Zapier does not say why'}"
        return outputs

    async def _body(self, inputs: Mapping[str, Any], context: ComponentContext) -> dict[str, Any]:
        body = await self._fixed(inputs, context)
        body |= {name: await _without_files(value, context) for name, value in inputs.items() if value is not None}
        # The one parameter that Zapier demands.
        said = next((body.pop(name) for name in list(body) if name.lower() == "instructions"), None)
        return {"instructions": as_text(said) if said else self.settings.action_name or "Run the action.", **body}

    async def _fixed(self, inputs: Mapping[str, Any], context: ComponentContext) -> dict[str, Any]:
        params = self.settings.params
        if isinstance(params, str):
            try:
                params = parse_loose_json(params or "{}", repair=False)
            except ComponentError as error:
                raise ComponentError(f"the params of {self.node} are no JSON", hint=error.hint) from error
        if not isinstance(params, Mapping):
            raise ComponentError(f"the params of {self.node} are no JSON object", hint='such as {"channel": "#news"}')
        given = {name: value for name, value in params.items() if not _is_type(value)}
        return dict(await expand_value(given, inputs, context, node=self.node))


def _is_type(value: Any) -> bool:
    return isinstance(value, str) and value in _TYPE_WORDS


async def _without_files(value: Any, context: ComponentContext) -> Any:
    """A file becomes an address that Zapier can fetch it from: its own, or that of a copy for an hour."""
    if not is_file_value(value):
        return value
    if not smythfs.is_address(value["url"]):
        return value["url"]
    storage = context.storage
    if "url" not in storage.capabilities:
        raise ComponentError(
            "a file cannot be given to Zapier: the storage of this agent makes no public links",
            hint="use a storage that does, such as s3, or give Zapier text",
        )
    file = await read_file(value, context)
    path = f"_temp/{secrets.token_hex(10)}-{safe_name(file.name, file.media_type)}"
    await storage.write(path, file.data, content_type=file.media_type)
    if "expire" in storage.capabilities:
        await storage.expire(path, _FILE_SECONDS)
    return await storage.url(path, _FILE_SECONDS)
