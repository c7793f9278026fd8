"""What has arrived where: the state of one part of a run, the whole of it or one round of a loop."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sre_core.components.loop import Fork
from sre_core.components.size import MAX_SIZE, size_of
from sre_core.workflows.plan import Station

if TYPE_CHECKING:
    from sre_core.workflows.outcome import Failure

__all__ = ["Scope", "TooLarge"]

_NOTHING: Mapping[str, Any] = {}


class TooLarge(str):
    """Stands at an input for values that are too large together. Their node cannot run with it."""

    __slots__ = ()


_TOO_LARGE = TooLarge(f"more than {MAX_SIZE:,} values")


class Scope:
    """Inputs that wait for their node, the nodes that may run, and what ended without a follower.

    A round of a loop sees the inputs that its parent holds for the loop's body, and leaves them there for the next
    round; what arrives in the round itself stands in their place. `key` begins the keys of all steps in here; `jobs`
    are the forks whose job this is part of; `region`, where it is given, holds the nodes that run in here, and what
    arrives at others is only kept.
    """

    __slots__ = (
        "counts",
        "failures",
        "inputs",
        "jobs",
        "key",
        "leaves",
        "parent",
        "ready",
        "region",
        "requirements",
        "rounds",
        "sizes",
    )

    def __init__(
        self,
        key: str = "",
        *,
        parent: "Scope | None" = None,
        requirements: Mapping[Station, frozenset[str]] | None = None,
        jobs: frozenset[Station] = frozenset(),
        region: frozenset[Station] | None = None,
    ) -> None:
        """`requirements` are the inputs without which a node of this part cannot run, where they are not its own."""
        self.key = key
        self.parent = parent
        if requirements is None:
            requirements = {} if parent is None else parent.requirements
        self.requirements: Mapping[Station, frozenset[str]] = requirements
        self.jobs = jobs
        self.region = region
        self.inputs: dict[Station, dict[str, Any]] = {}
        self.ready: set[Station] = set()
        self.counts: dict[Station, int] = {}
        self.leaves: list[tuple[Station, Mapping[str, Any]]] = []
        self.failures: list[Failure] = []
        self.rounds: dict[Station, list[Scope]] = {}
        """Of each loop that has ended here, the rounds that left something behind."""
        self.sizes: dict[Station, dict[str, int]] = {}
        """How large what came together at an input is."""

    def deliver(self, station: Station, name: str, value: Any) -> None:
        """Put a value at an input. Where one is already, both become a list; a list takes the new value in.

        Where they are larger together than MAX_SIZE, TooLarge takes their place.
        """
        held = self.inputs.setdefault(station, {})
        if name in held:
            held[name] = self._together(station, name, held[name], value)
        else:
            held[name] = value

    def enter(self, station: Station, values: Mapping[str, Any]) -> None:
        """Put values at a node that needs no others, an endpoint, and let it run."""
        self.inputs.setdefault(station, {}).update(values)
        self.ready.add(station)

    def wake(self, station: Station) -> None:
        """Let a node run if all that it must have is here."""
        if not self.missing(station):
            self.ready.add(station)

    def missing(self, station: Station) -> frozenset[str]:
        """The inputs that a node still waits for."""
        required = self.requirements.get(station, station.required)
        lacking = required.difference(self.inputs.get(station, _NOTHING))
        return lacking.difference(self._outer(station)) if lacking and self.parent is not None else lacking

    def may_run(self, station: Station) -> bool:
        """Whether a node belongs here: what follows a fork runs in its job alone. Other forks may begin anywhere."""
        if self.region is not None and station not in self.region:
            return False
        return station.jobs <= self.jobs or isinstance(station.component, Fork)

    def take(self, station: Station) -> dict[str, Any]:
        """The inputs of a node that runs now. Its own are gone with that, those of the parent stay."""
        self.ready.discard(station)
        if self.sizes:
            self.sizes.pop(station, None)
        own = self.inputs.pop(station, {})
        outer = self._outer(station)
        return {**outer, **own} if outer else own

    def count(self, station: Station) -> int:
        """How often a node ran in here before; counts this time."""
        number = self.counts.get(station, 0)
        self.counts[station] = number + 1
        return number

    def inner_region(self, stations: frozenset[Station]) -> frozenset[Station]:
        """Those of `stations` that may run inside a part of this one: else parts would nest in a circle of links."""
        return stations if self.region is None else stations & self.region

    def copy_for(self, stations: frozenset[Station]) -> "Scope":
        """What these nodes see from here, as it is now: the parent of a job, which must not see later changes."""
        twin = Scope(self.key, region=self.inner_region(stations))
        for station in stations:
            values = {**self._outer(station), **self.inputs.get(station, _NOTHING)}
            if values:
                twin.inputs[station] = values
        return twin

    def _together(self, station: Station, name: str, old: Any, value: Any) -> Any:
        if TooLarge in (type(old), type(value)):
            return _TOO_LARGE
        sizes = self.sizes.setdefault(station, {})
        sizes[name] = (sizes[name] if name in sizes else size_of(old)) + size_of(value)
        if sizes[name] > MAX_SIZE:
            return _TOO_LARGE
        return [*old, value] if isinstance(old, list) else [old, value]

    def _outer(self, station: Station) -> Mapping[str, Any]:
        parent = self.parent
        if parent is None:
            return _NOTHING
        values = parent.inputs.get(station, _NOTHING)
        if parent.parent is None:
            return values
        outer = parent._outer(station)  # noqa: SLF001 -- another one of this class
        return {**outer, **values} if outer else values
