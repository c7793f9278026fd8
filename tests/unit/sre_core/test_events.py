"""Tests of events: each becomes plain data for JSON, has a type of its own, and an id and a time."""

import dataclasses
import json
import threading
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from sre_core import events
from sre_core.events import AccessDecided, Event, RunFinished, RunStarted, StepFinished, current_emit, discard
from sre_core.messages import FinishReason, Usage

KINDS = [
    kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]
VALUES = {"usage": Usage(input_tokens=1, output_tokens=2), "finish_reason": FinishReason.STOP, "allowed": True}


def made(kind: type[Event]) -> Event:
    needed = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is field.default_factory is dataclasses.MISSING
    ]
    return kind(**{name: VALUES.get(name, "text") for name in needed})  # type: ignore[arg-type]


def test_there_are_events_and_all_are_public() -> None:
    assert len(KINDS) > 10
    assert {kind.__name__ for kind in KINDS} <= set(events.__all__)


def test_every_event_has_a_type_of_its_own() -> None:
    assert len({kind.type for kind in [Event, *KINDS]}) == len(KINDS) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_becomes_plain_data_with_its_type_first(kind: type[Event]) -> None:
    event = made(kind)
    data = event.to_dict()
    assert next(iter(data)) == "type"
    read: dict[str, Any] = json.loads(json.dumps(data))
    assert read["type"] == kind.type
    assert set(read) == {"type", *(field.name for field in dataclasses.fields(kind))}


def test_nested_values_are_plain_too() -> None:
    event = RunFinished(text="x", finish_reason=FinishReason.STOP, usage=Usage(input_tokens=1))
    data = json.loads(json.dumps(event.to_dict()))
    assert data["usage"]["input_tokens"] == 1
    assert data["finish_reason"] == "stop"


def test_every_event_has_an_id_of_its_own_and_the_time() -> None:
    before = time.time()
    first, second = RunStarted(prompt="x"), RunStarted(prompt="x")
    assert first.id != second.id
    assert before <= first.time <= second.time <= time.time()


def test_an_event_never_changes() -> None:
    event = AccessDecided(candidate="a", access="read", resource="x", allowed=False, reason="no")
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.allowed = True  # type: ignore[misc]


async def test_outside_a_run_nobody_listens() -> None:
    assert current_emit.get() is None
    await discard(RunStarted(prompt="x"))


def test_what_the_steps_of_a_workflow_give_becomes_plain_data_whatever_it_is() -> None:
    outputs = {
        "proxy": MappingProxyType({"a": MappingProxyType({})}),
        "lock": threading.Lock(),
        "bytes": b"\xff",
        "keys": {("a", 1): 1},
        "set": {1},
        "path": Path("x"),
        "half": "\ud800",
    }
    data = StepFinished(step="A#0", outputs=outputs).to_dict()["outputs"]
    assert data.pop("lock").startswith("<unlocked _thread.lock")
    assert len(data.pop("keys")) == 1
    assert json.loads(json.dumps(data)) == {
        "proxy": {"a": {}},
        "bytes": "_w==",
        "set": [1],
        "path": "x",
        "half": "\ud800",
    }


def test_what_is_nested_too_deep_or_in_itself_is_told_and_the_rest_stays() -> None:
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    around: dict[str, Any] = {}
    around["self"] = around
    for value in (deep, around):
        data = json.loads(
            json.dumps(StepFinished(step="A#0", node_id="A", outputs={"x": value}, seconds=0.5).to_dict())
        )
        assert data["outputs"].startswith("a dict that cannot be shown: ")
        assert (data["type"], data["step"], data["seconds"]) == ("step_finished", "A#0", 0.5)
