"""The file that `sre call --trace` writes."""

import json
from pathlib import Path

from sre_cli.trace import Trace
from sre_core.events import StepFinished, TextDelta


async def test_events_are_written_in_order_with_what_came_of_the_call(tmp_path: Path) -> None:
    trace = Trace("bob", "ask", {"q": 1})
    await trace.hear(StepFinished(step="A#0", node_id="A", outputs={"x": [1]}, seconds=0.5))
    await trace.hear(TextDelta(text="hi"))
    trace.result = {"y": None}
    trace.failures, trace.waiting = ["X (1): bad"], ["Y (2) waits for 'a' from Z"]
    trace.write(tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())
    assert [event["type"] for event in found["events"]] == ["step_finished", "text_delta"]
    assert found["events"][0]["outputs"] == {"x": [1]}
    assert (found["agent"], found["skill"], found["arguments"]) == ("bob", "ask", {"q": 1})
    assert (found["result"], found["error"]) == ({"y": None}, None)
    assert (found["failures"], found["waiting"]) == (["X (1): bad"], ["Y (2) waits for 'a' from Z"])
    assert found["seconds"] >= 0


async def test_what_json_and_utf8_do_not_have_is_written_all_the_same(tmp_path: Path) -> None:
    trace = Trace("bob", "ask", {})
    await trace.hear(StepFinished(step="A#0", outputs={"half": "\ud800", "path": Path("x"), "bytes": b"\xff"}))
    trace.write(tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))["events"][0]["outputs"]
    assert found == {"half": "?", "path": "x", "bytes": "_w=="}
