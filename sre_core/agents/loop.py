"""The agent loop: turns of a model, and the skills that it asks for, until it answers."""

from collections.abc import Mapping
from typing import Any

from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.connectors.llm import LLM, LLMRequest
from sre_core.events import Emit
from sre_core.skills import Skill, SkillContext
from sre_core.steps import Steps

__all__ = ["run"]


async def run(
    *,
    llm: LLM,
    conversation: Conversation,
    skills: Mapping[str, Skill],
    limits: Limits,
    steps: Steps,
    emit: Emit,
    context: SkillContext,
    base: LLMRequest,
    behavior: str = "",
    output_type: Any = None,
    run_id: str,
    agent_id: str,
) -> Reply:
    """Answer the last message of the conversation."""
    raise NotImplementedError
