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


DEEP = "objects and lists lie in each other more than 200 deep, in line 1, column"
NO_JSON = {
    "empty": ("", "the file is empty"),
    "blank": (" \n", "the file is empty"),
    "cut off": ('{"components": [', "this is not JSON: the text ends before it is complete, in line 1, column 17"),
    "two values": ("{} {}", "this is not JSON: something follows after the end, in line 1, column 4"),
    "a comment": ("// mine\n{}", "this is not JSON: JSON has no comments, and here one begins, in line 1, column 1"),
    "a comment within": (
        '{\n "id": "a", # mine\n}',
        "this is not JSON: JSON has no comments, and here one begins, in line 2, column 13",
    ),
    "single quotes": (
        "{'id': 1}",
        "this is not JSON: texts and keys stand between double quotes, in line 1, column 2",
    ),
    "yaml": ("tasks:\n  - a", "this is not JSON: a value is expected, in line 1, column 1"),
    "not utf-8": (b'{"a": "\xff"}', "this is no text in UTF-8: byte 7 cannot be read"),
    "a picture": (b"\x89PNG\r\n", "this is no text in UTF-8: byte 0 cannot be read"),
    "nan": ('{"NaN": "NaN",\n "a": NaN}', "this is not JSON: NaN is no number, in line 2, column 7"),
    "minus infinity": ("[-Infinity]", "this is not JSON: -Infinity is no number, in line 1, column 2"),
    "a number without end": ('{"a": 1e999}', "the number 1e999 is too large to be kept, in line 1, column 7"),
    "thousands of digits": (f'{{"a": {"9" * 5000}}}', "a number has more than 1000 digits, in line 1, column 7"),
    "a bomb of lists": ("[" * 1_000_000, f"{DEEP} 201"),
    "a bomb of objects": ('{"a":' * 500_000, f"{DEEP} 1001"),
    "a closed bomb": ('{"components": ' + "[" * 300 + "]" * 300 + "}", f"{DEEP} 215"),
    "a list": ("[]", "a file holds an object, not a list"),
    "a text": ('"agent"', "a file holds an object, not a text"),
    "nothing wrapped": ('{"data": null, "version": "1"}', "data: must be an object, not null"),
    "a text wrapped": ('{"data": "agent"}', "data: must be an object, not a text"),
}


@pytest.mark.parametrize(("content", "problem"), NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_object_says_where(content, problem):
    reading = survey(content)
    assert reading.workflow is None
    assert [str(found) for found in reading.problems] == [problem]
    with pytest.raises(InvalidWorkflowError) as caught:
        smyth.read(content)
    assert caught.value.problems == (problem,)


@pytest.mark.parametrize("content", ['{"id": "a",}', '{"id": "a",\n}', '{"components": [1, ]}'])
def test_a_comma_before_a_closing_bracket_is_called_so(content):
    # Where exactly depends on the version of Python: at the comma, or at the bracket.
    assert "there is a comma before a closing bracket, in line" in str(survey(content).problems[0])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_file_in_another_encoding_is_called_so(encoding):
    (problem,) = survey('{"components": []}'.encode(encoding)).problems
    assert str(problem) == "this is no text in UTF-8, and looks like UTF-16: save it in UTF-8"


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
    "an id that is true": (
        agent({**A, "id": True}),
        ["components[0].id: must be a text, not true or false (in 'The A')"],
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
    "a name among outputs without names": (
        agent({**A, "outputs": [{"name": []}]}, B, links=[link("A", "B", "Output")]),
        [
            "components[0].outputs[0].name: must be a text, not a list (in 'The A', A)",
            ("connections[0].sourceIndex: there is no output 'Output' (in 'The A', A); its outputs have no names"),
        ],
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


def test_a_repeated_key_is_only_a_warning_with_its_place():
    made = '{"id": "W", "name": "Note", "title": "Hints",\n "data": {"x": {"a": 1, "b": [], "a": 2}}}'
    content = f'{{"data": {{"components": [\n {made}],\n "id": "t", "id": "u"}}}}'
    assert [f"{problem.severity} {problem}" for problem in survey(content).problems] == [
        (
            "warning data.components[0].data.x.a: the key 'a' stands more than once in one object, and only the last"
            " one counts, in line 3, column 34 (in 'Hints', W)"
        ),
        (
            "warning data.id: the key 'id' stands more than once in one object, and only the last one counts,"
            " in line 4, column 13"
        ),
    ]
    assert smyth.read(content).id == "u"


def test_a_component_that_no_link_can_name_is_kept_aside_with_its_place():
    reading = survey(text(agent(A, {**A, "title": "Twin"}, without(B, "id"))))
    assert [(place.path, node.title) for place, node in reading.spare] == [
        ("components[1]", "Twin"),
        ("components[2]", "The B"),
    ]
    assert reading.workflow is not None
    assert [node.title for node in reading.workflow.nodes.values()] == ["The A"]


@pytest.mark.parametrize("components", [None, {}, "A"])
def test_without_a_list_of_components_no_link_is_wrong_for_its_ends(components):
    content = {"components": components, "connections": [link("A", "B"), {"sourceId": "A", "targetId": "B"}, 7]}
    assert [problem.path for problem in survey(text(content)).problems] == [
        "components",
        "connections[1].sourceIndex",
        "connections[1].targetIndex",
        "connections[2]",
    ]


def test_thousands_of_problems_are_all_told():
    reading = survey(text(agent(*[{**A, "id": f"N{n}", "data": 1} for n in range(5000)])))
    assert len(reading.problems) == 5000


def test_ids_and_names_that_are_hostile_are_only_text():
    made = component("<script>\x1b[31m", title="\x1b]0;x\x07")
    workflow = smyth.read(json.dumps(agent(endpoint(), made)))
    assert list(workflow.nodes) == ["E", "<script>\x1b[31m"]
