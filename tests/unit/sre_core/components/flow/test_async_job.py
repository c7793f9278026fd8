"""Async alone: its inputs come out again, with the id of a job."""

import re

from sre_core.testing.bench import bench


async def test_inputs_come_out_by_their_names_beside_an_id() -> None:
    async with bench() as b:
        outputs = dict(await b.run("Async", inputs={"a": 1, "b": None}, node_id="C1"))
    id_ = outputs.pop("JobID")

    assert outputs == {"a": 1, "b": None}
    assert re.fullmatch(r"C1-[A-Z0-9]{12}", id_)


async def test_no_two_ids_are_the_same_and_none_can_be_chosen_by_an_input() -> None:
    async with bench() as b:
        ids = {(await b.run("Async", inputs={"JobID": "mine"}))["JobID"] for _ in range(100)}

    assert len(ids) == 100
    assert "mine" not in ids


async def test_it_starts_nothing_by_itself() -> None:
    async with bench() as b:
        await b.run("Async", inputs={"a": 1})
        assert b.host.jobs.pending == 0
