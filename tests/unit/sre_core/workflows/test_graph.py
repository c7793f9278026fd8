"""What a workflow knows of itself."""

from sre_core.components.node import Node
from sre_core.workflows.graph import Workflow


def endpoint(id_: str, name: str, method: str | None = None) -> Node:
    return Node(id=id_, type="APIEndpoint", data={"endpoint": name, **({"method": method} if method else {})})


def names(*nodes: Node) -> dict[str, str]:
    workflow = Workflow(id="w", nodes={node.id: node for node in nodes})
    return {name: node.id for name, node in workflow.endpoints.items()}


def test_an_endpoint_goes_by_its_name():
    assert names(endpoint("A", "ask"), endpoint("B", "find", "GET")) == {"ask": "A", "find": "B"}


def test_of_two_endpoints_with_one_name_and_method_the_later_counts():
    assert names(endpoint("A", "ask"), endpoint("B", "ask", "post")) == {"ask": "B"}


def test_an_endpoint_for_another_method_goes_by_its_method_too():
    found = names(endpoint("A", "ask", "GET"), endpoint("B", "ask"), endpoint("C", "ask-post", "GET"))
    assert found == {"ask": "A", "ask-post": "C"}
    assert names(endpoint("A", "ask", "GET"), endpoint("B", "ask")) == {"ask": "A", "ask-post": "B"}


def test_nodes_without_a_name_and_of_other_types_are_no_endpoints():
    other = Node(id="C", type="Note", data={"endpoint": "ask"})
    assert names(endpoint("A", ""), Node(id="B", type="APIEndpoint", data={"endpoint": 5}), other) == {}


def test_of_two_triggers_with_one_name_the_later_counts():
    nodes = [Node(id=id_, type="GmailTrigger", data={"triggerEndpoint": "mail"}) for id_ in ("A", "B")]
    assert Workflow(id="w", nodes={node.id: node for node in nodes}).triggers["mail"].id == "B"
