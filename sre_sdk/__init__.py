"""Agents in a few lines: what user code imports."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sre_core.access.acl import Access
from sre_core.access.candidate import Candidate
from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.errors import (
    AccessDeniedError,
    AgentError,
    ConfigError,
    ConflictError,
    ConnectorError,
    InvalidWorkflowError,
    LimitExceededError,
    ModelReplyError,
    NotFoundError,
    SkillError,
    SREError,
    StepFailedError,
    WorkflowError,
)
from sre_core.events import (
    AccessDecided,
    Event,
    JobFinished,
    RunFailed,
    RunFinished,
    RunStarted,
    SkillCalled,
    SkillReturned,
    StepFinished,
    StepStarted,
    TextDelta,
    ThinkingDelta,
    UsageReported,
)
from sre_core.messages import File, FinishReason, Message, SkillCall, Usage
from sre_core.skills import Skill, SkillContext
from sre_sdk.agent import Agent
from sre_sdk.model import Model
from sre_sdk.run import Run
from sre_sdk.team import Team

if TYPE_CHECKING:
    from sre_core.components.compat import Compat
    from sre_core.runtime import Runtime
    from sre_core.workflows.limits import WorkflowLimits
    from sre_sdk import sync
    from sre_sdk.building import Component
    from sre_sdk.chat import Chat

__all__ = [
    "Access",
    "AccessDecided",
    "AccessDeniedError",
    "Agent",
    "AgentError",
    "Candidate",
    "Chat",
    "Compat",
    "Component",
    "ConfigError",
    "ConflictError",
    "ConnectorError",
    "Event",
    "File",
    "FinishReason",
    "InvalidWorkflowError",
    "JobFinished",
    "LimitExceededError",
    "Limits",
    "Message",
    "Model",
    "ModelReplyError",
    "NotFoundError",
    "Reply",
    "Run",
    "RunFailed",
    "RunFinished",
    "RunStarted",
    "Runtime",
    "SREError",
    "Skill",
    "SkillCall",
    "SkillCalled",
    "SkillContext",
    "SkillError",
    "SkillReturned",
    "StepFailedError",
    "StepFinished",
    "StepStarted",
    "Team",
    "TextDelta",
    "ThinkingDelta",
    "Usage",
    "UsageReported",
    "WorkflowError",
    "WorkflowLimits",
    "sync",
]


# These bring the kernel, which takes longer to load than all the rest, and which an agent needs at its first prompt.
_LATER = {
    "Chat": "sre_sdk.chat",
    "Compat": "sre_core.components.compat",
    "Component": "sre_sdk.building",
    "Runtime": "sre_core.runtime",
    "WorkflowLimits": "sre_core.workflows.limits",
}


def __getattr__(name: str) -> Any:
    if name == "sync":
        return import_module("sre_sdk.sync")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
