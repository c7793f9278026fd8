"""Files that cannot be used: each says everything that is wrong with it, and where."""

import json
from typing import Any

import pytest

from sre_core.errors import InvalidWorkflowError
from sre_core.workflows import smyth
from sre_core.workflows.smyth_reader import survey
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text

A, B = component("A"), component("B")


def without(raw: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in keys}


def json_says(text: str) -> str:
    """In the words of this Python: they change from one version to another."""
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return f"{caught.value.msg} in line {caught.value.lineno}, column {caught.value.colno}"


COMMA = '{\n "components": [],\n}'
NO_JSON = {
    "empty": ("", "the file is empty"),
    "blank": (" \n", "the file is empty"),
    "cut off": (
        '{"components": [',
        "this is not JSON: Expecting value in line 1, column 17",
    ),
    "a comma too much": (COMMA, f"this is not JSON: {json_says(COMMA)}"),
    "two values": ("{} {}", "this is not JSON: Extra data in line 1, column 4"),
    "yaml": ("tasks:\n  - a", "this is not JSON: Expecting value in line 1, column 1"),
    "not utf-8": (b'{"a": "\xff"}', "this is no text in UTF-8: byte 7 cannot be read"),
    "utf-16": ("{}".encode("utf-16"), "this is no text in UTF-8: byte 0 cannot be read"),
    "nan": ('{"a": NaN}', "this is not JSON: NaN is no number"),
    "a number without end": ('{"a": 1e999}', "the number 1e999 is too large to be kept"),
    "thousands of digits": (f'{{"a": {"9" * 5000}}}', "a number has more than 1000 digits"),
    "a bomb of lists": ("[" * 1_000_000, "objects and lists lie in each other more than 200 deep"),
    "a bomb of objects": ('{"a":' * 500_000, "objects and lists lie in each other more than 200 deep"),
    "a closed bomb": (
        '{"components": ' + "[" * 300 + "]" * 300 + "}",
        "objects and lists lie in each other more than 200 deep",
    ),
    "a list": ("[]", "a file holds an object, not a list"),
    "a text": ('"agent"', "a file holds an object, not a text"),
}


@pytest.mark.parametrize(("content", "problem"), NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_object_says_where(content, problem):
    reading = survey(content)
    assert reading.workflow is None
    assert [str(found) for found in reading.problems] == [problem]
    with pytest.raises(InvalidWorkflowError) as caught:
        smyth.read(content)
    assert caught.value.problems == (problem,)


BROKEN: dict[str, tuple[Any, list[str]]] = {
    "no components": ({"id": "x"}, ["components: there is no list of components"]),
    "no components, wrapped": ({"data": {"id": "x"}}, ["data.components: there is no list of components"]),
    "components in an object": (
        {"components": {}},
        ["components: must be a list, not an object"],
    ),
    "a component that is a text": (agent(A, "B"), ["components[1]: must be an object, not a text"]),
    "a component that is null": (agent(None), ["components[0]: must be an object, not null"]),
    "no id": (agent(without(A, "id")), ["components[0].id: there is no id (in 'The A')"]),
    "an empty id": (agent({**A, "id": ""}), ["components[0].id: there is no id (in 'The A')"]),
    "an id that is a list": (
        agent({**A, "id": []}),
        ["components[0].id: must be a text, not a list (in 'The A')"],
    ),
    "no type": (
        agent(without(A, "name")),
        ["components[0].name: there is no type of component, which is kept under 'name' (in 'The A', A)"],
    ),
    "a type that is an object": (
        agent({**A, "name": {}}),
        ["components[0].name: must be a text, not an object (in 'The A', A)"],
    ),
    "one id twice": (
        agent(A, B, {**A, "title": "Other"}),
        ["components[2].id: components[0] has the id 'A' already (in 'Other', A)"],
    ),
    "a title that is a list": (
        agent({**A, "title": ["x"]}),
        ["components[0].title: must be a text, not a list (in 'FSleep', A)"],
    ),
    "settings in a list": (
        agent({**A, "data": [1]}),
        ["components[0].data: must be an object, not a list (in 'The A', A)"],
    ),
    "inputs in an object": (
        agent({**A, "inputs": {}}),
        ["components[0].inputs: must be a list, not an object (in 'The A', A)"],
    ),
    "an input that is a text": (
        agent({**A, "inputs": ["Input"]}),
        ["components[0].inputs[0]: must be an object, not a text (in 'The A', A)"],
    ),
    "an input without a name": (
        agent({**A, "inputs": [{"name": "x"}, {"type": "Any"}]}),
        ["components[0].inputs[1].name: there is no name of the input (in 'The A', A)"],
    ),
    "a type of an input that is a number in an object": (
        agent({**A, "inputs": [{"name": "x", "type": {"n": 1}}]}),
        ["components[0].inputs[0].type: must be a text, not an object (in 'The A', A)"],
    ),
    "optional, perhaps": (
        agent({**A, "inputs": [{"name": "x", "optional": "perhaps"}]}),
        ["components[0].inputs[0].optional: must be true or false, not a text (in 'The A', A)"],
    ),
    "a default that is a list": (
        agent({**A, "outputs": [{"name": "x", "default": []}]}),
        ["components[0].outputs[0].default: must be true or false, not a list (in 'The A', A)"],
    ),
    "an output without a name": (
        agent({**A, "outputs": [{}]}),
        ["components[0].outputs[0].name: there is no name of the output (in 'The A', A)"],
    ),
    "an expression that is true": (
        agent({**A, "outputs": [{"name": "x", "expression": True}]}),
        ["components[0].outputs[0].expression: must be a text, not true or false (in 'The A', A)"],
    ),
    "a template that is a text": (
        agent({**A, "template": "x"}),
        ["components[0].template: must be an object, not a text (in 'The A', A)"],
    ),
    "a setting of a template that is a text": (
        agent({**A, "template": {"settings": {"K": "x"}}}),
        ["components[0].template.settings.K: must be an object, not a text (in 'The A', A)"],
    ),
    "connections in an object": (
        agent(A) | {"connections": {"a": 1}},
        ["connections: must be a list, not an object"],
    ),
    "a link that is a number": (agent(A, links=[3]), ["connections[0]: must be an object, not a number"]),
    "a link from nowhere": (
        agent(A, links=[link("X", "A")]),
        ["connections[0].sourceId: no component has the id 'X'"],
    ),
    "a link without ends": (
        agent(A, links=[{}]),
        [
            "connections[0].sourceId: there is no id of a component",
            "connections[0].targetId: there is no id of a component",
            "connections[0].sourceIndex: must be the position or the name of a port, not null",
            "connections[0].targetIndex: must be the position or the name of a port, not null",
        ],
    ),
    "an output out of range": (
        agent(A, B, links=[link("A", "B", 1)]),
        ["connections[0].sourceIndex: there is no output 1 (in 'The A', A); its outputs are 'Output'"],
    ),
    "an input out of range": (
        agent(A, B, links=[link("A", "B", 0, 9)]),
        ["connections[0].targetIndex: there is no input 9 (in 'The B', B); its inputs are 'Input'"],
    ),
    "an output below the first": (
        agent(A, B, links=[link("A", "B", -1)]),
        ["connections[0].sourceIndex: there is no output -1 (in 'The A', A); its outputs are 'Output'"],
    ),
    "an input far below the first": (
        agent(A, B, links=[link("A", "B", 0, -2)]),
        ["connections[0].targetIndex: there is no input -2 (in 'The B', B); its inputs are 'Input'"],
    ),
    "an unknown name of an output": (
        agent(A, B, links=[link("A", "B", "Outptu")]),
        ["connections[0].sourceIndex: there is no output 'Outptu' (in 'The A', A); its outputs are 'Output'"],
    ),
    "an unknown name of an input": (
        agent(A, {**B, "inputs": []}, links=[link("A", "B", 0, "In")]),
        ["connections[0].targetIndex: there is no input 'In' (in 'The B', B); it has no inputs"],
    ),
    "half a position": (
        agent(A, B, links=[link("A", "B", 0.5)]),
        ["connections[0].sourceIndex: must be the position or the name of a port, not a number"],
    ),
    "a position that is true": (
        agent(A, B, links=[link("A", "B", 0, True)]),
        ["connections[0].targetIndex: must be the position or the name of a port, not true or false"],
    ),
    "variables in a list": (
        agent(variables=["x"]),
        ["variables: must be an object, not a list"],
    ),
    "a name in a list": (agent(name=["x"]), ["name: must be a text, not a list"]),
    "an id of the agent in an object": (agent() | {"id": {}}, ["id: must be a text, not an object"]),
    "a behavior that is false": (agent(behavior=False), ["behavior: must be a text, not true or false"]),
    "a model without a text": (
        agent(defaultModel={"modelId": []}),
        ["defaultModel.modelId: must be a text, not a list"],
    ),
    "many things at once": (
        {
            "data": {
                "components": [{**A, "data": 1}, 7, {**B, "inputs": [{"name": ""}]}],
                "connections": [link("A", "Z")],
            }
        },
        [
            "data.components[0].data: must be an object, not a number (in 'The A', A)",
            "data.components[1]: must be an object, not a number",
            "data.components[2].inputs[0].name: there is no name of the input (in 'The B', B)",
            "data.connections[0].targetId: no component has the id 'Z'",
        ],
    ),
}


@pytest.mark.parametrize(("content", "problems"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_says_everything_that_is_wrong(content, problems):
    with pytest.raises(InvalidWorkflowError) as caught:
        smyth.read(text(content))
    assert list(caught.value.problems) == problems


@pytest.mark.parametrize(("content", "problems"), BROKEN.values(), ids=BROKEN)
def test_the_rest_of_a_broken_file_can_be_looked_at(content, problems):
    reading = survey(text(content))
    assert reading.workflow is not None
    assert [str(problem) for problem in reading.errors] == problems


def test_a_problem_knows_its_component():
    problem = survey(text(agent(A, {**B, "data": 1}))).problems[0]
    assert (problem.severity, problem.path, problem.node_id, problem.title) == (
        "error",
        "components[1].data",
        "B",
        "The B",
    )


def test_an_illegal_id_and_a_repeated_key_are_only_warnings():
    content = '{"components": [], "id": "a b", "x": 1, "x": 2, "teamId": "t"}'
    reading = survey(content)
    assert [problem.severity for problem in reading.problems] == ["warning", "warning"]
    assert "the key 'x' stands more than once" in str(reading.problems[0])
    assert "id: 'a b' is not a legal id, and 'a-b-c8687a08' takes its place" in str(reading.problems[1])
    assert smyth.read(content).id == "a-b-c8687a08"


def test_thousands_of_problems_are_all_told():
    reading = survey(text(agent(*[{**A, "id": f"N{n}", "data": 1} for n in range(5000)])))
    assert len(reading.problems) == 5000


def test_ids_and_names_that_are_hostile_are_only_text():
    made = component("<script>\x1b[31m", title="\x1b]0;x\x07")
    workflow = smyth.read(json.dumps(agent(endpoint(), made)))
    assert list(workflow.nodes) == ["E", "<script>\x1b[31m"]
