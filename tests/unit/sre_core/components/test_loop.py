"""Loops as components: what they do without a body."""

from typing import Any

from sre_core.components.loop import Loop
from sre_core.components.node import Node
from sre_core.testing.bench import bench


class Pages(Loop):
    name = "Pages"
    item_ports = frozenset({"Page"})

    async def items(self, inputs: Any, context: Any) -> Any:
        return inputs["pages"]

    def item_outputs(self, item: Any) -> Any:
        return {"Page": item}

    def collect(self, results: Any) -> Any:
        return {"All": list(results)}

    def without_loop(self, items: Any) -> Any:
        return {"Page": items[0]} if len(items) == 1 else super().without_loop(items)


async def test_without_a_body_a_loop_has_no_results() -> None:
    async with bench() as b:
        assert await b.run(Pages, inputs={"pages": [1, 2]}) == {"All": []}


async def test_items_that_need_no_loop_come_out_at_once() -> None:
    async with bench() as b:
        assert await b.run(Pages, inputs={"pages": [5]}) == {"Page": 5}


def test_one_item_at_a_time_is_in_the_body_unless_a_loop_says_otherwise() -> None:
    made = Pages.of(Node(id="P", type="Pages"))
    assert isinstance(made, Loop)
    assert made.parallel == 1
