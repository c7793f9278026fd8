"""What was read is written back with nothing lost, and what is different goes in between."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.errors import InvalidWorkflowError
from sre_core.workflows import smyth
from sre_core.workflows.graph import Link, Workflow
from tests.unit.sre_core.workflows.smyth_files import FOLDER, REAL, agent, component, endpoint, link, text


def ordered(content: str) -> Any:
    """A JSON value that tells the order of keys, and 1 from 1.0 and true."""
    return json.dumps(json.loads(content))


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_real_file_comes_back_as_it_was(path):
    content = path.read_text()
    assert ordered(smyth.write(smyth.read(content))) == ordered(content)


def test_a_file_on_one_line_comes_back_byte_by_byte():
    content = (FOLDER / "async-await-foreach-tests.smyth").read_text()
    assert smyth.write(smyth.read(content)) == content


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def unknown(known: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """`known` with other keys before and behind."""
    others = st.dictionaries(st.text().filter(lambda key: key not in RESERVED), JSON, max_size=3)
    return st.tuples(others, others).map(lambda pair: pair[0] | known | pair[1])


RESERVED = {
    *("id", "name", "title", "displayName", "description", "inputs", "outputs", "data", "template", "type", "optional"),
    *("default", "defaultVal", "isFile", "expression", "sourceId", "targetId", "sourceIndex", "targetIndex"),
    *("components", "connections", "behavior", "teamId", "variables", "defaultModel", "templateInfo"),
}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Files that are legal in what is known, with unknown keys everywhere."""
    ids = draw(st.lists(st.text(min_size=1), unique=True, max_size=4))
    components = []
    for id_ in ids:
        inputs = [draw(unknown({"name": name})) for name in ("a", "b")]
        outputs = [draw(unknown({"name": "c", "default": draw(st.sampled_from([True, "false", 1, None]))}))]
        made = {"id": id_, "name": draw(st.text(min_size=1)), "inputs": inputs, "outputs": outputs}
        made["data"] = draw(st.dictionaries(st.text(), JSON, max_size=3))
        components.append(draw(unknown(made)))
    connections = []
    if ids:
        for _ in range(draw(st.integers(0, 3))):
            ends = {"sourceId": draw(st.sampled_from(ids)), "targetId": draw(st.sampled_from(ids))}
            indexes = {
                "sourceIndex": draw(st.sampled_from([0, "c"])),
                "targetIndex": draw(st.sampled_from([0, 1, "b"])),
            }
            connections.append(draw(unknown(ends | indexes)))
    made = draw(
        unknown({"components": components, "connections": connections, "variables": draw(st.none() | st.just({}))})
    )
    if draw(st.booleans()):
        return draw(unknown({"data": made, "version": "1.0.0"}))
    return made


@given(files(), st.sampled_from([None, 2]))
@settings(max_examples=60, deadline=None)
def test_no_key_is_lost_or_moved(content, indent):
    before = json.dumps(content)
    assert ordered(smyth.write(smyth.read(before), indent=indent)) == ordered(before)


@given(files(), st.text())
@settings(max_examples=40, deadline=None)
def test_a_change_touches_nothing_else(content, behavior):
    workflow = smyth.read(json.dumps(content))
    changed = json.loads(smyth.write(replace(workflow, behavior=behavior)))
    inner = changed["data"] if "components" not in changed else changed
    if behavior:
        assert inner.pop("behavior") == behavior
    assert json.dumps(changed) == json.dumps(content)


def test_half_of_a_surrogate_pair_stays_an_escape():
    content = '{"components":[],"connections":[],"x":"\\ud83d"}'
    written = smyth.write(smyth.read(content))
    assert written.encode("utf-8") == content.encode()


def test_other_letters_stay_as_they_are():
    content = '{"components":[],"connections":[],"name":"Grüße 你好 🎈"}'
    assert smyth.write(smyth.read(content)) == content


def test_a_wrapped_file_stays_wrapped():
    content = {"version": "1", "data": agent(component("A"), more=1), "more": 2}
    workflow = smyth.read(text(content))
    content["data"]["name"] = "Ann"
    assert json.loads(smyth.write(replace(workflow, name="Ann"))) == content


def test_the_agents_own_fields_are_put_in():
    workflow = smyth.read(text(agent(mine=1)))
    changed = replace(
        workflow, id="b2", name="Bo", team="red", description="d", behavior="b", model="m", variables={"x": 1}
    )
    written = json.loads(smyth.write(changed))
    assert written == agent(mine=1) | {
        "id": "b2",
        "name": "Bo",
        "teamId": "red",
        "description": "d",
        "behavior": "b",
        "defaultModel": "m",
        "variables": {"x": 1},
    }
    assert smyth.read(text(written)) == changed
    assert "defaultModel" not in json.loads(smyth.write(replace(smyth.read(text(written)), model=None)))


def test_an_id_that_was_made_legal_stays_as_it_was_written():
    content = text(agent() | {"id": "my agent"})
    assert json.loads(smyth.write(smyth.read(content)))["id"] == "my agent"


def test_a_changed_node_keeps_what_is_not_read():
    made = component("A", color="red", data={"delay": 1, "more": 2})
    workflow = smyth.read(text(agent(made, component("B", x=1))))
    node = replace(workflow.nodes["A"], title="New", data={"delay": 1.0})
    written = json.loads(smyth.write(replace(workflow, nodes={**workflow.nodes, "A": node})))
    assert written["components"] == [made | {"title": "New", "data": {"delay": 1.0}}, component("B", x=1)]
    assert str(written["components"][0]["data"]["delay"]) == "1.0"


def test_a_number_that_became_a_flag_is_a_change():
    workflow = smyth.read(text(agent(component("A", data={"on": 1}))))
    node = replace(workflow.nodes["A"], data={"on": True})
    written = smyth.write(replace(workflow, nodes={"A": node}))
    assert '"data":{"on":true}' in written


def test_changed_ports_keep_their_colours_and_count_anew():
    ports = [{"name": "x", "color": "red", "index": 0}, {"name": "y", "color": "blue", "index": 1}]
    workflow = smyth.read(text(agent(component("A", inputs=ports, outputs=ports))))
    node = workflow.nodes["A"]
    node = replace(
        node,
        inputs=(node.inputs[1], InputPort(name="new", type="Number", optional=True, default=3)),
        outputs=(OutputPort(name="renamed"), node.outputs[1]),
    )
    written = json.loads(smyth.write(replace(workflow, nodes={"A": node})))["components"][0]
    assert written["inputs"] == [
        {"name": "y", "color": "blue", "index": 0},
        {
            "name": "new",
            "type": "Number",
            "optional": True,
            "default": False,
            "defaultVal": 3,
            "index": 1,
        },
    ]
    assert written["outputs"] == [{"name": "renamed", "color": "red", "index": 0}, ports[1]]


def test_a_changed_template_keeps_its_other_keys():
    settings_ = {"K": {"id": "K", "value": 1}}
    workflow = smyth.read(text(agent(component("A", template={"mine": 1, "settings": settings_}))))
    node = replace(workflow.nodes["A"], template={"K": {"id": "K", "value": 2}})
    written = json.loads(smyth.write(replace(workflow, nodes={"A": node})))
    assert written["components"][0]["template"] == {"mine": 1, "settings": {"K": {"id": "K", "value": 2}}}


def test_nodes_and_links_are_added_and_removed():
    made = agent(
        endpoint(), component("A"), component("B"), links=[link("E", "A", "body", "Input", color=1), link("A", "B")]
    )
    workflow = smyth.read(text(made))
    new = Node(id="N", type="Note", title="Hi", inputs=(InputPort(name="i"),), data={"t": 1})
    nodes = {id_: node for id_, node in workflow.nodes.items() if id_ != "B"} | {"N": new}
    links = (workflow.links[0], Link(source="A", output=0, target="N", input=0))
    changed = replace(workflow, nodes=nodes, links=links)
    written = json.loads(smyth.write(changed))
    assert written["connections"] == [
        link("E", "A", "body", "Input", color=1),
        {"sourceId": "A", "sourceIndex": 0, "targetId": "N", "targetIndex": 0},
    ]
    assert written["components"][:2] == [endpoint(), component("A")]
    assert written["components"][2]["data"] == {"t": 1}
    assert smyth.read(text(written)) == changed


def test_a_link_that_named_a_port_follows_it_when_the_ports_change():
    made = agent(endpoint(), component("A"), links=[link("E", "A", "body", "Input", color=1)])
    workflow = smyth.read(text(made))
    node = replace(workflow.nodes["A"], inputs=(InputPort(name="first"), InputPort(name="Input")))
    changed = replace(workflow, nodes={**workflow.nodes, "A": node})
    assert changed.links[0].input == 0
    written = json.loads(smyth.write(changed))
    assert written["connections"] == [link("E", "A", "body", 0, color=1)]
    assert smyth.read(text(written)) == changed


def test_a_workflow_that_was_made_in_code_becomes_a_whole_file():
    sleep = Node(
        id="S",
        type="FSleep",
        title="Wait",
        label="F:Sleep",
        inputs=(InputPort(name="Input", description="what", is_file=True),),
        outputs=(OutputPort(name="Output", default=True, expression="x", description="d"),),
        data={"delay": "1"},
        template={"K": {"id": "K"}},
    )
    made = Workflow(
        id="agent",
        name="Ann",
        team="red",
        model="echo",
        variables={"x": 1},
        nodes={"S": sleep, "T": replace(sleep, id="T")},
        links=(Link(source="S", output=0, target="T", input=0),),
    )
    content = json.loads(smyth.write(made))
    assert list(content) == [
        *("version", "id", "name", "teamId", "components", "connections", "description", "behavior"),
        *("defaultModel", "variables"),
    ]
    assert content["version"] == "1.0.0"
    lefts = [int(raw["left"].removesuffix("px")) for raw in content["components"]]
    assert lefts[0] < lefts[1]
    assert smyth.read(text(content)) == made


def test_a_workflow_of_another_kind_of_file_becomes_a_whole_file():
    made = Workflow(id="x", nodes={"A": Node(id="A", type="Note")}, document={"tasks": [1]})
    content = json.loads(smyth.write(made))
    assert "tasks" not in content
    assert smyth.read(text(content)) == made


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "a b"}, "id: 'a b' is not a legal id"),
        ({"team": ""}, "teamId: '' is not a legal id"),
        ({"nodes": {}}, "no component has the id 'A'"),
        ({"nodes": {"A": Node(id="A", type="")}}, "there is no type of component"),
        ({"links": (Link(source="A", output=5, target="A", input=0),)}, "there is no output 5"),
        ({"variables": {"x": float("nan")}}, "Out of range float values"),
        ({"variables": {"x": {1, 2}}}, "set is no JSON"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(changes, problem):
    workflow = smyth.read(text(agent(component("A"), links=[link("A", "A")])))
    with pytest.raises(InvalidWorkflowError, match=problem):
        smyth.write(replace(workflow, **changes))


def test_a_value_that_contains_itself_is_not_written():
    workflow = smyth.read(text(agent(component("A"))))
    circle: list[Any] = []
    circle.append(circle)
    for value in (circle, {"x": circle}):
        with pytest.raises(InvalidWorkflowError, match="Circular"):
            smyth.write(replace(workflow, variables={"x": value}))


def test_writing_changes_nothing_in_what_is_written():
    made = agent(component("A"), links=[link("A", "A", "Output")])
    workflow = smyth.read(text(made))
    smyth.write(replace(workflow, name="x", nodes={"A": replace(workflow.nodes["A"], title="y")}))
    assert workflow.document == made
