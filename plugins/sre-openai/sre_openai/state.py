"""What is kept with a message for the server that wrote it, as JSON that says which server that was."""

import json
from typing import Any

from sre_core.messages import Message, ProviderState

__all__ = ["CONNECTOR", "kept", "read"]

CONNECTOR = "openai"


def kept(origin: str, value: Any) -> ProviderState:
    """`value` for later requests to the same `origin`."""
    return ProviderState(connector=CONNECTOR, data=json.dumps({"origin": origin, "value": value}))


def read(message: Message, origin: str) -> Any:
    """What `kept` was given; None if it came from another server, which this one would not understand."""
    state = message.state
    if state is None or state.connector != CONNECTOR:
        return None
    try:
        data = json.loads(state.data)
    except ValueError:
        return None
    return data.get("value") if isinstance(data, dict) and data.get("origin") == origin else None
