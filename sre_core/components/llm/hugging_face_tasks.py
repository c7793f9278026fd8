"""The tasks of Hugging Face: which inputs each has, and the payload that they make.

As https://huggingface.co/docs/inference-providers/tasks and the schemas at
https://github.com/huggingface/huggingface.js/tree/main/packages/tasks describe them.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sre_core.components.loose_json import parse_loose_json
from sre_core.components.template import as_text
from sre_core.errors import ComponentError
from sre_core.messages import File

__all__ = ["TASKS", "Payload", "Task", "TaskInput", "make_payload", "match_inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInput:
    """Something that a task is given. `place` says where it goes in the payload.

    "inputs" is all of `inputs`, "field" a field of it, "parameter" one of `parameters`.
    """

    name: str
    kind: Literal["file", "json", "list", "text"] = "text"
    place: Literal["field", "inputs", "parameter"] = "inputs"
    aliases: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task. `pipeline`: its name stands in the address, for models that can do several.

    `flat` sends the parameters beside the inputs.
    """

    inputs: tuple[TaskInput, ...]
    pipeline: bool = False
    flat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What is sent."""

    data: bytes
    media_type: str


_TEXT = TaskInput(name="text", aliases=("input", "inputs", "prompt"))
_IMAGE = TaskInput(name="image", kind="file", aliases=("input",))
_AUDIO = TaskInput(name="audio", kind="file", aliases=("input",))
_QUESTION = TaskInput(name="question", place="field", aliases=("query",))
_LABELS = TaskInput(
    name="candidate_labels", kind="list", place="parameter", aliases=("labels", "categories"), optional=True
)
_FIELD_IMAGE = TaskInput(name="image", kind="file", place="field")
_TABLE = TaskInput(name="table", kind="json", place="field", aliases=("data", "input"))

_ON_TEXT = Task(inputs=(_TEXT,))
_ON_IMAGE = Task(inputs=(_IMAGE,))
_ON_AUDIO = Task(inputs=(_AUDIO,))
_ON_TABLE = Task(inputs=(_TABLE,))
_ON_IMAGE_AND_QUESTION = Task(inputs=(_FIELD_IMAGE, _QUESTION))

TASKS: Mapping[str, Task] = {
    "audio-classification": _ON_AUDIO,
    "audio-to-audio": _ON_AUDIO,
    "automatic-speech-recognition": _ON_AUDIO,
    "document-question-answering": _ON_IMAGE_AND_QUESTION,
    "feature-extraction": Task(inputs=(_TEXT,), pipeline=True, flat=True),
    "fill-mask": _ON_TEXT,
    "image-classification": _ON_IMAGE,
    "image-segmentation": _ON_IMAGE,
    "image-to-image": Task(inputs=(_IMAGE, TaskInput(name="prompt", place="parameter", optional=True))),
    "image-to-text": _ON_IMAGE,
    "object-detection": _ON_IMAGE,
    "question-answering": Task(inputs=(_QUESTION, TaskInput(name="context", place="field"))),
    "sentence-similarity": Task(
        inputs=(
            TaskInput(name="source_sentence", place="field", aliases=("source",)),
            TaskInput(name="sentences", kind="list", place="field"),
        ),
        pipeline=True,
    ),
    "summarization": _ON_TEXT,
    "table-question-answering": Task(
        inputs=(TaskInput(name="query", place="field", aliases=("question",)), _TABLE),
    ),
    "tabular-classification": _ON_TABLE,
    "tabular-regression": _ON_TABLE,
    "text-classification": _ON_TEXT,
    "text-generation": _ON_TEXT,
    "text-to-image": _ON_TEXT,
    "text-to-speech": _ON_TEXT,
    "token-classification": _ON_TEXT,
    "translation": _ON_TEXT,
    "visual-question-answering": _ON_IMAGE_AND_QUESTION,
    "zero-shot-classification": Task(inputs=(_TEXT, _LABELS)),
    "zero-shot-image-classification": Task(inputs=(_IMAGE, _LABELS)),
}
"""All tasks, by the names that Hugging Face gives them."""


def match_inputs(task: Task, given: Mapping[str, Any]) -> tuple[dict[TaskInput, Any], dict[str, Any]]:
    """The inputs of a task among those of a node, and what is left, which are parameters.

    Names are compared without case and marks, `Source_sentence` is `sourceSentence`. A task of one input takes the
    one that there is, whatever it is called. Raises ComponentError for one that is missing.
    """
    rest = {name: value for name, value in given.items() if value is not None}
    found: dict[TaskInput, Any] = {}
    for wanted in task.inputs:
        names = [_plain(name) for name in (wanted.name, *wanted.aliases)]
        match = min((name for name in rest if _plain(name) in names), key=lambda n: names.index(_plain(n)), default="")
        if not match and len(task.inputs) == 1 and len(rest) == 1:
            match = next(iter(rest))
        if match:
            found[wanted] = rest.pop(match)
        elif not wanted.optional:
            raise ComponentError(
                f"the task has no input {wanted.name!r}", hint=f"link one of that name; there are {', '.join(given)}"
            )
    return found, rest


def make_payload(task: Task, found: Mapping[TaskInput, Any], parameters: Mapping[str, Any]) -> Payload:
    """The body of the request; files among the inputs have been read. Raises ComponentError."""
    parameters = dict(parameters)
    fields: dict[str, Any] = {}
    whole: Any = None
    for wanted, value in found.items():
        if wanted.place == "parameter":
            parameters[wanted.name] = _written(wanted, value)
        elif wanted.place == "field":
            fields[wanted.name] = _written(wanted, value)
        else:
            whole = value
    if isinstance(whole, File) and not parameters:
        return Payload(data=whole.data, media_type=whole.media_type)
    if isinstance(whole, File):
        whole = _packed(whole)
    body: dict[str, Any] = {"inputs": fields or as_text(whole)}
    if parameters:
        body |= parameters if task.flat else {"parameters": parameters}
    return Payload(data=json.dumps(body).encode(), media_type="application/json")


def _written(wanted: TaskInput, value: Any) -> Any:
    if isinstance(value, File):
        return _packed(value)
    if wanted.kind == "list":
        return _list(value)
    if wanted.kind == "json" and isinstance(value, str):
        return parse_loose_json(value)
    return value if wanted.kind == "json" else as_text(value)


def _list(value: Any) -> Sequence[str]:
    """A list, JSON of one, or entries with line breaks or commas between."""
    if isinstance(value, str):
        if value.strip().startswith("["):
            value = parse_loose_json(value)
        else:
            value = value.splitlines() if "\n" in value.strip() else value.split(",")
    items = value if isinstance(value, list | tuple) else [value]
    return [text for item in items if (text := as_text(item).strip())]


def _packed(file: File) -> str:
    return base64.b64encode(file.data).decode()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
