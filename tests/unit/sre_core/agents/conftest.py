"""A stage for runs: a scripted model, real handles behind a real guard, and what was emitted."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from sre_core.access import ACL, Access, Candidate, Guard, Resource
from sre_core.agents import loop
from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.builtin.env_vault import EnvVault
from sre_core.builtin.memory_cache import MemoryCache
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.builtin.memory_vectors import MemoryVectors
from sre_core.connectors import LLM, Cache, LLMConnector, LLMRequest, Storage, Vault, Vectors
from sre_core.events import Event
from sre_core.messages import Message, SkillCall
from sre_core.skills import Skill, SkillContext
from sre_core.steps import DirectSteps, Steps
from sre_core.testing.scripted import ScriptedLLM, ScriptedReply


class Acls:
    """ACLs in a dictionary."""

    def __init__(self, acls: dict[Resource, ACL]) -> None:
        self.acls = acls

    async def nearest(self, resource: Resource) -> tuple[Resource, ACL] | None:
        return next(((place, self.acls[place]) for place in resource.lineage() if place in self.acls), None)

    async def update(self, resource: Resource, change: Callable[[ACL], ACL | None]) -> None:
        found = await self.nearest(resource)
        changed = change(found[1] if found else ACL())
        if changed is not None:
            self.acls[resource] = changed

    async def remove(self, resource: Resource) -> None:
        self.acls.pop(resource, None)


class Stage:
    """One agent, `a1`, that may use every model."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.sleeps: list[float] = []
        self.candidate = Candidate.agent("a1")
        self.guard = Guard(Acls({Resource.parse("llm"): ACL().grant(Candidate.public(), Access.READ)}))
        self.storage_connector = MemoryStorage(MemoryStorage.settings_type())
        self.storage = self.storage_of("a1")
        self.model = ScriptedLLM()

    def storage_of(self, agent: str) -> Storage:
        return Storage(self.storage_connector, Candidate.agent(agent), self.guard)

    def llm(self, connector: LLMConnector) -> LLM:
        return LLM(connector, self.candidate, self.guard)

    def context(self, llm: LLM) -> SkillContext:
        return SkillContext(
            candidate=self.candidate,
            storage=self.storage,
            cache=Cache(MemoryCache(MemoryCache.settings_type()), self.candidate, self.guard),
            vectors=Vectors(MemoryVectors(MemoryVectors.settings_type()), self.candidate, self.guard),
            vault=Vault(EnvVault(EnvVault.settings_type()), self.candidate, self.guard),
            llm=llm,
        )

    async def emit(self, event: Event) -> None:
        self.events.append(event)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)

    async def run(
        self,
        *replies: ScriptedReply,
        prompt: str = "hi",
        skills: Iterable[Callable[..., Any] | Skill] = (),
        conversation: Conversation | None = None,
        capabilities: Iterable[str] = ("tools",),
        limits: Limits | None = None,
        steps: Steps | None = None,
        base: LLMRequest | None = None,
        **options: Any,
    ) -> Reply:
        self.model = ScriptedLLM(*replies, capabilities=capabilities)
        llm = self.llm(self.model)
        conversation = Conversation() if conversation is None else conversation
        conversation.append(Message.user(prompt))
        made = [skill if isinstance(skill, Skill) else Skill.from_function(skill) for skill in skills]
        return await loop.run(
            llm=llm,
            conversation=conversation,
            skills={skill.name: skill for skill in made},
            limits=limits or Limits(),
            steps=steps or DirectSteps(),
            emit=options.pop("emit", self.emit),
            context=partial(self.context, llm),
            base=base or LLMRequest(messages=()),
            run_id="r1",
            agent_id="a1",
            sleep=self.sleep,
            **options,
        )

    def types(self) -> list[str]:
        """What was emitted, without the guard's decisions."""
        return [event.type for event in self.events if event.type != "access_decided"]

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def results(self) -> list[Message]:
        """The skill results that the last request showed the model."""
        return [message for message in self.model.request.messages if message.call_id is not None]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def asks() -> Callable[..., Message]:
    """Makes the reply of a model that calls skills: `asks(("add", "{}"), …)`."""

    def make(*calls: tuple[str, str], text: str = "", ids: Iterable[str] | None = None) -> Message:
        names = list(ids) if ids is not None else [f"c{index}" for index in range(len(calls))]
        made = tuple(
            SkillCall(id=number, name=name, arguments=arguments)
            for number, (name, arguments) in zip(names, calls, strict=True)
        )
        return Message.assistant(text, skill_calls=made)

    return make
