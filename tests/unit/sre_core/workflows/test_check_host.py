"""What a ComponentHost is to run is looked at as if the node were of that type itself."""

import pytest

from sre_core.components.base import Component
from sre_core.errors import SREError
from sre_core.plugins import Plugins
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(find=None, **data):
    made = component("H", "ComponentHost", data=data)
    content = text(agent(endpoint(), made, links=[link("E", "H")]))
    return [f"{one.severity} {one}" for one in check_text(content, find or Plugins.load(only=[]).component)]


def test_a_component_that_there_is_with_its_settings_is_no_problem():
    assert said(_component="FSleep", delay=1) == []


def test_a_host_of_nothing_is_one_error():
    assert len(said()) == 1


def test_an_unknown_component_is_an_error_at_the_setting():
    assert said(_component="FSlep") == [
        (
            "error components[1].data._component: no component 'FSlep' is installed (in 'The H', H);"
            " did you mean 'FSleep'?"
        )
    ]


def test_settings_that_the_hosted_component_does_not_take_are_found():
    assert [problem.split(": ")[0] for problem in said(_component="FSleep", delay="soon")] == [
        "error components[1].data.delay"
    ]
    (problem,) = said(_component="FSleep", dealy=1)
    assert problem.startswith("warning components[1].data.dealy: the type 'FSleep' has no setting 'dealy'")


def test_a_host_cannot_host_itself():
    assert said(_component="ComponentHost") == [
        (
            "error components[1].data._component: 'ComponentHost' cannot host itself (in 'The H', H);"
            " name another component"
        )
    ]


@pytest.mark.parametrize("error", [ImportError, SREError])
def test_a_hosted_component_that_cannot_be_found_does_not_end_the_check(error):
    plugins = Plugins.load(only=[])

    def find(name: str) -> type[Component]:
        if name == "Broken":
            raise error("no beans")
        return plugins.component(name)

    (problem,) = said(find, _component="Broken")
    assert problem.startswith("error components[1].data._component: ")
    assert "no beans" in problem
