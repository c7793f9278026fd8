"""What workflows are made of."""

from sre_core.components.base import Component, ComponentContext

__all__ = ["Component", "ComponentContext"]
