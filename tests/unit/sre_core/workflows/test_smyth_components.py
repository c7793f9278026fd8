"""Components of files are made of nodes, anew or out of what was read."""

from dataclasses import replace

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.workflows.smyth_components import merged_component, new_component, same_node

NODE = Node(
    id="A",
    type="Note",
    inputs=(InputPort(name="i", default=1),),
    outputs=(OutputPort(name="o"),),
    data={"x": 1},
)


def test_a_new_component_has_all_keys_that_editors_write():
    made = new_component(NODE, (3, 4))
    assert list(made) == [
        *("id", "name", "outputs", "inputs", "data", "top", "left", "width", "height", "displayName", "title"),
        *("aiTitle", "description"),
    ]
    assert (made["left"], made["top"]) == ("3px", "4px")


def test_an_unchanged_component_is_the_very_one_that_was_read():
    raw = new_component(NODE, (0, 0))
    assert merged_component(raw, NODE, replace(NODE)) is raw


def test_a_default_that_is_gone_leaves_no_key():
    raw = new_component(NODE, (0, 0)) | {"mine": 1}
    made = merged_component(raw, NODE, replace(NODE, inputs=(InputPort(name="i"),)))
    assert "defaultVal" not in made["inputs"][0]
    assert made["mine"] == 1
    assert raw["inputs"][0]["defaultVal"] == 1


def test_nodes_that_differ_in_a_type_of_value_are_not_the_same():
    assert same_node(NODE, replace(NODE))
    assert not same_node(NODE, replace(NODE, data={"x": True}))
    assert not same_node(NODE, replace(NODE, inputs=(InputPort(name="i", default=1.0),)))
    assert not same_node(NODE, replace(NODE, outputs=()))
