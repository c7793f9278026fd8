"""Workflows for the tests: a component that shows what it sees, and agents in Python and as files."""

from collections.abc import Mapping
from typing import Any

from sre_core.components.base import Component as BaseComponent
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_sdk import Agent, Component
from sre_sdk.building import Part


class Look(BaseComponent):
    """Gives what it got, and what it sees of the request and of the agent."""

    name = "Look"
    outputs = (OutputPort(name="Seen", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """All of it under one name."""
        request = context.request
        return {
            "Seen": {
                "inputs": dict(inputs),
                "method": request.method,
                "headers": dict(request.headers),
                "session": request.session_id,
                "said": [message.text for message in request.conversation],
                "caller": str(context.caller),
                "behavior": context.agent.behavior,
                "model": context.host.model(None).request.model,
            }
        }


class Break(BaseComponent):
    """Raises."""

    name = "Break"
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Raise, always."""
        raise ValueError("broken on purpose")


def asking(kind: str | type[BaseComponent] = Look, *, port: Any = str, **options: Any) -> tuple[Agent, Part, Part]:
    """An agent with one skill, `ask(q)`, which leads to one component; that, and the two parts."""
    agent = Agent("Bob", **options)
    entry = agent.endpoint("ask", inputs={"q": port})
    part = Component.of(kind).connect(q=entry.out.body.q)
    return agent, entry, part


def seen(result: Any) -> Mapping[str, Any]:
    """What a Look saw."""
    found: Mapping[str, Any] = result["result"]["Seen"]
    return found


def document(**fields: Any) -> dict[str, Any]:
    """What a `.smyth` file holds: an agent "greeter" whose skill `greet` answers with the hash of `who`."""
    entry = {
        "id": "IN",
        "name": "APIEndpoint",
        "title": "Greet",
        "data": {"endpoint": "greet", "method": "POST", "description": "Greets somebody."},
        "inputs": [{"name": "who", "type": "String"}],
        "outputs": [{"name": "headers", "default": True}, {"name": "body", "default": True}, {"name": "body.who"}],
    }
    digest = {
        "id": "HASH",
        "name": "FHash",
        "title": "Hash",
        "data": {"algorithm": "md5", "encoding": "hex"},
        "inputs": [{"name": "Data", "type": "Any"}],
        "outputs": [{"name": "Hash", "default": True}],
    }
    link = {"sourceId": "IN", "sourceIndex": 2, "targetId": "HASH", "targetIndex": 0}
    whole = {"id": "greeter", "name": "Greeter", "components": [entry, digest], "connections": [link]}
    return {**whole, **fields}
