"""Everything that happens, as values: what the CLI prints, hooks observe, streams carry and tests read."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from sre_core.messages import FinishReason, Usage

__all__ = [
    "AccessDecided",
    "Emit",
    "Event",
    "JobFinished",
    "ModelTimed",
    "RunFailed",
    "RunFinished",
    "RunStarted",
    "SkillCalled",
    "SkillReturned",
    "StepFinished",
    "StepStarted",
    "TextDelta",
    "ThinkingDelta",
    "UsageReported",
    "current_emit",
    "discard",
]


def _new_id() -> str:
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Root of all events. `time` is in seconds since the epoch; `run_id` is empty outside a run."""

    type: ClassVar[str] = "event"

    run_id: str = ""
    agent_id: str = ""
    id: str = field(default_factory=_new_id)
    time: float = field(default_factory=time.time)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON, with the event's `type` first.

        What JSON does not have becomes text, and so does what is nested too deep, or in itself.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        try:
            return {"type": self.type, **_jsonable(values)}
        except ValueError:
            return {"type": self.type, **{name: _jsonable_or_told(value) for name, value in values.items()}}


def _jsonable(value: Any) -> Any:
    # An agent that is only constructed writes no events.
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, fallback=_plain, bytes_mode="base64")


def _jsonable_or_told(value: Any) -> Any:
    try:
        return _jsonable(value)
    except ValueError as error:
        return f"a {type(value).__name__} that cannot be shown: {error}"


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


Emit = Callable[[Event], Awaitable[None]]
"""Takes an event; may wait, when its reader is slower than the run."""

# Who acts deep inside a run (the guard, above all) reports to that run without being handed its callback.
current_emit: ContextVar[Emit | None] = ContextVar("sre_current_emit", default=None)


async def discard(event: Event) -> None:
    """An `Emit` that drops what it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """An agent begins to answer a prompt."""

    type = "run_started"
    prompt: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(Event):
    """The model wrote some text."""

    type = "text_delta"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingDelta(Event):
    """The model thought aloud; this text is never part of the reply."""

    type = "thinking_delta"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillCalled(Event):
    """The model asked for a skill; `arguments` is JSON text as the model wrote it."""

    type = "skill_called"
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillReturned(Event):
    """A skill ended; `result` is what the model will read, `seconds` how long it took."""

    type = "skill_returned"
    call_id: str
    name: str
    result: str
    is_error: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported(Event):
    """Tokens of one model turn."""

    type = "usage_reported"
    usage: Usage
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTimed(Event):
    """How fast a model on this machine was in one turn.

    `first_token_seconds` is from the request to the first piece of the reply, waiting and reading the prompt included;
    `tokens_per_second` is the rate after it, None for a reply that came in one piece. `queue_length` counts the
    requests that waited when it ended.
    """

    type = "model_timed"
    model: str
    first_token_seconds: float
    tokens_per_second: float | None
    usage: Usage
    queue_length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDecided(Event):
    """The guard allowed or denied an access, and why."""

    type = "access_decided"
    candidate: str
    access: str
    resource: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """A run ended well."""

    type = "run_finished"
    text: str
    finish_reason: FinishReason
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(Event):
    """A run ended with an error; `code` is the error's, or "cancelled"."""

    type = "run_failed"
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A node of a workflow begins; `step` is its key in the run, "L1#0[12]/A1#0" in round 12 of the loop L1."""

    type = "step_started"
    step: str
    node_id: str = ""
    title: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A node of a workflow ended; `error` is empty when it went well."""

    type = "step_finished"
    step: str
    node_id: str = ""
    title: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished(Event):
    """A job of a workflow ended, perhaps after the call that began it; `job` is its id, `node_id` the node of that.

    `failures` and `waiting` name the nodes of the job that failed, and those that wait for inputs in vain. Both are
    empty when it went well.
    """

    type = "job_finished"
    job: str
    step: str
    node_id: str = ""
    title: str = ""
    failures: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
