"""A check finds everything that is wrong with a workflow, and raises for nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, model_validator

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, Node
from sre_core.errors import ComponentError
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_core.workflows import smyth
from sre_core.workflows.check import check, check_text
from sre_core.workflows.graph import Workflow
from tests.unit.sre_core.workflows.smyth_files import REAL, agent, component, endpoint, link, text

Find = Callable[[str], type[Component]]


class MillSettings(ComponentSettings):
    grind_size: int = Field(default=1, ge=1, le=9)
    mode: Literal["fine", "coarse"] = "fine"
    parts: tuple[int, ...] = ()
    mix: int | list[int] = 0
    name: str = Field(default="", alias="mill_name", max_length=5)

    @model_validator(mode="after")
    def _fits(self) -> "MillSettings":
        if self.mode == "coarse" and self.name == "tiny":
            raise ValueError("a tiny mill grinds nothing coarse")
        return self


class Mill(Component):
    name = "Mill"
    settings_type = MillSettings
    settings: MillSettings
    inputs = (InputPort(name="Beans"), InputPort(name="Water", optional=True))

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        return {}

    def check(self) -> Iterable[str | Flaw]:
        if self.settings.name == "quern":
            yield Flaw("a quern is no mill", "mill_name")
        if self.settings.grind_size == 9:
            yield "nine is too coarse for this mill"
        if self.settings.grind_size == 8:
            raise RuntimeError("eight breaks the check itself")
        if self.settings.grind_size == 7:
            raise ComponentError("seven is refused", hint="take six")


class Acme:
    @hookimpl
    def register_components(self) -> Iterable[type[Component]]:
        return [Mill]


@pytest.fixture(scope="module")
def find() -> Find:
    return Plugins.load(only=[], extra={"acme": Acme()}).component


def mill(**data: Any) -> str:
    """A file in which an endpoint leads to a mill."""
    made = component("M", "Mill", title="Mill 1", inputs=[{"name": "Beans"}], data=data)
    return text(agent(endpoint(), made, links=[link("E", "M", 1)]))


def said(content: str | bytes, find: Find) -> list[str]:
    return [f"{problem.severity} {problem}" for problem in check_text(content, find)]


def test_a_sound_workflow_has_no_problems(find):
    assert said(mill(grindSize="3", mode="coarse"), find) == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_files_have_no_errors(path, find):
    assert [str(problem) for problem in check(smyth.read_file(path), find) if problem.severity == "error"] == []


def test_what_is_odd_in_real_files_is_found(find):
    odd = {path.stem: [str(problem) for problem in check(smyth.read_file(path), find)] for path in REAL}
    assert {stem: problems for stem, problems in odd.items() if problems} == {
        "functions-components": [
            "components[3].inputs[0]: nothing is linked to the input 'Data' (in 'HMAC-MD5 :: hex', CLYQPR6ESZF)"
        ],
        "parent-agent": [
            "components[1]: no endpoint or trigger leads here, so it never runs (in 'SubAgent', CLPZSRO6AAXM)",
            (
                "components[3]: no endpoint or trigger leads here, so it never runs"
                " (in 'Data Parsing Operation', CLXN3BUYB8K)"
            ),
        ],
        "subagent": [
            "components[2]: no endpoint or trigger leads here, so it never runs (in 'LLM Prompt', CLP1VDH8KWWB)",
            "components[3]: no endpoint or trigger leads here, so it never runs (in 'APIOutput', CLP1VDRVQVQ8)",
        ],
    }


def test_an_unknown_component_is_named_with_the_near_one(find):
    made = agent(endpoint(), component("S", "Mil"), component("T", "FSlep"), links=[link("E", "S"), link("S", "T")])
    assert said(text(made), find) == [
        "error components[1].name: no component 'Mil' is installed (in 'The S', S); did you mean 'Mill'?",
        "error components[2].name: no component 'FSlep' is installed (in 'The T', T); did you mean 'FSleep'?",
    ]


def test_a_component_that_a_package_would_bring_is_named_with_the_package(find):
    made = agent(endpoint(), component("S", "ECMASandbox"), links=[link("E", "S")])
    (problem,) = check_text(text(made), find)
    assert problem.message == "no component 'ECMASandbox' is installed"
    assert problem.hint.startswith("pip install ")


def test_a_component_that_cannot_be_imported_is_an_error_of_its_nodes():
    def broken(name: str) -> type[Component]:
        raise ModuleNotFoundError("No module named 'beans'")

    (problem,) = check(Workflow(id="a", nodes={"S": Node(id="S", type="Note")}), broken)
    assert (problem.severity, problem.node_id) == ("error", "S")
    assert problem.message == "the component 'Note' cannot be imported: No module named 'beans'"


def test_settings_that_cannot_be_are_found_under_their_keys(find):
    assert said(mill(grindSize=12, mode="rough", parts=[1, "x"], mill_name="Goliath"), find) == [
        "error components[1].data.grindSize: must be 9 or less (in 'Mill 1', M)",
        "error components[1].data.mode: must be 'fine' or 'coarse' (in 'Mill 1', M)",
        "error components[1].data.parts[1]: must be a whole number (in 'Mill 1', M)",
        "error components[1].data.mill_name: must have 5 characters at most (in 'Mill 1', M)",
    ]


def test_a_setting_that_has_its_other_name_is_found_under_that(find):
    assert said(mill(grind_size=12), find) == [
        "error components[1].data.grind_size: must be 9 or less (in 'Mill 1', M)"
    ]


def test_a_setting_of_one_of_several_types_is_found_where_it_is(find):
    assert {problem.path for problem in check_text(mill(mix="x"), find)} == {"components[1].data.mix"}
    assert {problem.path for problem in check_text(mill(mix=[1, "x"]), find)} == {
        "components[1].data.mix",
        "components[1].data.mix[1]",
    }


def test_settings_that_do_not_go_together_are_found_as_a_whole(find):
    assert said(mill(mode="coarse", mill_name="tiny"), find) == [
        "error components[1].data: a tiny mill grinds nothing coarse (in 'Mill 1', M)"
    ]


def test_no_value_of_a_setting_is_repeated(find):
    assert "hush" not in str(said(mill(mode="hush", mill_name="hush-hush"), find))


def test_what_a_component_finds_itself_is_told(find):
    assert said(mill(grindSize=9), find) == ["error components[1]: nine is too coarse for this mill (in 'Mill 1', M)"]


def test_a_flaw_that_a_component_finds_in_a_setting_is_told_at_that_setting(find):
    assert said(mill(mill_name="quern"), find) == [
        "error components[1].data.mill_name: a quern is no mill (in 'Mill 1', M)"
    ]


def test_a_component_that_raises_is_told_too(find):
    assert said(mill(grindSize=8), find) == [
        (
            "error components[1]: the component 'Mill' cannot be made: RuntimeError: eight breaks the check itself"
            " (in 'Mill 1', M)"
        )
    ]
    assert said(mill(grindSize=7), find) == ["error components[1]: seven is refused (in 'Mill 1', M); take six"]


def test_a_broken_file_is_checked_as_far_as_it_can_be_read(find):
    made = agent(endpoint(), component("S", "Mil"), 7, component("T", data=[]), links=[link("E", "S"), link("E", "X")])
    assert said(text({"data": made}), find) == [
        "error data.components[2]: must be an object, not a number",
        "error data.components[3].data: must be an object, not a list (in 'The T', T)",
        "error data.connections[1].targetId: no component has the id 'X'",
        "error data.components[1].name: no component 'Mil' is installed (in 'The S', S); did you mean 'Mill'?",
        "warning data.components[3]: no endpoint or trigger leads here, so it never runs (in 'The T', T)",
    ]


def test_one_fault_is_told_once(find):
    made = agent({**component("S"), "name": ""})
    assert said(text(made), find) == [
        "error components[0].name: there is no type of component, which is kept under 'name' (in 'The S', S)",
        "warning there is no endpoint and no trigger, so nothing can be started",
    ]


def test_a_component_that_no_link_can_name_is_checked_all_the_same(find):
    twin = component("S", "Mil", title="Twin")
    nobody = {**component("", "Mill", title="Nobody"), "data": {"grindSize": 12, "mill_name": "quern"}}
    made = agent(endpoint(), component("S"), twin, nobody, links=[link("E", "S")])
    assert said(text(made), find) == [
        "error components[2].id: components[1] has the id 'S' already (in 'Twin', S)",
        "error components[3].id: there is no id (in 'Nobody')",
        "error components[2].name: no component 'Mil' is installed (in 'Twin', S); did you mean 'Mill'?",
        "error components[3].data.grindSize: must be 9 or less (in 'Nobody')",
        "error components[3].data.mill_name: a quern is no mill (in 'Nobody')",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": ["Mill"]}, "error components[1].name: must be a text, not a list (in 'The E', E)"),
        ({"data": "ask"}, "error components[1].data: must be an object, not a text (in 'The E', E)"),
    ],
)
def test_what_cannot_be_read_is_not_missed_as_well(find, change, problem):
    made = agent(endpoint("F", "other"), {**endpoint(), **change})
    assert [line for line in said(text(made), find) if line.startswith("error")] == [problem]


def test_a_file_and_the_workflow_that_was_read_of_it_have_the_same_problems(find):
    links = [link("E", "S"), link("E", "S"), link("E", "S")]
    made = agent(endpoint(), component("S", "Mil"), links=links, id="my agent", teamId="a/b")
    made["components"][1]["data"] = {"note": "{{nobody}}"}
    content = text(made)
    found = check_text(content, find)
    assert [problem.path for problem in found] == [
        "id",
        "teamId",
        "connections[1]",
        "connections[2]",
        "components[1].name",
        "components[1].data.note",
    ]
    assert check_text(content, find) == check(smyth.read(content), find)


def test_what_is_no_json_is_one_problem(find):
    assert said("{", find) == ["error this is not JSON: the text ends before it is complete, in line 1, column 2"]


def test_a_workflow_that_was_made_in_code_is_counted_by_its_own_order(find):
    nodes = {id_: Node(id=id_, type="Mil") for id_ in "AB"}
    assert [problem.path for problem in check(Workflow(id="a", nodes=nodes), find) if problem.node_id] == [
        "components[0].name",
        "components[1].name",
    ]


def test_a_value_that_contains_itself_is_no_trouble(find):
    circle: list[Any] = ["{{x}}"]
    circle.append(circle)
    workflow = Workflow(id="a", nodes={"S": Node(id="S", type="FSleep", data={"delay": 1, "more": circle})})
    assert any("{{x}}" in problem.message for problem in check(workflow, find))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["A", "B", "Mill", "APIEndpoint", "FHash", "ComponentHost", "{{A}}", "{{B.x}}", "{{", "body[x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["id", "name", "inputs", "outputs", "data", "template", "title", "displayName", "description"])
PORT = (
    st.dictionaries(st.sampled_from(["name", "type", "default", "optional", "defaultVal", "expression"]), JSON) | JSON
)
COMPONENT = st.dictionaries(KEYS, JSON | st.lists(PORT, max_size=3)) | JSON
LINK = st.dictionaries(st.sampled_from(["sourceId", "sourceIndex", "targetId", "targetIndex"]), JSON) | JSON


@given(
    st.fixed_dictionaries(
        {
            "components": st.lists(COMPONENT, max_size=4) | JSON,
            "connections": st.lists(LINK, max_size=4) | JSON,
            "variables": st.dictionaries(st.sampled_from("AB"), JSON),
        }
    )
    | JSON
)
@settings(max_examples=150, deadline=None)
def test_no_file_at_all_makes_the_check_raise(find, content):
    check_text(text(content), find)
