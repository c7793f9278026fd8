"""LogicAtLeast is verified if so many inputs are true, or more."""

import pytest
from pydantic import ValidationError

from sre_core.testing.bench import bench


@pytest.mark.parametrize(
    ("number", "values", "verified"),
    [
        (0, [0, 0], True),
        (0, [], True),
        ("1", [0, 1], True),
        ("1", [0, 0], False),
        (2, [1, 0, 1], True),
        (2, [1, 1, 1], True),
        ("3", [1, 0, 1], False),
    ],
)
async def test_so_many_inputs_must_be_true(number, values, verified):
    inputs = {f"in{n}": value for n, value in enumerate(values)}
    async with bench() as b:
        found = await b.run("LogicAtLeast", {"minSetInputs": number}, inputs=inputs)
    assert found == ({"Output": True, "Verified": True} if verified else {"Unverified": True})


@pytest.mark.parametrize("number", [-1, "-1", 10, "10"])
async def test_a_number_out_of_bounds_is_a_wrong_setting(number):
    async with bench() as b:
        with pytest.raises(ValidationError, match="minSetInputs"):
            await b.run("LogicAtLeast", {"minSetInputs": number}, inputs={"a": 1})
