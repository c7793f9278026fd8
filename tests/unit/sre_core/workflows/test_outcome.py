"""Outcomes: which outputs are results, and how failures and waiting nodes read."""

from typing import Any

import pytest

from sre_core.components.compat import Compat
from sre_core.workflows.outcome import Failure, Waiting, envelope, is_result, results_of, still_waiting
from sre_core.workflows.plan import Plan, Station
from sre_core.workflows.scope import Scope
from tests.unit.sre_core.workflows.graphs import find, keep, node, workflow


@pytest.fixture
def stations() -> dict[str, Station]:
    links = "E > A.x, A > B.x, A > B.y, F.x > C.x, F.JobID > D.x, L.Loop > G.x"
    nodes = {id_: keep() for id_ in "ABCDGZ"}
    endpoint = node("APIEndpoint", endpoint="ask")
    flow = workflow(links, E=endpoint, F=node("Async"), L=node("ForEach"), N=node("Unheard"), **nodes)
    return Plan(flow, find).stations


def test_a_failure_names_its_node_and_what_it_says() -> None:
    assert str(Failure(node_id="A", title="Ask", message="no answer", step="A#0")) == "Ask (A): no answer"


def test_a_waiting_node_names_each_input_that_it_lacks_and_where_it_could_come_from() -> None:
    waiting = Waiting(node_id="A", title="Ask", missing={"x": ("B", "C"), "y": ("D",)})

    assert str(waiting) == "Ask (A) waits for 'x' from B or C; 'y' from D"


def test_a_result_has_an_envelope_and_nothing_in_it_that_is_for_others(stations: dict[str, Station]) -> None:
    outputs = {"Output": {1: (2, 3)}, "_debug": "d", "_debug_time": 1, "_hint": "h", "_error": None, "_more": 4}

    assert envelope(stations["A"], outputs) == {
        "id": "A",
        "name": "Call",
        "result": {"Output": {"1": [2, 3]}, "_more": 4},
    }
    assert envelope(stations["N"], {"_error": "e"}) == {"id": "N", "name": "Unheard", "result": {"_error": "e"}}


def test_one_result_stands_alone_and_several_in_a_list(stations: dict[str, Station]) -> None:
    a, b = (stations["A"], {"Output": 1}), (stations["B"], {"Output": 2})

    assert results_of([], []) == []
    assert results_of([a], [])["id"] == "A"
    assert [found["id"] for found in results_of([b, a], [])] == ["B", "A"]


def test_of_each_node_the_first_result_counts_and_errors_come_last(stations: dict[str, Station]) -> None:
    first, second = (stations["A"], {"Output": 1}), (stations["A"], {"Output": 2})
    failed = (stations["B"], {"_error": "no"})

    assert results_of([first, second], [])["result"] == {"Output": 1}
    assert [found["id"] for found in results_of([first], [failed, second])] == ["A", "B"]
    assert results_of([failed], [failed])["id"] == "B"


@pytest.mark.parametrize(
    ("id_", "fired", "dynamic", "static"),
    [
        ("Z", False, True, True),
        ("B", False, True, True),
        ("A", False, True, False),
        ("A", True, False, False),
        ("E", False, False, False),
        ("F", False, False, False),
        ("L", False, True, False),
    ],
)
def test_outputs_that_lead_nowhere_are_a_result(
    stations: dict[str, Station], id_: str, fired: bool, dynamic: bool, static: bool
) -> None:
    assert is_result(stations[id_], fired=fired, compat=Compat()) is dynamic
    assert is_result(stations[id_], fired=fired, compat=Compat(static_leaves=True)) is static
    # An error of one with links is told behind the results, and is none.
    assert is_result(stations[id_], fired=fired, compat=Compat(), failed=True) is static


def test_waiting_are_nodes_that_hold_something_and_lack_something(stations: dict[str, Station]) -> None:
    scope = Scope()
    scope.deliver(stations["B"], "x", 1)
    scope.deliver(stations["A"], "x", 1)
    (waiting,) = still_waiting(scope, set())

    assert (waiting.node_id, waiting.title) == ("B", "The B")
    assert waiting.missing == {"y": ("The A (Call A)",)}


def test_nodes_of_loops_that_ran_and_of_jobs_do_not_wait(stations: dict[str, Station]) -> None:
    scope = Scope()
    for id_ in "BC":
        scope.deliver(stations[id_], "z", 1)
    found: Any = still_waiting(scope, {stations["B"]})

    assert found == ()
