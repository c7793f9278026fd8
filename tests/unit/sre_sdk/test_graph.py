"""Graphs of drafts: they join, get ids, and become workflows."""

import pytest

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.errors import WorkflowError
from sre_core.workflows.graph import Link, Workflow
from sre_sdk.graph import Draft, Graph


def draft(kind: str = "FHash", **fields) -> Draft:
    return Draft(Node(**{"id": "", "type": kind, **fields}))


def alone(one: Draft) -> Graph:
    graph = Graph()
    graph.add(one)
    return graph


def test_ids_are_made_of_the_type_and_the_first_free_number():
    graph = Graph(Workflow(id="a", nodes={"FHASH1": Node(id="FHASH1", type="FHash")}))
    for one in (draft(), draft(), draft("été-2"), draft("日本")):
        graph.add(one)
    assert list(graph.fill(Workflow(id="a")).nodes) == ["FHASH1", "FHASH2", "FHASH3", "T21", "NODE1"]


def test_an_id_stays_what_it_became():
    home, one = Graph(Workflow(id="a")), draft()
    home.add(one)
    first = home.fill(Workflow(id="a"))
    home.add(draft())
    second = home.fill(first)
    assert list(second.nodes) == [*first.nodes, "FHASH2"]
    assert one.node.id == "FHASH1"


def test_two_nodes_with_one_id_are_refused_before_anything_changes():
    home = Graph(Workflow(id="a", nodes={"X": Node(id="X", type="FHash")}))
    other = alone(draft(id="X"))
    with pytest.raises(WorkflowError, match="two nodes have the id 'X'"):
        home.join(other)
    assert (len(home.drafts), len(other.drafts), other.root) == (1, 1, other)
    with pytest.raises(WorkflowError, match="two nodes have the id 'X'"):
        home.add(draft(id="X"))


def test_graphs_join_in_a_chain_and_the_home_is_the_root_of_all():
    parts = [draft() for _ in range(4)]
    graphs = [alone(part) for part in parts]
    home = Graph(Workflow(id="a"))
    graphs[0].join(graphs[1])
    graphs[2].join(graphs[3])
    graphs[1].join(graphs[2])
    graphs[3].join(home)
    assert all(graph.root is home for graph in graphs)
    assert set(home.drafts) == set(parts)
    assert home.join(graphs[0]) is home


def test_the_graphs_of_two_agents_do_not_join():
    with pytest.raises(WorkflowError, match="two parts belong to two agents"):
        Graph(Workflow(id="a")).join(Graph(Workflow(id="b")))


def test_the_same_link_twice_is_one_and_ports_are_made():
    graph, source, target = Graph(Workflow(id="a")), draft(id="A"), draft(id="B")
    graph.add(source)
    graph.add(target)
    for output, name in (("x", "in"), ("x", "in"), ("y", "in")):
        graph.link(source, output, target, name)
    made = graph.fill(Workflow(id="a"))
    assert made.links == (
        Link(source="A", output=0, target="B", input=0),
        Link(source="A", output=1, target="B", input=0),
    )
    assert [port.name for port in made.nodes["A"].outputs] == ["x", "y"]


def test_every_change_is_a_new_version():
    graph = Graph(Workflow(id="a"))
    versions = [graph.version]
    one, two = draft(), draft()
    for change in (
        lambda: graph.add(one),
        lambda: graph.join(alone(two)),
        lambda: graph.link(one, "x", two, "y"),
        graph.changed,
    ):
        change()
        versions.append(graph.version)
    assert versions == sorted(set(versions))


def test_what_a_workflow_had_stays_as_it_was():
    nodes = {
        "A": Node(id="A", type="WebhookTrigger", outputs=(OutputPort(name="o", default=True),)),
        "B": Node(id="B", type="APIEndpoint", inputs=(InputPort(name="i", description="d"),)),
    }
    links = (Link(source="A", output=0, target="B", input=-1), Link(source="A", output=0, target="B", input=0))
    workflow = Workflow(id="a", nodes=nodes, links=links)
    assert Graph(workflow).fill(workflow) == workflow
