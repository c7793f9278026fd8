"""Types of ports: what a value becomes at an input of type Number, Date or Binary."""

from typing import Any

from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort

__all__ = ["coerce", "needs_coercion"]


def needs_coercion(port: InputPort) -> bool:
    """Whether values change at this port at all; most are of type Any."""
    raise NotImplementedError


async def coerce(value: Any, port: InputPort, context: ComponentContext) -> Any:
    """`value` as the port's type has it; an unknown type changes nothing. Raises ComponentError that names the port."""
    raise NotImplementedError
