"""Calls in chat completions, as servers number and cut them that do not do it as OpenAI does."""

import json
from typing import Any

import pytest

from sre_core.connectors.llm import fold
from sre_openai.dialect import Dialect
from sre_openai.presets import PRESETS

from .replies import chat_events  # noqa: TID252 -- the folder of tests is no package


def piece(arguments: Any = None, *, name: Any = None, **numbers: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return numbers | {"function": {key: value for key, value in function.items() if value is not None}}


def calls_of(*pieces: dict[str, Any]) -> list[tuple[str, str, str]]:
    reader = Dialect("chat", PRESETS["compatible"], place="host").reader()
    chunks = []
    for one in pieces:
        events = [*chat_events("", finish=None), {"choices": [{"index": 0, "delta": {"tool_calls": [one]}}]}]
        chunks += reader.read([json.dumps(event).encode() for event in events])
    chunks += reader.read([json.dumps(event).encode() for event in chat_events(finish="tool_calls")])
    reply = fold([*chunks, *reader.rest(), reader.end()])
    return [(call.id, call.name, call.arguments) for call in reply.message.skill_calls]


ONE = [("a", "f", '{"x": 1}')]
TWO = [("a", "f", '{"x": 1}'), ("b", "g", '{"y": 2}')]


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        pytest.param(
            [piece("", name="f", id="a", index=0), piece('{"x"', index=0), piece(": 1}", index=0)], ONE, id="as OpenAI"
        ),
        pytest.param([piece('{"x"', name="f", id="a"), piece(": 1}", id="a")], ONE, id="no index, the id again"),
        pytest.param(
            [piece('{"x"', name="f", id="a"), piece(": 1}", name="f", id="a")], ONE, id="no index, id and name again"
        ),
        pytest.param(
            [piece('{"x"', name="f", id="a", index=0), piece(": 1}", name="f", id="a", index=0)],
            ONE,
            id="id and name again",
        ),
        pytest.param(
            [piece('{"x": 1}', name="f", id="a", index=0), piece("", name="f", id="a", index=0)],
            ONE,
            id="id and name again at the end",
        ),
        pytest.param([piece('{"x": 1}', name="f", id="a", index=0)] * 2, ONE, id="all of it again"),
        pytest.param(
            [piece('{"x"', name="f", id="a", index=0), piece(": 1}", id="b", index=0)], ONE, id="a new id for a piece"
        ),
        pytest.param(
            [piece("", name="f", index=0), piece('{"x": 1}', id="a", index=0)],
            [("call_0", "f", '{"x": 1}')],
            id="the id after the name",
        ),
        pytest.param([piece({"x": 1}, name="f", id="a", index=0)], ONE, id="an object"),
        pytest.param([piece('{"x": 1}', name="f", id=7, index=0)], [("7", "f", '{"x": 1}')], id="an id of digits"),
        pytest.param(
            [
                piece('{"y"', name="g", id="b", index=5),
                piece('{"x"', name="f", id="a", index=2),
                piece(": 2}", index=5),
                piece(": 1}", index=2),
            ],
            TWO[::-1],
            id="out of order, with gaps",
        ),
        pytest.param(
            [piece('{"x": 1}', name="f", id="a", index=0), piece('{"y": 2}', name="g", id="b", index=0)],
            TWO,
            id="one index for all",
        ),
        pytest.param(
            [piece('{"x": 1}', name="f", id="", index=0), piece('{"y": 2}', name="g", id="", index=0)],
            [("call_0", *TWO[0][1:]), ("call_1", *TWO[1][1:])],
            id="one index for all, no ids",
        ),
        pytest.param(
            [piece('{"x": 1}', name="f", index=0), piece('{"x": 1}', name="f", index=0)],
            [("call_0", *ONE[0][1:]), ("call_1", *ONE[0][1:])],
            id="one index and one call, twice, no ids",
        ),
        pytest.param(
            [piece('{"x": 1}', name="f", id="c", index=0), piece('{"x": 2}', name="f", id="c", index=0)],
            [("c", "f", '{"x": 1}'), ("c", "f", '{"x": 2}')],
            id="one index and one id for all",
        ),
        pytest.param(
            [piece('{"x": 1}', name="f", id="c", index=0), piece('{"y": 2}', name="g", id="c", index=1)],
            [("c", *TWO[0][1:]), ("c", *TWO[1][1:])],
            id="one id for all",
        ),
        pytest.param(
            [piece('{"x"', name="f", id="a"), piece(": 1}"), piece('{"y"', name="g", id="b"), piece(": 2}")],
            TWO,
            id="no index",
        ),
        pytest.param(
            [piece("", name="f"), piece("", name="f")],
            [("call_0", "f", ""), ("call_1", "f", "")],
            id="no index, no ids, no arguments",
        ),
    ],
)
def test_calls_are_told_apart(pieces: list[dict[str, Any]], found: list[tuple[str, str, str]]):
    assert calls_of(*pieces) == found


@pytest.mark.parametrize("name", [3, {"a": 1}, ["f"]])
def test_a_name_that_is_no_text_is_not_of_the_protocol(name: Any):
    with pytest.raises(TypeError):
        calls_of(piece("{}", name=name, id="a", index=0))
