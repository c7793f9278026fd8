"""What a session of debugging may inject."""

import pytest

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.errors import WorkflowError
from sre_core.hookspecs import hookimpl
from sre_core.workflows.graph import Workflow
from sre_sdk import Agent
from sre_sdk.flow import Flow
from sre_sdk.injection import check_injection
from tests.unit.sre_sdk.flows import Look, asking


def node(id_: str, kind: str, inputs: tuple[str, ...], outputs: tuple[OutputPort, ...]) -> Node:
    return Node(
        id=id_, type=kind, title=id_, inputs=tuple(InputPort(name=name) for name in inputs), outputs=outputs, data={}
    )


def flow() -> Flow:
    hash_ = (OutputPort(name="Hash", default=True), OutputPort(name="first", expression="Other.items[0]"))
    nodes = [
        node("IN", "APIEndpoint", (), (OutputPort(name="body", default=True),)),
        node("HASH", "FHash", ("Data",), hash_),
        node("ASK", "GenAILLM", ("Input",), (*(OutputPort(name=name) for name in ("text", "mood.first")),)),
        node("ODD", "NotInstalled", (), ()),
    ]
    return Flow(Workflow(id="bob", nodes={one.id: one for one in nodes}))


@pytest.mark.parametrize(
    ("node_id", "inputs", "outputs"),
    [
        ("HASH", {"Data": 1}, {"Hash": "x"}),
        ("HASH", {}, {}),
        ("HASH", {}, {"_error": "x", "_debug": "y", "first": 1, "Other": {"items": [1]}}),
        ("IN", {"any": 1}, {"body": {"q": 1}, "headers": {}, "_error": "x"}),
        ("ASK", {"any": 1}, {"Reply": "x", "mood": "good", "mood.first": 1, "text": "y"}),
        ("ODD", {"any": 1}, {"anything": 1}),
    ],
)
def test_what_a_node_has_may_be_injected(node_id, inputs, outputs):
    check_injection(flow(), node_id, inputs, outputs)


@pytest.mark.parametrize(
    ("node_id", "inputs", "outputs", "message", "hint"),
    [
        ("HAHS", {}, {}, "the workflow has no node 'HAHS'", "did you mean 'HASH'?"),
        ("", {}, {}, "the workflow has no node ''", "it has: IN, HASH, ASK, ODD"),
        ("HASH", {"Data": 1, "Dtaa": 1}, {}, r"HASH .*has no input 'Dtaa'", "did you mean 'Data'?"),
        ("HASH", {}, {"Hsah": 1}, r"HASH .*has no output 'Hsah'", "did you mean 'Hash'?"),
        ("ASK", {}, {"Repl": 1}, r"ASK .*has no output 'Repl'", "did you mean 'Reply'?"),
        ("ASK", {}, {"zz": 1}, r"ASK .*has no output 'zz'", "it has: text, mood, mood.first, Reply"),
        ("HASH", {}, {"zzz": 1}, r"HASH .*has no output 'zzz'", "it has: Hash, Other, first"),
    ],
)
def test_what_a_node_does_not_have_is_refused(node_id, inputs, outputs, message, hint):
    with pytest.raises(WorkflowError, match=message) as caught:
        check_injection(flow(), node_id, inputs, outputs)
    assert caught.value.hint == hint


def test_a_class_of_ones_own_is_known():
    agent, _, _ = asking(Look)
    check_injection(agent._flow, agent.workflow.links[0].target, {"any": 1}, {"Seen": 1})
    with pytest.raises(WorkflowError, match="has no output 'Sene'"):
        check_injection(agent._flow, agent.workflow.links[0].target, {}, {"Sene": 1})


async def test_a_component_of_a_plugin_is_known_to_a_session(make_runtime, tmp_path):
    class Plugin:
        @hookimpl
        def register_components(self):
            return [Look]

    asking()[0].save(tmp_path / "bob.smyth")
    made, _ = make_runtime("x", plugin=Plugin())
    async with made as runtime:
        agent = Agent.load(tmp_path / "bob.smyth", runtime=runtime)
        async with agent.debug("ask", {"q": "x"}) as session:
            session.inject("LOOK1", inputs={"any": 1})
            with pytest.raises(WorkflowError, match="has no output 'Sene'"):
                session.inject("LOOK1", outputs={"Sene": 1})
