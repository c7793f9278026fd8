"""Scopes: what has arrived where, in a run, in a round of a loop and in a job."""

from typing import Any

import pytest

from sre_core.components.size import MAX_SIZE
from sre_core.workflows.plan import Plan, Station
from sre_core.workflows.scope import Scope, TooLarge
from tests.unit.sre_core.workflows.graphs import find, keep, node, workflow


def stations(links: str = "A > B.x, A > B.y, A > B.z?, B > C.x", **more: Any) -> dict[str, Station]:
    return Plan(workflow(links, A=keep(), B=keep(), C=keep(), **more), find).stations


def round_of(outer: Scope, **more: Any) -> Scope:
    return Scope("L#0[0]/", parent=outer, **more)


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ([1], 1),
        ([1, 2], [1, 2]),
        ([[1], 2], [1, 2]),
        ([[1], [2]], [1, [2]]),
        ([1, [2]], [1, [2]]),
        ([None, None], [None, None]),
    ],
)
def test_several_values_become_a_list(values: list[Any], held: Any) -> None:
    target, scope = stations()["B"], Scope()
    for value in values:
        scope.deliver(target, "x", value)

    assert scope.take(target) == {"x": held}


def test_a_list_that_was_delivered_is_never_changed() -> None:
    target, scope, given = stations()["B"], Scope(), [1]
    scope.deliver(target, "x", given)
    scope.deliver(target, "x", 2)

    assert given == [1]


@pytest.mark.parametrize("values", [["x" * 2**25] * 10, [["x" * 2**25] * 5] * 2, [["x" * 2**25] * 10, 1, 2]])
def test_what_is_too_large_together_is_not_put_together(values: list[Any]) -> None:
    target, scope = stations()["B"], Scope()
    for value in values:
        scope.deliver(target, "x", value)

    (held,) = scope.take(target).values()
    assert isinstance(held, TooLarge)
    assert held == f"more than {MAX_SIZE:,} values"


def test_one_value_is_never_too_large() -> None:
    target, scope, value = stations()["B"], Scope(), ["x" * 2**25] * 10
    scope.deliver(target, "x", value)

    assert scope.take(target)["x"] is value


def test_what_was_taken_does_not_count_for_what_comes_next() -> None:
    target, scope, value = stations()["B"], Scope(), ["x" * 2**25] * 4
    for _ in range(10):
        scope.deliver(target, "x", value)
        scope.deliver(target, "x", 1)

        assert scope.take(target)["x"] == [*value, 1]


def test_a_node_wakes_when_all_that_it_must_have_is_here() -> None:
    target, scope = stations()["B"], Scope()
    scope.deliver(target, "x", 1)
    scope.wake(target)
    assert (scope.ready, scope.missing(target)) == (set(), frozenset("y"))

    scope.deliver(target, "y", None)
    scope.wake(target)
    assert (scope.ready, scope.missing(target)) == ({target}, frozenset())


def test_taking_inputs_leaves_nothing_for_the_next_time() -> None:
    target, scope = stations()["B"], Scope()
    scope.enter(target, {"x": 1})
    assert scope.ready == {target}

    assert scope.take(target) == {"x": 1}
    assert (scope.ready, scope.take(target)) == (set(), {})


def test_a_scope_counts_how_often_a_node_ran_in_it() -> None:
    found, scope = stations(), Scope()

    assert [scope.count(found["A"]), scope.count(found["A"]), scope.count(found["B"])] == [0, 1, 0]


def test_a_round_sees_what_its_surroundings_hold_and_leaves_it_there() -> None:
    target, outer = stations()["B"], Scope()
    outer.deliver(target, "x", "outside")
    for item in (1, 2):
        inner = round_of(outer)
        inner.deliver(target, "y", item)
        assert inner.missing(target) == frozenset()
        assert inner.take(target) == {"x": "outside", "y": item}

    assert outer.take(target) == {"x": "outside"}


def test_of_surroundings_within_each_other_the_nearest_counts_and_a_round_itself_most() -> None:
    target, outer = stations()["B"], Scope()
    middle = round_of(outer)
    inner = round_of(middle)
    for scope, values in ((outer, {"x": 1, "y": 1, "z": 1}), (middle, {"y": 2, "z": 2}), (inner, {"z": 3})):
        for name, value in values.items():
            scope.deliver(target, name, value)

    assert inner.take(target) == {"x": 1, "y": 2, "z": 3}


def test_a_node_runs_only_in_the_region_of_its_part() -> None:
    found = stations()
    scope = Scope(region=frozenset({found["B"]}))

    assert scope.may_run(found["B"])
    assert not scope.may_run(found["C"])


def test_a_part_inside_a_part_has_no_larger_region() -> None:
    found = stations()
    wide, narrow = frozenset({found["A"], found["B"]}), frozenset({found["B"], found["C"]})

    assert Scope().inner_region(narrow) == narrow
    assert Scope(region=wide).inner_region(narrow) == {found["B"]}


def test_what_follows_a_fork_runs_in_its_job_alone_but_a_fork_begins_anywhere() -> None:
    found = stations("F.x > B.x, B > G.x, G.y > C.x", F=node("Async"), G=node("Async"))
    run, job = Scope(), Scope(jobs=frozenset({found["F"]}))
    job_in_job = Scope(jobs=frozenset({found["F"], found["G"]}))

    assert [run.may_run(found[id_]) for id_ in "BCG"] == [False, False, True]
    assert [job.may_run(found[id_]) for id_ in "BCG"] == [True, False, True]
    assert [job_in_job.may_run(found[id_]) for id_ in "BCG"] == [True, True, True]


def test_a_copy_for_a_job_sees_no_later_changes() -> None:
    found, outer = stations(), Scope()
    outer.deliver(found["B"], "x", 1)
    inner = round_of(outer)
    inner.deliver(found["B"], "y", 2)
    inner.deliver(found["A"], "q", 3)
    copy = inner.copy_for(frozenset({found["B"], found["C"]}))
    inner.deliver(found["B"], "y", 4)

    assert copy.inputs == {found["B"]: {"x": 1, "y": 2}}


def test_a_part_may_require_less_than_the_nodes_do_and_so_its_rounds() -> None:
    target = stations()["B"]
    job = Scope(requirements={target: frozenset({"x"})})

    assert job.missing(target) == {"x"}
    assert round_of(job).missing(target) == {"x"}
