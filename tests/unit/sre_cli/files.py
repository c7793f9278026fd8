"""`.smyth` files for the tests of commands."""

import json
from pathlib import Path
from typing import Any

LINKS = [
    {"sourceId": "IN", "sourceIndex": 1, "targetId": "OUT", "targetIndex": 0},
    {"sourceId": "IN", "sourceIndex": 2, "targetId": "OUT", "targetIndex": 1},
]


def linked(links: list[tuple[str, int, str, int]]) -> list[dict[str, Any]]:
    """Connections as a file has them."""
    names = ("sourceId", "sourceIndex", "targetId", "targetIndex")
    return [dict(zip(names, link, strict=True)) for link in links]


def echoing(port: str = "Any", **data: Any) -> dict[str, Any]:
    """What a file holds whose skill `ask(a, b)` returns its arguments; `b` may be missing."""
    inputs = [{"name": "a", "type": port}, {"name": "b", "type": "Any", "optional": True, "defaultVal": "-"}]
    outputs = [{"name": "body", "default": True}, {"name": "body.a"}, {"name": "body.b"}]
    return {
        "id": "echoer",
        "name": "Echoer",
        "components": [
            {
                "id": "IN",
                "name": "APIEndpoint",
                "title": "Ask",
                "data": {"endpoint": "ask", **data},
                "inputs": inputs,
                "outputs": outputs,
            },
            {
                "id": "OUT",
                "name": "APIOutput",
                "title": "Answer",
                "data": {"format": "minimal"},
                "inputs": [{"name": "a", "type": "Any"}, {"name": "b", "type": "Any"}],
                "outputs": [{"name": "Output", "default": True}],
            },
        ],
        "connections": LINKS,
    }


def slow() -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` returns after an hour."""
    found = echoing()
    found["components"][1] |= {
        "name": "FSleep",
        "data": {"delay": 3600},
        "inputs": [{"name": "Input", "type": "Any"}],
    }
    found["connections"] = linked([("IN", 1, "OUT", 0)])
    return found


def jobs() -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` begins a job that hashes, and returns the id of the job."""
    found = echoing()
    entry, answer = found["components"]
    fork = {
        "id": "JOB",
        "name": "Async",
        "title": "Later",
        "data": {},
        "inputs": [{"name": "a", "type": "Any"}],
        "outputs": [{"name": "JobID", "default": True}, {"name": "a"}],
    }
    digest = {
        "id": "HASH",
        "name": "FHash",
        "title": "Hash",
        "data": {"algorithm": "md5", "encoding": "hex"},
        "inputs": [{"name": "Data", "type": "Any"}],
        "outputs": [{"name": "Hash", "default": True}],
    }
    links = [("IN", 1, "JOB", 0), ("JOB", 0, "OUT", 0), ("JOB", 1, "HASH", 0)]
    answer["inputs"] = answer["inputs"][:1]
    return {**found, "components": [entry, fork, digest, answer], "connections": linked(links)}


def failing_job() -> dict[str, Any]:
    """`jobs`, where the node that hashes cannot run."""
    found = jobs()
    found["components"][2] = {**found["components"][2], "name": "NoSuchThing", "title": "Hash\x1b[2J"}
    return found


def awaited() -> dict[str, Any]:
    """`jobs`, whose skill waits for the job and returns its result."""
    found = jobs()
    entry, fork, digest, answer = found["components"]
    waiting = {
        "id": "WAIT",
        "name": "Await",
        "title": "Wait",
        "data": {"jobs_count": 1, "max_time": 600},
        "inputs": [{"name": "Jobs", "type": "Any"}],
        "outputs": [{"name": "Results", "default": True}],
    }
    links = [("IN", 1, "JOB", 0), ("JOB", 0, "WAIT", 0), ("WAIT", 0, "OUT", 0), ("JOB", 1, "HASH", 0)]
    return {**found, "components": [entry, fork, digest, waiting, answer], "connections": linked(links)}


def looping() -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` hashes each item of a list."""
    found = jobs()
    entry, _, digest, answer = found["components"]
    loop = {
        "id": "LOOP",
        "name": "ForEach",
        "title": "Each",
        "data": {"format": "results-array"},
        "inputs": [{"name": "Input", "type": "Any"}],
        "outputs": [{"name": "Loop", "default": True}, {"name": "Result", "default": True}],
    }
    links = [("IN", 1, "LOOP", 0), ("LOOP", 0, "HASH", 0), ("LOOP", 1, "OUT", 0)]
    return {**found, "components": [entry, loop, digest, answer], "connections": linked(links)}


def hooked(**data: Any) -> dict[str, Any]:
    """What a file holds whose trigger `hook` answers with what came in."""
    found = echoing()
    answer = {**found["components"][1], "inputs": [{"name": "got", "type": "Any"}]}
    trigger = {
        "id": "HOOK",
        "name": "WebhookTrigger",
        "title": "Hook",
        "data": {"triggerEndpoint": "hook", **data},
        "inputs": [],
        "outputs": [{"name": "Payload", "default": True}, {"name": "Result", "default": True}],
    }
    link = {"sourceId": "HOOK", "sourceIndex": 0, "targetId": "OUT", "targetIndex": 0}
    return {**found, "components": [trigger, answer], "connections": [link]}


def prompting(model: str) -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` returns what a model makes of its argument."""
    found = echoing()
    found["components"][1] = {
        "id": "OUT",
        "name": "PromptGenerator",
        "title": "Write",
        "data": {"model": model, "prompt": "Say {{a}}"},
        "inputs": [{"name": "a", "type": "Any"}],
        "outputs": [{"name": "Reply", "default": True}],
    }
    return {**found, "connections": LINKS[:1]}


def half_waiting() -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` answers, while a node with a telling title waits for a second input."""
    found = echoing()
    entry, answer = found["components"]
    waiting = {**answer, "id": "LATE", "title": "Late\x1b[2J"}
    answer = {**answer, "inputs": answer["inputs"][:1]}
    broken = {**failing()["components"][1], "id": "BAD", "outputs": [{"name": "Output", "default": True}]}
    links = [("IN", 1, "OUT", 0), ("IN", 1, "LATE", 0), ("IN", 1, "BAD", 0), ("BAD", 0, "LATE", 1)]
    return {**found, "components": [entry, answer, waiting, broken], "connections": linked(links)}


def failing() -> dict[str, Any]:
    """What a file holds whose skill `ask(a)` always fails."""
    found = echoing()
    found["components"][1] = {**found["components"][1], "id": "OUT", "name": "NoSuchThing", "title": "Broken"}
    return found


def write(folder: Path, content: dict[str, Any], name: str = "agent.smyth") -> Path:
    """Put a file there."""
    path = folder / name
    path.write_text(json.dumps(content))
    return path
