"""Agents out of `.smyth` files, and the other agents that lie beside them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from sre_core import logs
from sre_core.components.compat import Compat
from sre_core.components.context import SubAgent
from sre_core.errors import ConfigError, InvalidWorkflowError, NotFoundError
from sre_core.host import replaced_model
from sre_core.workflows import smyth
from sre_core.workflows.graph import Workflow
from sre_core.workflows.limits import WorkflowLimits
from sre_sdk.flow import Flow
from sre_sdk.given import check_texts, check_type, several

if TYPE_CHECKING:
    from sre_sdk.agent import Agent

__all__ = ["Neighbours", "load_agent", "read_workflow"]

log = logs.get_logger(__name__)


def read_workflow(source: str | Path | Mapping[str, Any]) -> Workflow:
    """A workflow from a file, or from what such a file holds, as text or as data.

    Raises ConfigError, InvalidWorkflowError.
    """
    check_type("the agent's file", source, str, Path, Mapping)
    if isinstance(source, Mapping):
        try:
            text = json.dumps(dict(source))
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidWorkflowError(f"this is no agent: {error}", hint="give what a .smyth file holds") from error
        return smyth.read(text)
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return smyth.read(source)
    path = Path(source)
    try:
        return smyth.read_file(path)
    except (OSError, ValueError) as error:
        # A ValueError is about a character that no path has.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ConfigError(f"cannot read the agent's file {str(path)!r}: {reason}", hint="give its path") from error


def load_agent(
    kind: "type[Agent]",
    source: str | Path | Mapping[str, Any],
    *,
    own: Mapping[str, Any],
    shared: Mapping[str, Any],
    skills: Sequence[Any],
    agents: Sequence["Agent | str | Path"],
) -> "Agent":
    """See `Agent.load`. `own` is for this agent alone, `shared` also for those that it finds beside it."""
    check_texts("models", shared["models"])
    check_type("workflow_limits", shared["workflow_limits"], WorkflowLimits, type(None))
    check_type("compat", shared["compat"], Compat, type(None))
    workflow = read_workflow(source)
    given = {key: value for key, value in own.items() if value is not None}
    agent = kind(
        given.get("name", workflow.name or workflow.id),
        behavior=given.get("behavior", workflow.behavior),
        model=given.get("model", workflow.model and replaced_model(workflow.model, shared["models"] or {})),
        id=given.get("id", workflow.id),
        team=given.get("team", workflow.team),
        limits=shared["limits"],
        runtime=shared["runtime"],
    )
    folder = Path(workflow.path).resolve().parent if workflow.path else None
    others = [
        kind.load(other, model=own["model"], **shared) if isinstance(other, str | Path) else other
        for other in several("agents", agents)
    ]
    neighbours = Neighbours(folder, (agent, *others), kind, model=own["model"], **shared)
    agent._adopt(  # noqa: SLF001 -- a second constructor
        Flow(
            workflow,
            models=shared["models"],
            compat=shared["compat"],
            limits=shared["workflow_limits"],
            find_agent=neighbours.find,
        )
    )
    for skill in several("skills", skills):
        agent.add_skill(skill)
    return agent


class Neighbours:
    """The agents that an agent may use: those that it was given, and the `.smyth` files beside its own.

    A file is known by the `id` in it, and read when it is asked for. Of several with one id the first by name is taken,
    and the log warns of the others.
    """

    def __init__(self, folder: Path | None, given: Sequence["Agent"], kind: "type[Agent]", **options: Any) -> None:
        """`options` are those of `Agent.load`, for the files that are found."""
        self._folder = folder
        self._kind = kind
        self._options = options
        self._agents = {agent.id: agent for agent in given}

    async def find(self, id: str, version: str) -> SubAgent:  # noqa: A002 -- there is one version of a file
        """The agent of that id. Raises NotFoundError."""
        agent = self._agents.get(id)
        if agent is None:
            found = await to_thread.run_sync(self._load, id)
            agent = self._agents.setdefault(id, found)
        return agent.as_sub_agent()

    def _load(self, id: str) -> "Agent":  # noqa: A002
        found, broken = self._files(id)
        if found:
            if len(found) > 1:
                # A copy that somebody keeps stops nothing, but whoever changes it should know why nothing changes.
                names = [path.name for path in found]
                log.warning("agent_in_several_files", agent=id, taken=names[0], others=names[1:])
            return self._kind.load(found[0], agents=tuple(self._agents.values()), **self._options)
        where = f" in {str(self._folder)!r}" if self._folder else ""
        unread = f"; what cannot be read there: {', '.join(broken)}" if broken else ""
        raise NotFoundError(
            f"no agent {id!r} is known{where}{unread}",
            hint="lay its .smyth file beside this one, or give Agent.load agents=[…]",
        )

    def _files(self, id: str) -> tuple[list[Path], list[str]]:  # noqa: A002
        """The files of an agent, in order of their names, and the names of those that cannot be read."""
        found: list[Path] = []
        broken: list[str] = []
        for path in sorted(self._folder.glob("*.smyth")) if self._folder else ():
            try:
                if smyth.read_file(path).id == id:
                    found.append(path)
            except (InvalidWorkflowError, OSError):
                # Perhaps some other agent's file, which is nobody's concern now.
                broken.append(path.name)
        return found, broken
