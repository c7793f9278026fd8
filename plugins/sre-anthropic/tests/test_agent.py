"""An agent on this connector: system prompt, skills and signed thoughts stay what they are over turns of skills."""

import json
from typing import Any

import pytest

from sre_anthropic import AnthropicLLM
from sre_core.access import ACL, Access, Candidate, Guard, Resource
from sre_core.access.stored import StoredAcls
from sre_core.agents import loop
from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import LLM, LLMRequest, Settings
from sre_core.events import Event, SkillReturned, ThinkingDelta
from sre_core.messages import Message
from sre_core.skills import Skill, SkillContext
from sre_core.steps import DirectSteps

from .fake_claude import FakeClaude  # noqa: TID252 -- the folder of tests is no package

BEHAVIOR = "You are a careful bookkeeper."


def every_model() -> Guard:
    """A guard that lets everybody use every model."""
    public = ACL().grant(Candidate.public(), Access.READ)
    return Guard(StoredAcls(MemoryStorage(Settings()), configured={Resource.parse("llm"): public}))


def add(a: int, b: int) -> str:
    """Add two numbers. The model is told to add again as long as the sum is small."""
    return f"the sum is {a + b}"


def no_context() -> SkillContext:
    raise AssertionError("the skill wants no context")


async def run(
    connector: AnthropicLLM, conversation: Conversation, events: list[Event], *, model: str, thinking: bool | None
) -> Reply:
    async def emit(event: Event) -> None:
        events.append(event)

    skill = Skill.from_function(add)
    return await loop.run(
        llm=LLM(connector, Candidate.agent("a1"), every_model()),
        conversation=conversation,
        skills={skill.name: skill},
        limits=Limits(),
        steps=DirectSteps(),
        emit=emit,
        context=no_context,
        base=LLMRequest(messages=(), model=model, thinking=thinking),
        behavior=BEHAVIOR,
        run_id="r1",
        agent_id="a1",
    )


def thoughts(body: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {"thinking", "redacted_thinking"}
    return [block for message in body["messages"] for block in message["content"] if block["type"] in kinds]


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5", "claude-opus-4-5"])
async def test_two_turns_of_skills_keep_prompt_skills_and_thoughts(connector, claude: FakeClaude, model: str):
    conversation, events = Conversation(), []
    for prompt in ('redact call add {"a": 1, "b": 2}', 'call add {"a": 3, "b": 4} and call add {"a": 5, "b": 6}'):
        conversation.append(Message.user(prompt))
        await run(connector, conversation, events, model=model, thinking=True)
    assert [event.result for event in events if isinstance(event, SkillReturned)] == [
        "the sum is 3",
        "the sum is 7",
        "the sum is 11",
    ]
    assert any(isinstance(event, ThinkingDelta) for event in events)
    # The server has checked each signature, and that nothing before a thought was changed.
    assert claude.refusals == []
    assert claude.dropped == [0, 0, 0, 0]
    first, *_, last = claude.bodies
    for body in claude.bodies:
        assert body["system"] == first["system"]
        assert body["tools"] == first["tools"]
        assert body["thinking"]["type"] == ("enabled" if model == "claude-opus-4-5" else "adaptive")
    assert first["system"][0]["text"] == BEHAVIOR
    assert [tool["name"] for tool in first["tools"]] == ["add"]
    # What was sent once is sent again, but for the marks of the cache.
    for earlier, later in zip(claude.bodies, claude.bodies[1:], strict=False):
        assert plain(later["messages"])[: len(earlier["messages"])] == plain(earlier["messages"])
    kinds = [block["type"] for block in thoughts(last)]
    # By a budget, a model thinks where an answer begins, and not again between calls and results.
    again = [] if model == "claude-opus-4-5" else ["thinking", "redacted_thinking"]
    assert kinds == ["thinking", "redacted_thinking", *again, "thinking"]
    assert all(block.get("signature") or block["data"] for block in thoughts(last))


async def test_a_chat_that_was_saved_goes_on_with_its_thoughts(connector, claude: FakeClaude, tmp_path):
    from sre_core.agents.transcript import decode_message, encode_message

    conversation = Conversation(messages=[Message.user('call add {"a": 1, "b": 2}')])
    await run(connector, conversation, [], model="claude-opus-5-5", thinking=True)
    lines = [encode_message(message) for message in conversation.messages]
    again = Conversation(messages=[decode_message(json.loads(line)) for line in lines])
    again.append(Message.user("and now?"))
    reply = await run(connector, again, [], model="claude-opus-5-5", thinking=True)
    assert str(reply) == "and now?"
    assert claude.dropped[-1] == 0
    assert len(thoughts(claude.bodies[-1])) == 2


async def test_thinking_can_be_left_to_the_model(connector, claude: FakeClaude):
    conversation = Conversation(messages=[Message.user('call add {"a": 1, "b": 2}')])
    reply = await run(connector, conversation, [], model="claude-opus-5-5", thinking=None)
    assert str(reply) == "the sum is 3"
    assert "thinking" not in claude.bodies[0]
    assert len(thoughts(claude.bodies[1])) == 1


def plain(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the marks of the cache."""
    texts = [json.dumps(message).replace(', "cache_control": {"type": "ephemeral"}', "") for message in messages]
    return [json.loads(text) for text in texts]
