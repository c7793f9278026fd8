"""The files of SmythOS, unchanged: every endpoint that needs nothing from outside returns what the original returned.

`golden.json` holds what the original, 1.7.42, returned. What no two runs have in common is left out of the comparison:
the ids of jobs, the names of stored files, the time of day. Where a node sleeps for seconds, it sleeps for none here.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sre_core.errors import StepFailedError
from sre_core.workflows import smyth
from sre_sdk import Agent

DATA = Path(__file__).parents[2] / "data" / "smyth"
GOLDEN = json.loads((DATA / "golden.json").read_text())
CASES = [
    (file, endpoint)
    for file, endpoints in GOLDEN.items()
    for endpoint, case in endpoints.items()
    if "result" in case and endpoint != "sign"
]


def awake(file: str) -> dict[str, Any]:
    """What the file holds, with no node that sleeps."""
    document = json.loads((DATA / file).read_text())
    for component in document["components"]:
        if component["name"] == "FSleep":
            component["data"]["delay"] = "0"
    return document


def comparable(value: Any) -> Any:
    """The value without what differs from run to run."""
    if isinstance(value, dict):
        found = {re.sub(r"^([A-Z0-9]+)-[A-Z0-9]{9,}$", r"\1-JOB", key): comparable(item) for key, item in value.items()}
        # Several jobs of one node are told apart by their ids alone.
        jobs = [item for key, item in value.items() if re.fullmatch(r"[A-Z0-9]+-[A-Z0-9]{9,}", key)]
        return {**found, "jobs": [comparable(job) for job in jobs]} if jobs else found
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"[A-Z0-9]{9,}-(\w+\.txt)", r"UID-\1", value)
    if isinstance(value, int) and value > 1_000_000_000_000:
        return "a time in ms"
    return value


@pytest.fixture(params=["echo"])
def model(request, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRE_CONNECTORS__LLM__DEFAULT__USE", request.param)
    monkeypatch.setenv("SRE_DATA", str(tmp_path / "data"))
    return request.param


@pytest.mark.parametrize(("file", "endpoint"), CASES)
async def test_an_endpoint_returns_what_the_original_returned(file, endpoint, model):
    case = GOLDEN[file][endpoint]
    async with Agent.load(awake(file)) as agent:
        found = await agent.call(endpoint, **case["inputs"])
    assert comparable(found) == comparable(case["result"]["data"])


async def test_an_error_is_raised_where_the_original_returns_it(model):
    case = GOLDEN["functions-components.smyth"]["sign"]
    agent = Agent.load(DATA / "functions-components.smyth")
    with pytest.raises(StepFailedError, match="Key came in 2 times"):
        await agent.call("sign", **case["inputs"])
    outcome = await agent.execute("sign", case["inputs"])
    wanted = case["result"]["data"]
    assert {**outcome.data, "result": {}} == {**wanted, "result": {}}
    assert list(outcome.data["result"]) == list(wanted["result"]) == ["_error"]


async def test_a_job_that_nobody_awaits_comes_to_its_end_all_the_same(model):
    events = []

    async def hear(event):
        events.append(event)

    async with Agent.load(awake("async-await-foreach-tests.smyth")) as agent:
        outcome = await agent.execute("no-await-async", {"prompt": "x"}, emit=hear)
        assert outcome.data == []
    ended = [event for event in events if event.type == "step_finished" and event.node_id == "CLZH0W7PG2HK"]
    assert [event.outputs for event in ended] == [{"Reply": "Summarize the input text\nInput : x"}]


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.smyth")))
async def test_loading_and_saving_changes_nothing(file, tmp_path):
    agent = Agent.load(DATA / file)
    agent.save(tmp_path / "copy.smyth")
    before = json.loads((DATA / file).read_text())
    after = json.loads((tmp_path / "copy.smyth").read_text())
    made_up = {"id", "name"} - before.keys()
    assert {key: value for key, value in after.items() if key not in made_up} == before


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.smyth")))
async def test_running_a_file_does_not_change_what_was_read(file, model):
    workflow = smyth.read_file(DATA / file)
    before = json.dumps(workflow.document)
    agent = Agent.load(workflow.document)
    for endpoint, case in GOLDEN[file].items():
        if "result" in case and endpoint in {"hash", "for-each-job", "say", "ask"}:
            await agent.call(endpoint, **case["inputs"])
            await agent.call(endpoint, **case["inputs"])
    assert json.dumps(workflow.document) == before


async def test_an_agent_uses_the_one_that_lies_beside_it(model, tmp_path):
    (tmp_path / "subagent.smyth").write_text((DATA / "subagent.smyth").read_text())
    (tmp_path / "parent.smyth").write_text((DATA / "parent-agent.smyth").read_text())
    agent = Agent.load(tmp_path / "parent.smyth", models={"*": "echo"})
    found = await agent.call("ask", question='call ask {"question": "what is it?"}')
    assert "the system is busy" in found["result"]["Output"]["result"]
