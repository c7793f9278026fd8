"""Agents into `.smyth` files."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sre_core.errors import AgentError
from sre_core.workflows import smyth
from sre_core.workflows.graph import Workflow
from sre_sdk.model import model_name

if TYPE_CHECKING:
    from sre_sdk.agent import Agent

__all__ = ["save_agent", "workflow_of"]


def workflow_of(agent: "Agent") -> Workflow:
    """The agent's workflow, with the agent's own settings. Raises AgentError for skills that no file can hold."""
    workflow = agent.workflow or Workflow(id=agent.id)
    code = sorted({*agent.skills, *agent._named} - workflow.endpoints.keys())  # noqa: SLF001 -- a part of the class
    if code:
        raise AgentError(
            f"agent {agent.id!r} has skills that are Python functions: {', '.join(code)}",
            hint="keep them in Python, and load the file there; or build them of components",
        )
    return replace(
        workflow,
        id=agent.id,
        name=agent.name,
        behavior=agent.behavior,
        team=agent.team,
        model=model_name(agent.model),
    )


def save_agent(agent: "Agent", path: str | Path) -> None:
    """Write the file, whole or not at all. Raises AgentError, OSError."""
    smyth.write_file(workflow_of(agent), path)
