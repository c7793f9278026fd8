"""An agent with skills, files and thinking over several turns: what the server received shows that nothing is lost."""

import json
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from sre_core.access import ACL, Access, Candidate, Guard, Resource
from sre_core.access.stored import StoredAcls
from sre_core.agents import loop
from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.agents.transcript import decode_message, encode_message
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import LLM, LLMRequest, Settings, Storage
from sre_core.events import Event, ThinkingDelta, discard
from sre_core.messages import File, Message, Usage
from sre_core.skills import Skill
from sre_core.steps import DirectSteps
from sre_core.testing.conformance.llm_cases import page, picture
from sre_google import GoogleLLM

from . import google_wire as wire  # noqa: TID252 -- the folder of tests is no package
from .fake_google import FakeGoogle  # noqa: TID252
from .google_connectors import gemini, vertex  # noqa: TID252

ADA = Candidate.agent("ada")
NOTES = File(name="notes.md", media_type="text/markdown", data="# Größe: 世界".encode())
TWO_CITIES = 'Compare. call weather {"city": "Paris"} call weather {"city": "Rome"}'


def every_model() -> Guard:
    """A guard that lets everybody use every model."""
    public = ACL().grant(Candidate.public(), Access.READ)
    return Guard(StoredAcls(MemoryStorage(Settings()), configured={Resource.parse("llm"): public}))


def weather(city: str) -> str:
    """The weather in a city."""
    if city == "Atlantis":
        raise ValueError("it is under water")
    return f"sunny in {city}"


SKILLS: Mapping[str, Skill] = {"weather": Skill.from_function(weather)}


async def prompt(
    connector: GoogleLLM,
    conversation: Conversation,
    text: str,
    *,
    files: tuple[File, ...] = (),
    skills: Mapping[str, Skill] = SKILLS,
    heard: list[Event] | None = None,
    **base: Any,
) -> Reply:
    async def emit(event: Event) -> None:
        if heard is not None:
            heard.append(event)

    conversation.append(Message.user(text, files=files))
    return await loop.run(
        llm=LLM(connector, ADA, every_model()),
        conversation=conversation,
        skills=skills,
        limits=Limits(),
        steps=DirectSteps(),
        emit=discard if heard is None else emit,
        context=lambda: pytest.fail("no skill here wants a context"),
        base=LLMRequest(messages=(), **({"thinking": True} | base)),
        behavior="You are Ada's travel guide.",
        run_id="r1",
        agent_id="ada",
    )


@pytest.fixture(params=[gemini, vertex], ids=["gemini", "vertex"])
async def connector(request: pytest.FixtureRequest, google: FakeGoogle) -> AsyncIterator[GoogleLLM]:
    made = request.param(google)
    await made.start()
    yield made
    await made.stop()


def grows(bodies: list[dict[str, Any]]) -> bool:
    """Whether each request holds all that the one before it held, unchanged, and more."""
    contents = [body["contents"] for body in bodies]
    whole = all(later[: len(earlier)] == earlier for earlier, later in pairwise(contents))
    return whole and all(body["systemInstruction"] == bodies[0]["systemInstruction"] for body in bodies)


async def test_roles_history_files_and_signatures_are_kept_over_several_turns(
    google: FakeGoogle, connector: GoogleLLM
) -> None:
    conversation, heard = Conversation(), list[Event]()
    first = await prompt(connector, conversation, TWO_CITIES, files=(picture(), page(), NOTES), heard=heard)
    assert first == "sunny in Paris\nsunny in Rome"
    assert "".join(event.text for event in heard if isinstance(event, ThinkingDelta)) == "I think about it." * 2
    # Kept in a storage, and read back.
    conversation = Conversation(messages=[decode_message(json.loads(encode_message(m))) for m in conversation.messages])
    second = await prompt(connector, conversation, 'And there? call weather {"city": "Atlantis"}')
    assert "under water" in second
    assert await prompt(connector, conversation, "Thank you.") == "Thank you."

    bodies = google.bodies("streamGenerateContent")
    assert len(bodies) == 5
    assert grows(bodies)
    contents = bodies[-1]["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user", "model"] * 2 + ["user"]
    assert bodies[-1]["systemInstruction"] == {"parts": [{"text": "You are Ada's travel guide."}]}
    kinds = [next(iter(part)) for part in contents[0]["parts"]]
    assert kinds == ["inlineData", "inlineData", "text", "text"]
    assert contents[0]["parts"][2]["text"] == "notes.md:\n# Größe: 世界"
    calls, responses = contents[1]["parts"], contents[2]["parts"]
    assert [part["functionCall"]["args"] for part in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    for call, response in zip(calls, responses, strict=True):
        assert call["functionCall"]["id"] == response["functionResponse"]["id"]
    model = "gemini-3.8-flash"
    assert [part.get("thoughtSignature") for part in calls] == [wire.sign(model, "call", {"city": "Paris"}), None]
    assert contents[3]["parts"][-1] == {"text": "", "thoughtSignature": wire.sign(model, "text", str(first))}
    assert "error" in contents[6]["parts"][0]["functionResponse"]["response"]


async def test_roles_and_history_are_kept_without_skills_and_files(google: FakeGoogle, connector: GoogleLLM) -> None:
    conversation = Conversation()
    for text in ("one", "two", "three"):
        assert await prompt(connector, conversation, text, skills={}, thinking=None) == text
    bodies = google.bodies("streamGenerateContent")
    assert grows(bodies)
    said = [(one["role"], "".join(part["text"] for part in one["parts"])) for one in bodies[-1]["contents"]]
    assert said == [("user", "one"), ("model", "one"), ("user", "two"), ("model", "two"), ("user", "three")]
    assert "tools" not in bodies[-1]


async def test_a_conversation_may_go_on_with_another_model_and_api(google: FakeGoogle) -> None:
    conversation = Conversation()
    for make, model in (
        (gemini, "gemini-3.8-flash"),
        (vertex, "gemini-3.8-flash"),
        (gemini, "gemini-2.5-flash-lite"),
        (gemini, "gemini-3.8-flash"),
    ):
        connector = make(google, model=model)
        await connector.start()
        # The server refuses signatures of others, and calls of this turn without one.
        assert await prompt(connector, conversation, TWO_CITIES) == "sunny in Paris\nsunny in Rome"
        await connector.stop()


async def test_the_usage_of_all_turns_is_added_up(connector: GoogleLLM) -> None:
    reply = await prompt(connector, Conversation(), 'call weather {"city": "Oslo"}')
    assert reply.usage.reasoning_tokens == 8
    assert reply.usage.output_tokens > reply.usage.reasoning_tokens
    assert reply.usage.cached_tokens == 0
    assert isinstance(reply.usage, Usage)


async def test_an_output_type_and_a_skill_go_together(google: FakeGoogle, connector: GoogleLLM) -> None:
    reply: Reply[dict[str, int]] = await prompt(
        connector, Conversation(), 'Then {"days": 3}', thinking=False, output_schema={"type": "object"}
    )
    assert reply == '{"days": 3}'
    body = google.bodies("streamGenerateContent")[-1]
    assert "tools" in body
    assert body["generationConfig"]["responseMimeType"] == "application/json"


async def test_a_window_counts_tokens_at_the_server(google: FakeGoogle, connector: GoogleLLM) -> None:
    conversation = Conversation()
    storage = Storage(MemoryStorage(MemoryStorage.settings_type()), ADA, every_model())
    await prompt(connector, conversation, "one two three", skills={})
    counts = await conversation.counts(LLM(connector, ADA, every_model()), None).messages(conversation.messages)
    assert counts == [11, 11]
    assert len(google.bodies("countTokens")) == 2
    await conversation.save(storage)
    assert (await Conversation.load(storage, conversation.id)).messages == conversation.messages
