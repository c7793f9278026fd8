"""A problem says in one line where it is, what it is, whose it is and what to do."""

from sre_core.workflows.problem import Place, Problem


def test_a_place_leads_through_objects_and_lists():
    place = Place("components[3]", "A", "Sleep").at("inputs", 0, "type")
    assert str(place.error("is wrong", hint="mend it")) == (
        "components[3].inputs[0].type: is wrong (in 'Sleep', A); mend it"
    )
    assert Place().at("variables", "x").path == "variables.x"


def test_what_is_not_known_is_left_out():
    assert str(Problem(severity="warning", message="is odd")) == "is odd"
    assert str(Place("a", "B").warning("is odd")) == "a: is odd (in B)"
    assert str(Place("a", "", "T").warning("is odd")) == "a: is odd (in 'T')"


def test_a_problem_lies_within_a_place_by_whole_keys():
    problem = Place("components[1].data.prompt").error("is odd")
    assert all(problem.is_within({path}) for path in ("components[1].data.prompt", "components[1].data", "components"))
    assert not any(
        problem.is_within({path}) for path in ("", "components[1].dat", "comp", "components[1].data.prompts")
    )
