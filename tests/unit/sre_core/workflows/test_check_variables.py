"""Variables that contain themselves, or whose placeholders name nothing."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_core.components.template import expand
from sre_core.errors import ComponentError
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(wrap=lambda file: file, **variables):
    file = agent(endpoint(), component("S"), links=[link("E", "S")], variables=variables)
    return [f"{one.severity} {one}" for one in check_text(text(wrap(file)), Plugins.load(only=[]).component)]


def test_variables_that_hold_others_are_no_problem():
    assert said(a="{{b}} and {{b}}", b="{{c.x}} {{KEY(secret)}}", c={"x": "1"}) == []


def test_variables_that_contain_each_other_are_one_error_at_the_first():
    assert said(c="{{a}}", a="{{b}}", b="{{a}}") == ["error variables.a: the variables 'a', 'b' contain each other"]


def test_each_circle_of_variables_is_an_error():
    assert said(a="{{a}}", b="x {{c}}", c="{{b}}") == [
        "error variables.a: the variable 'a' contains itself",
        "error variables.b: the variables 'b', 'c' contain each other",
    ]


def test_a_circle_that_leads_into_an_object_is_found_there():
    assert said(a={"x": "{{b}}", "y": "1"}, b="{{a.x}} {{a.y}}") == [
        "error variables.a.x: the variables 'a.x', 'b' contain each other"
    ]
    assert said(a={"x": "{{a.y}}", "y": "1"}) == []


def test_a_circle_that_an_input_may_end_is_a_warning():
    assert said(Input="{{Input}}") == ["warning variables.Input: the variable 'Input' contains itself"]


def test_the_variables_of_a_wrapped_agent_are_found_where_they_are():
    assert said(lambda file: {"data": file}, a="{{a}}") == ["error data.variables.a: the variable 'a' contains itself"]


@pytest.mark.parametrize("count", [1, 4, 5, 6, 7, 40])
async def test_as_many_variables_in_each_other_are_an_error_as_a_run_does_not_fill(count):
    variables = {f"v{n}": f"{{{{v{n + 1}}}}}" for n in range(count)} | {f"v{count}": "end"}
    found = said(**variables)
    async with bench(variables=variables) as b:
        try:
            await expand("{{v0}}", {}, b.context)
        except ComponentError:
            assert found[:1] == [
                "error variables.v0: the variable 'v0' holds 5 others in each other; write out what one of them means"
            ]
        else:
            assert found == []


def test_a_placeholder_in_a_variable_that_names_nothing_is_a_warning_at_the_variable():
    assert said(city="{{twon}}", town="Bonn") == [
        (
            "warning variables.city: {{twon}} names no variable of the agent and no input of a component;"
            " did you mean 'town'?"
        )
    ]
    assert said(city="{{Input}} {{text}}") == []


def test_a_chain_and_a_circle_of_ten_thousand_variables_are_no_trouble():
    chain = {f"v{n}": f"{{{{v{n + 1}}}}}" for n in range(10_000)}
    assert len(said(**chain, v10000="end")) == 1
    assert len(said(**chain, v10000="{{v0}}")) == 1


NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"]
TEXT = st.lists(st.sampled_from([*(f"{{{{{name}}}}}" for name in NAMES), "end", "{{"]), max_size=2).map(" ".join)


@given(st.dictionaries(st.sampled_from(NAMES), TEXT, min_size=4))
@settings(max_examples=100, deadline=None)
def test_there_is_an_error_exactly_where_a_variable_cannot_be_filled(variables):
    async def fails(name: str) -> bool:
        async with bench(variables=variables) as b:
            try:
                await expand(f"{{{{{name}}}}}", {}, b.context)
            except ComponentError:
                return True
            return False

    has_error = any(problem.startswith("error") for problem in said(**variables))
    assert has_error == any(anyio.run(fails, name) for name in variables)
