from typing import Any

import pytest

from sre_core.components.flow.api_output import APIOutput
from sre_core.components.node import InputPort, Node
from sre_core.testing.bench import bench

PORTS = [InputPort(name="b"), InputPort(name="a"), InputPort(name="unused")]
INPUTS = {"a": {"k": [1]}, "b": "text", "AGENT_VARIABLE": "private"}
ENVELOPE = {"id": "N", "name": "APIOutput", "result": {"Output": {"a": 1}}}


def output(**data: Any) -> APIOutput:
    made = APIOutput.of(Node(id="N", type="APIOutput", data=data))
    assert isinstance(made, APIOutput)
    return made


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("full", {"b": "text", "a": {"k": [1]}}),
        ("minimal", {"b": "text", "a": {"k": [1]}}),
        ("", {"b": "text", "a": {"k": [1]}}),
        ("raw", 'text{"k":[1]}'),
    ],
)
async def test_the_declared_inputs_are_collected_in_their_order(format_: str, expected: Any) -> None:
    async with bench() as b:
        found = await b.run("APIOutput", {"format": format_}, inputs=INPUTS, input_ports=PORTS)
    assert found == {"Output": expected}
    assert not isinstance(expected, dict) or list(found["Output"]) == ["b", "a"]


@pytest.mark.parametrize(("format_", "expected"), [("full", {"a": None, "b": ""}), ("raw", "")])
async def test_what_came_empty_is_there_and_what_never_came_is_not(format_: str, expected: Any) -> None:
    async with bench() as b:
        inputs = {"a": None, "b": ""}
        assert await b.run("APIOutput", {"format": format_}, inputs=inputs, input_ports=PORTS) == {"Output": expected}


@pytest.mark.parametrize(
    "data",
    [
        {"format": "minimal"},
        {"format": "full", "contentType": "text/html"},
        {"format": "raw", "contentType": "text/plain"},
        {"format": "minimal", "contentType": "application/xml"},
    ],
)
def test_an_answer_in_its_own_form_has_no_envelope(data: dict[str, Any]) -> None:
    assert output(**data).present({"Output": {"a": 1}}, ENVELOPE) == {"a": 1}
    assert output(**data).present({"Output": ""}, ENVELOPE) == ""
    assert output(**data).present({"_error": "it broke"}, ENVELOPE) == "it broke"


@pytest.mark.parametrize("data", [{}, {"format": "full"}, {"format": "raw", "contentType": "application/json"}])
def test_all_others_keep_it(data: dict[str, Any]) -> None:
    assert output(**data).present({"Output": {"a": 1}}, ENVELOPE) is ENVELOPE
