"""The logic components count inputs that are true, and take a branch."""

import math

import pytest
from pydantic import ValidationError

from sre_core.components.node import InputPort
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made

VERIFIED = {"Output": True, "Verified": True}
UNVERIFIED = {"Unverified": True}


async def verdict(name, inputs, data=None, ports=None):
    async with bench() as b:
        return await b.run(name, data, inputs=inputs, input_ports=ports)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, math.nan, ""])
async def test_these_values_count_as_false(value):
    assert await verdict("LogicAND", {"a": value}) == UNVERIFIED


@pytest.mark.parametrize("value", [True, 1, "false", "0", [], {}, {"a": 1}])
async def test_these_values_count_as_true(value):
    assert await verdict("LogicAND", {"a": value}) == VERIFIED


async def test_an_input_without_a_value_counts_as_false():
    assert await verdict("LogicAND", {"a": 1}, ports=["a", "b"]) == UNVERIFIED


async def test_only_the_inputs_of_the_node_count():
    inputs = {"a": 1, "variable": 0, "other": 1}
    assert await verdict("LogicAND", inputs, ports=["a"]) == VERIFIED
    assert await verdict("LogicXOR", inputs, ports=["a"]) == VERIFIED


async def test_the_type_of_an_input_does_not_matter():
    assert await verdict("LogicOR", {"a": 0}, ports=[InputPort(name="a", type="Boolean", optional=True)]) == UNVERIFIED


@pytest.mark.parametrize("name", ["LogicAtLeast", "LogicAtMost"])
@pytest.mark.parametrize("number", [None, "", "3", 3, "2.5"])
async def test_a_number_that_cannot_be_takes_neither_branch_and_is_told_before(name, number):
    data = {"minSetInputs": number, "maxSetInputs": number}
    assert await verdict(name, {"a": 1, "b": 1}, data) == {}
    assert "neither branch" in made(name, data, inputs=["a", "b"]).check()[0].message


@pytest.mark.parametrize("name", ["LogicAtLeast", "LogicAtMost"])
@pytest.mark.parametrize("number", ["0", 1, " 2 ", 2.0, "2.0", "1e0"])
def test_a_number_that_can_be_has_nothing_to_tell(name, number):
    assert made(name, {"minSetInputs": number, "maxSetInputs": number}, inputs=["a", "b"]).check() == []


@pytest.mark.parametrize(("name", "verified"), [("LogicAtLeast", False), ("LogicAtMost", True)])
@pytest.mark.parametrize("number", ["1.5", 1.5])
async def test_a_number_between_two_is_compared_as_it_is(name, verified, number):
    data = {"minSetInputs": number, "maxSetInputs": number}
    assert await verdict(name, {"a": 1, "b": 0}, data) == (VERIFIED if verified else UNVERIFIED)


@pytest.mark.parametrize("name", ["LogicAtLeast", "LogicAtMost"])
@pytest.mark.parametrize("number", ["many", "0x1", "nan", "inf", [2]])
async def test_what_is_no_number_is_a_wrong_setting(name, number):
    with pytest.raises(ValidationError, match="SetInputs"):
        await verdict(name, {"a": 1}, {"minSetInputs": number, "maxSetInputs": number})


@pytest.mark.parametrize("name", ["LogicAND", "LogicOR", "LogicXOR"])
def test_without_a_number_there_is_nothing_to_tell(name):
    assert list(made(name).check()) == []
