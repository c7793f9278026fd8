"""What a component works with: the agent's handles, the request, and the services of whoever runs the workflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sre_core.access.candidate import Candidate
from sre_core.components.compat import Compat
from sre_core.components.http_client import HTTPClient
from sre_core.components.jobs import Jobs
from sre_core.components.stored_files import StoredFiles
from sre_core.connectors import LLM, Cache, Storage, Vault, Vectors
from sre_core.connectors.llm import LLMRequest
from sre_core.events import Emit, discard
from sre_core.messages import File, Message
from sre_core.skills import Skill

if TYPE_CHECKING:
    from sre_core.components.base import Component

__all__ = ["AgentInfo", "ComponentContext", "Host", "ModelUse", "Request", "SubAgent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInfo:
    """The agent that a workflow belongs to. `variables` are its author's, by name; text in them may name secrets."""

    id: str
    name: str = ""
    team: str = "default"
    behavior: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an endpoint, or a trigger, was asked with. Nothing in it is trusted.

    `files` are uploads by the name of their field; `raw` is the body as it came, where it came over HTTP.
    `conversation` is what was said so far in the chat that the request belongs to. `session_id` outlives the request,
    where there is a session.
    """

    endpoint: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, tuple[File, ...]] = field(default_factory=dict)
    raw: bytes = b""
    conversation: tuple[Message, ...] = ()
    session_id: str = ""

    @property
    def input(self) -> Mapping[str, Any]:
        """What the endpoint's inputs are taken from: the query of a GET, the body of all others."""
        return self.query if self.method == "GET" else self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """A model that was asked for by name: its handle, and a request that has its name and usual parameters."""

    llm: LLM
    request: LLMRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SubAgent:
    """Another agent, as an agent that uses it sees it."""

    id: str
    name: str
    behavior: str
    skills: Mapping[str, Skill]
    model: str | None = None


class Host(Protocol):
    """What whoever runs a workflow offers to its components."""

    @property
    def http(self) -> HTTPClient:
        """The client for all requests that leave."""
        ...

    def model(self, name: str | None) -> ModelUse:
        """The model of that name; None is the agent's own. Raises ConfigError."""
        ...

    async def converse(
        self,
        prompt: str,
        *,
        skills: Mapping[str, Skill] = {},
        model: str | None = None,
        behavior: str = "",
        files: tuple[File, ...] = (),
        history: Sequence[Message] = (),
        emit: Emit = discard,
    ) -> str:
        """Answer a prompt in a conversation with skills, and return the text. Raises what the agent loop raises."""
        ...

    async def sub_agent(self, id: str, *, version: str = "") -> SubAgent:  # noqa: A002 -- the field's own name
        """Another agent by its id. Raises NotFoundError."""
        ...

    def component(self, name: str) -> "type[Component]":
        """The component type of that name. Raises WorkflowError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentContext:
    """One run of a workflow, as all its components see it.

    The handles are those of the agent, `candidate`. `caller` is who sent the request: addresses in it are read with
    `caller_storage`, as that one, and never as the agent. `stored` remembers the files that the run made itself.
    """

    candidate: Candidate
    caller: Candidate
    agent: AgentInfo
    request: Request
    host: Host
    storage: Storage
    caller_storage: Storage
    vectors: Vectors
    cache: Cache
    vault: Vault
    run_id: str
    jobs: Jobs
    compat: Compat = field(default_factory=Compat)
    emit: Emit = discard
    stored: StoredFiles = field(default_factory=StoredFiles)
