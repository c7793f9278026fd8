"""LogicXOR is verified if exactly one input is true."""

import pytest

from sre_core.testing.bench import bench


@pytest.mark.parametrize(
    ("values", "verified"),
    [([], False), ([1], True), ([0], False), ([1, 1], False), ([0, 1, 0], True), ([1, 1, 1], False), ([0, 0], False)],
)
async def test_one_input_must_be_true_and_no_other(values, verified):
    inputs = {f"in{n}": value for n, value in enumerate(values)}
    async with bench() as b:
        found = await b.run("LogicXOR", inputs=inputs)
    assert found == ({"Output": True, "Verified": True} if verified else {"Unverified": True})
