"""LogicAND is verified if all inputs are true."""

import pytest

from sre_core.testing.bench import bench


@pytest.mark.parametrize(
    ("values", "verified"),
    [([], True), ([1], True), ([0], False), ([1, 1, 1], True), ([1, 0, 1], False), ([0, 0], False)],
)
async def test_all_inputs_must_be_true(values, verified):
    inputs = {f"in{n}": value for n, value in enumerate(values)}
    async with bench() as b:
        found = await b.run("LogicAND", inputs=inputs)
    assert found == ({"Output": True, "Verified": True} if verified else {"Unverified": True})
