"""What all triggers do with their payloads."""

from collections.abc import Mapping
from typing import Any

import pytest

from sre_core.components.context import ComponentContext, Request
from sre_core.components.node import Node
from sre_core.components.triggers.base import Trigger
from sre_core.testing.bench import bench


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


async def test_a_request_is_an_event_unless_a_trigger_says_otherwise():
    async with bench() as place:
        trigger = Given.of(node(payloads=[]))
        assert isinstance(trigger, Given)
        assert await trigger.handle(Request(), place.context) is None


def node(**data: Any) -> Node:
    return Node(id="T", type="Given", data=data)
