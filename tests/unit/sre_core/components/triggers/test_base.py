"""What all triggers do with their payloads."""

from collections.abc import Mapping
from typing import Any

import pytest

from sre_core.components.base import Component
from sre_core.components.context import ComponentContext, Request
from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.components.triggers.base import Trigger
from sre_core.testing.bench import bench
from sre_core.workflows.engine import run
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.plan import Plan


class Given(Trigger):
    """Fires the payloads of its node."""

    name = "Given"

    async def payloads(self, inputs: Mapping[str, Any], context: ComponentContext) -> list[Any]:
        return list(self.node.data["payloads"])


@pytest.mark.parametrize(
    ("payloads", "fired"), [([], {}), ([{"a": 1}], {"Payload": {"a": 1}}), ([None], {"Payload": None})]
)
async def test_one_payload_or_none_needs_no_loop(payloads, fired):
    async with bench() as place:
        assert await place.run(Given, {"payloads": payloads}) == fired


async def test_several_payloads_are_gone_through_and_their_results_listed():
    async with bench() as place:
        trigger = Given.of(node(payloads=[1, 2]))
        assert isinstance(trigger, Given)
        items = await trigger.items({}, place.context)
        assert trigger.without_loop(items) is None
        assert [trigger.item_outputs(item) for item in items] == [{"Payload": 1}, {"Payload": 2}]
        assert trigger.collect(["a", "b"]) == {"Result": ["a", "b"]}
        assert Given.item_ports == {"Payload"}


class Double(Component):
    """Twice what came."""

    name = "Double"
    inputs = (InputPort(name="x"),)
    outputs = (OutputPort(name="Output", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        return {"Output": inputs["x"] * 2}


@pytest.mark.parametrize(
    ("payloads", "last", "result"),
    [
        ([], "T", {}),
        ([5], "D", {"Output": 10}),
        ([1, 2], "T", {"Result": [{"id": "D", "name": "Double", "result": {"Output": n}} for n in (2, 4)]}),
    ],
)
async def test_a_workflow_runs_what_follows_once_for_each_payload(payloads, last, result):
    trigger = node(payloads=payloads)
    double = Node(id="D", type="Double", title="D", inputs=Double.inputs, outputs=Double.outputs)
    flow = Workflow(
        id="a1", nodes={"T": trigger, "D": double}, links=(Link(source="T", output=0, target="D", input=0),)
    )
    kinds: dict[str, type[Component]] = {"Given": Given, "Double": Double}
    async with bench() as place:
        outcome = await run(Plan(flow, kinds.__getitem__), "T", place.context)
    assert (outcome.data["id"], outcome.data["result"]) == (last, result)
    assert outcome.steps == 1 + len(payloads)


async def test_a_request_is_an_event_unless_a_trigger_says_otherwise():
    async with bench() as place:
        trigger = Given.of(node(payloads=[]))
        assert isinstance(trigger, Given)
        assert await trigger.handle(Request(), place.context) is None


def node(**data: Any) -> Node:
    return Node(id="T", type="Given", outputs=Given.outputs, data=data)
