"""What a run of a workflow leaves: results in the shape that SmythOS gives them, failures, and what waits in vain."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from sre_core.components.compat import Compat
from sre_core.components.loop import Fork
from sre_core.components.size import MAX_SIZE, outputs_size
from sre_core.workflows.graph import ENDPOINT
from sre_core.workflows.plan import Station
from sre_core.workflows.scope import Scope

__all__ = ["Failure", "Outcome", "Waiting", "envelope", "is_result", "results_of", "still_waiting"]

_UNSEEN = ("_debug", "_debug_time", "_hint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A node failed, and no link took its error anywhere. `step` is the key of the step, `hint` what to do about it."""

    node_id: str
    title: str
    message: str
    step: str
    hint: str = ""

    def __str__(self) -> str:
        """The node and what it says."""
        return f"{self.title} ({self.node_id}): {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A node got some of its inputs and never ran. `missing` says which it still needs, and from which nodes."""

    node_id: str
    title: str
    missing: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        """The node and what it waits for."""
        wants = "; ".join(f"{name!r} from {' or '.join(sources)}" for name, sources in self.missing.items())
        return f"{self.title} ({self.node_id}) waits for {wants}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`data` is what SmythOS returns: one result, a list of several, or an empty list.

    A result is `{"id", "name", "result"}`, or what its component makes of that. Errors that no link took are among
    them, as `{"_error": …}` under `result`; `has_result` says whether anything else is. `steps` counts the nodes that
    ran, those of its jobs aside.
    """

    data: Any
    has_result: bool
    steps: int = 0
    failures: tuple[Failure, ...] = ()
    waiting: tuple[Waiting, ...] = ()


def envelope(station: Station, outputs: Mapping[str, Any]) -> Any:
    """One result, as its component presents it, ready for JSON."""
    shown = {key: value for key, value in outputs.items() if key not in _UNSEEN and (key != "_error" or value)}
    full = {"id": station.id, "name": station.node.type, "result": shown}
    try:
        presented = full if station.component is None else station.component.present(shown, full)
        return to_jsonable_python(presented, fallback=str, inf_nan_mode="constants")
    except Exception as error:  # noqa: BLE001 -- the boundary to a component's own code and values
        return {**full, "result": {"_error": f"{station.node} gave what is no JSON: {type(error).__name__}: {error}"}}


def results_of(
    leaves: Iterable[tuple[Station, Mapping[str, Any]]], failed: Iterable[tuple[Station, Mapping[str, Any]]]
) -> Any:
    """The results of a run: those of its leaves, then the errors; of each node the first counts.

    Together they are no larger than MAX_SIZE: an error stands in the place of those that would be too much.
    """
    seen: set[Station] = set()
    found: list[Any] = []
    size = 0
    for station, outputs in (*leaves, *failed):
        if station not in seen:
            seen.add(station)
            size += outputs_size(outputs)
            fits = size <= MAX_SIZE
            found.append(envelope(station, outputs if fits else {"_error": _too_large(station)}))
    return found[0] if len(found) == 1 else found


def _too_large(station: Station) -> str:
    return f"the results up to that of {station.node} are too large together: more than {MAX_SIZE:,} values"


def is_result(station: Station, *, fired: bool, compat: Compat, failed: bool = False) -> bool:
    """Whether outputs that led nowhere are a result of the run; an error that could go on stands behind the results."""
    if not station.wires:
        return True
    if fired or failed or compat.static_leaves or station.node.type == ENDPOINT:
        return False
    return not (isinstance(station.component, Fork) and station.body)


def still_waiting(scope: Scope, ran: Sequence[Station] | set[Station]) -> tuple[Waiting, ...]:
    """The nodes that hold inputs and lack others. Those that ran in a loop or belong to a job hold them for that."""
    found: list[Waiting] = []
    for station in sorted(scope.inputs, key=lambda station: station.index):
        missing = scope.missing(station)
        if missing and station not in ran and not station.jobs - scope.jobs:
            sources = {
                name: tuple(str(source.node) for source in station.feeds.get(name, ())) for name in sorted(missing)
            }
            found.append(Waiting(node_id=station.id, title=station.node.title or station.node.type, missing=sources))
    return tuple(found)
