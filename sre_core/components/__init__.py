"""What workflows are made of."""

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.compat import Compat
from sre_core.components.context import AgentInfo, ComponentContext, Host, ModelUse, Request, SubAgent
from sre_core.components.node import InputPort, Node, OutputPort

__all__ = [
    "AgentInfo",
    "Compat",
    "Component",
    "ComponentContext",
    "ComponentSettings",
    "Flaw",
    "Host",
    "InputPort",
    "ModelUse",
    "Node",
    "OutputPort",
    "Request",
    "SubAgent",
]
