"""Plans: what the engine knows of a workflow before it runs."""

import re
from dataclasses import replace
from typing import Any

import pytest

from sre_core.components.node import OutputPort
from sre_core.components.path import MISSING
from sre_core.workflows.plan import Plan, Station
from tests.unit.sre_core.workflows.graphs import find, keep, node, workflow


def plan(links: str, **nodes: Any) -> Plan:
    named = {id_: keep() for id_ in sorted(set(re.findall(r"\b[A-Z]\b", links)))}
    return Plan(workflow(links, **(named | nodes)), find)


def ids(stations: frozenset[Station]) -> str:
    return "".join(sorted(station.id for station in stations))


def test_required_are_linked_inputs_that_are_not_optional() -> None:
    assert plan("A > B.p, A > B.q?").stations["B"].required == {"p"}


def test_the_body_of_a_loop_is_what_follows_its_items() -> None:
    made = plan("E > L.Input, L.Loop > A.x, A > B.x, L.Result > C.x", L=node("ForEach"))

    assert ids(made.stations["L"].body) == "AB"


def test_a_body_that_leads_back_to_its_loop_ends_there() -> None:
    made = plan("E > L.Input, L.Loop > A.x, A > L.Input, L.Result > C.x, C > E.x", L=node("ForEach"))

    assert ids(made.stations["L"].body) == "A"


def test_the_body_of_a_loop_within_is_a_part_of_that_of_the_loop_around_it() -> None:
    made = plan("L.Loop > M.Input, M.Loop > A.x, M.Result > B.x", L=node("ForEach"), M=node("ForEach"))

    assert ids(made.stations["L"].body) == "ABM"
    assert ids(made.stations["M"].body) == "A"


def test_a_loop_without_item_links_has_no_body() -> None:
    station = plan("E > L.Input, L.Result > A.x", L=node("ForEach")).stations["L"]

    assert (station.body, station.feeders) == (frozenset(), frozenset())


def test_a_loop_waits_for_all_that_leads_into_its_body_from_elsewhere_and_for_the_body_itself() -> None:
    made = plan("E > L.Input, E > A.x, A > B.x, L.Loop > C.x, B > C.y, L.Result > D.x, D > C.z", L=node("ForEach"))

    assert ids(made.stations["L"].feeders) == "ABCDE"


def test_what_follows_the_outputs_of_a_fork_belongs_to_its_job_and_what_follows_the_id_does_not() -> None:
    made = plan("E > F.x, F.x > A.x, A > B.x, F.JobID > C.x", F=node("Async"))

    assert ids(made.stations["F"].body) == "AB"
    assert {id_: ids(station.jobs) for id_, station in made.stations.items()} == {
        "E": "",
        "F": "",
        "A": "F",
        "B": "F",
        "C": "",
    }


def test_a_node_of_a_job_needs_only_what_the_job_can_bring() -> None:
    made = plan("E > F.x, F.x > A.x, E > A.y, E > B.x, A > B.x", F=node("Async"))
    station = made.stations["F"]

    assert station.body_required == {made.stations["A"]: {"x"}, made.stations["B"]: {"x"}}


@pytest.mark.parametrize(
    ("port", "outputs", "value"),
    [
        (OutputPort(name="Output", default=True), {"Output": None}, None),
        (OutputPort(name="Output", default=True), {}, MISSING),
        (OutputPort(name="a"), {"Output": {"a": 1}, "a": 2}, 1),
        (OutputPort(name="a"), {"Output": {}, "a": 2}, 2),
        (OutputPort(name="a"), {"Output": {"a": None}}, None),
        (OutputPort(name="a"), {"Output": "text"}, MISSING),
        (OutputPort(name="n", expression="Output.list[1].a"), {"Output": {"list": [0, {"a": 1}]}}, 1),
        (OutputPort(name="n", expression="Output.list[2].a"), {"Output": {"list": [0, {"a": 1}]}}, MISSING),
        (OutputPort(name="Output.a.b"), {"Output": {"a": {"b": False}}}, False),
        (OutputPort(name="_error"), {"Output": 1, "_error": "no"}, "no"),
    ],
)
def test_a_link_carries_what_its_port_means(port: OutputPort, outputs: Any, value: Any) -> None:
    flow = workflow("A > B.x", A=keep(), B=keep())
    first = flow.nodes["A"]
    ports = (port,) if port.default else (*first.outputs, port)
    nodes = {**flow.nodes, "A": replace(first, outputs=ports)}
    made = Plan(replace(flow, nodes=nodes, links=(replace(flow.links[0], output=len(ports) - 1),)), find)

    assert repr(made.stations["A"].wires[0].value(outputs)) == repr(value)


def test_a_plan_never_fails_for_a_node() -> None:
    made = plan("A > B.x", A=node("Unheard"), B=node("Await", max_time="soon"))

    assert made.stations["A"].problem == "component 'Unheard' is not known; install the plugin that has it"
    assert "max_time" in (made.stations["B"].problem or "")


def test_the_text_of_a_station_is_short_however_many_ways_lead_on() -> None:
    steps = [f"N{i} > N{i + 1}.x, N{i} > N{i + 1}.y" for i in range(100)]
    made = Plan(workflow(",".join(steps), **{f"N{i}": keep() for i in range(101)}), find)

    assert repr(made.stations["N0"]) == "<Station N0>"
    assert len(repr(made.stations["N0"].wires)) < 1000
