"""Ends for tests: built-in connectors, started, as a copy sees them."""

from typing import Any

from sre_core.connectors import Connector
from sre_core.connectors.slot import Slot
from sre_core.migration import End, Listener, Outcome

__all__ = ["Diary", "end_of", "running"]


def end_of(connector: Connector, id_: str = "default") -> End:
    """An end around a connector, which it starts with the first call; under the id that resources are named by."""

    async def make() -> Connector:
        return connector

    return End(Slot(type(connector), make, id=id_))


def running(connector: Connector) -> End:
    """An end around a connector that was started, and must not be again."""
    return End(Slot.of(connector))


class Diary(Listener):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Outcome]] = []
        self.size = 0

    def moved(self, size: int) -> None:
        self.size += size

    def done(self, name: str, outcome: Outcome) -> None:
        self.lines.append((name, outcome))

    def of(self, outcome: Outcome) -> list[Any]:
        return sorted(name for name, what in self.lines if what is outcome)
