"""Makes the content of small `.smyth` files, and has the real ones of SmythOS/sre."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "data/smyth"
REAL = sorted(FOLDER.glob("*.smyth"))


def component(id_: str, type_: str = "FSleep", **more: Any) -> dict[str, Any]:
    """A component with one input and one output, and what `more` says else."""
    return {
        "id": id_,
        "name": type_,
        "title": f"The {id_}",
        "displayName": type_,
        "inputs": [{"name": "Input", "type": "Any", "index": 0}],
        "outputs": [{"name": "Output", "index": 0, "default": True}],
        "data": {},
        **more,
    }


def endpoint(id_: str = "E", name: str = "ask", **more: Any) -> dict[str, Any]:
    """An endpoint with an input `text`, which is its output 1."""
    return component(
        id_,
        "APIEndpoint",
        **{
            "inputs": [{"name": "text", "type": "Any", "index": 0}],
            "outputs": [{"name": "body", "index": 0, "default": True}, {"name": "body.text", "index": 1}],
            "data": {"endpoint": name, "method": "POST"},
            **more,
        },
    )


def link(source: str, target: str, output: int | str = 0, input_: int | str = 0, **more: Any) -> dict[str, Any]:
    return {"sourceId": source, "sourceIndex": output, "targetId": target, "targetIndex": input_, **more}


def agent(*components: Any, links: Any = (), **more: Any) -> dict[str, Any]:
    return {"id": "a1", "components": list(components), "connections": list(links), **more}


def text(content: Any) -> str:
    return json.dumps(content)
