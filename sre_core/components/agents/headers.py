"""Headers that an author sets for every request of a node."""

from collections.abc import Mapping
from typing import Any

from sre_core.components.context import ComponentContext
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import Node
from sre_core.components.template import as_text, expand
from sre_core.errors import ComponentError

__all__ = ["read_headers"]


async def read_headers(
    setting: str | Mapping[str, Any], values: Mapping[str, Any], context: ComponentContext, node: Node
) -> dict[str, str]:
    """The headers in a setting, a JSON object whose texts are templates, `{"Authorization": "Bearer {{KEY(x)}}"}`.

    Raises ComponentError for what is no such object, and for a placeholder that nothing fills.
    """
    if isinstance(setting, str):
        try:
            setting = parse_loose_json(setting or "{}", repair=False)
        except ComponentError as error:
            raise ComponentError(f"the headers of {node} are no JSON", hint=error.hint) from error
    if not isinstance(setting, Mapping):
        raise ComponentError(f"the headers of {node} are no JSON object", hint='such as {"X-Team": "blue"}')
    headers = {}
    for name, template in setting.items():
        text = await expand(as_text(template), values, context, node=node, missing="empty")
        if not text and template:
            raise ComponentError(f"nothing fills the placeholder in the header {name!r} of {node}")
        headers[str(name)] = text
    return headers
