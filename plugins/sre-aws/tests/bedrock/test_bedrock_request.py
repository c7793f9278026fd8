"""Requests as AWS documents them, and what is refused before anything is sent."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from sre_aws.bedrock.models import entries, info
from sre_aws.bedrock.request import build
from sre_aws.bedrock.settings import BedrockSettings
from sre_aws.bedrock.traits import Thinking, family, traits
from sre_aws.bedrock.wire import wire
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, ProviderState, SkillCall, SkillSpec

from .bedrock_rules import CLAUDE, LLAMA, NEW_CLAUDE, NOVA_2, OLD_CLAUDE, PROFILE  # noqa: TID252

SONG = SkillSpec(
    name="top_song",
    description="Get the most popular song played on a radio station.",
    parameters={"type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]},
)
PLAIN = BedrockSettings(prompt_caching="off")
SHAPE = (
    botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("ConverseStream").input_shape
)
THOUGHT = {"thought": "Hm.", "signature": "EqQB"}


def sent(request: LLMRequest, settings: BedrockSettings = PLAIN, model: str = CLAUDE) -> dict[str, Any]:
    found = dict(build(request, settings, model, partial(wire, family=family(model))).parameters)
    report = ParamValidator().validate(found, SHAPE)
    assert not report.has_errors(), report.generate_report()
    return found


def ask(*messages: Message | str, **changes: Any) -> LLMRequest:
    said = tuple(Message.user(message) if isinstance(message, str) else message for message in messages)
    return LLMRequest(messages=said, **changes)


def test_a_plain_request_has_only_what_it_needs():
    # https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-examples.html
    request = ask(Message.system("Be brief."), "Hello", max_tokens=9, temperature=0.5, top_p=0.9, stop=("END", "\n"))
    assert sent(request, model=LLAMA) == {
        "modelId": LLAMA,
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    }


def test_calls_and_their_results_are_one_message_each():
    # https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
    calls = [SkillCall(id=f"tooluse_{n}", name="top_song", arguments=f'{{"sign": "{n}"}}') for n in (1, 2)]
    talk = [Message.assistant("I look.", skill_calls=tuple(calls)), Message.result(calls[0], "Elemental Hotel")]
    talk += [Message.result(calls[1], "", is_error=True), Message.user("Thanks")]
    made = sent(ask("Song?", *talk, skills=(SONG,)))
    assert made["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"text": "I look."},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "top_song", "input": {"sign": "1"}}},
                {"toolUse": {"toolUseId": "tooluse_2", "name": "top_song", "input": {"sign": "2"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "Elemental Hotel"}]}},
                {"toolResult": {"toolUseId": "tooluse_2", "content": [{"text": "(nothing)"}], "status": "error"}},
                {"text": "Thanks"},
            ],
        },
    ]
    assert made["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": "top_song",
                    "description": SONG.description,
                    "inputSchema": {"json": SONG.parameters},
                }
            }
        ]
    }


@pytest.mark.parametrize("changes", [{}, {"skills": (SONG,), "skill_choice": "none"}])
def test_without_skills_to_call_earlier_calls_are_told_in_words(changes: dict[str, Any]):
    call = SkillCall(id="tooluse_1", name="top_song", arguments='{"sign": "WZPZ"}')
    state = ProviderState(connector="bedrock", data=json.dumps({"family": "anthropic", "blocks": [THOUGHT]}))
    said = Message.assistant(skill_calls=(call,), state=state)
    made = sent(ask("Song?", said, Message.result(call, "Elemental Hotel"), **changes))
    assert "toolConfig" not in made
    assert made["messages"][1:] == [
        {"role": "assistant", "content": [{"text": '[calls top_song with {"sign": "WZPZ"}]'}]},
        {"role": "user", "content": [{"text": "[top_song returned]"}, {"text": "Elemental Hotel"}]},
    ]


def test_a_required_skill_is_asked_for_where_that_can_be_done():
    required = ask("Song?", skills=(SONG,), skill_choice="required")
    made = sent(required)
    assert made["toolConfig"]["toolChoice"] == {"any": {}}
    for model in (NEW_CLAUDE, PROFILE):
        with pytest.raises(UnsupportedError, match="cannot be made to call"):
            sent(required, model=model)
    # https://platform.claude.com/docs/en/build-with-claude/thinking#thinking-with-tool-use
    assert sent(replace(required, thinking=True))["toolConfig"]["toolChoice"] == {"any": {}}
    with pytest.raises(UnsupportedError, match="by a budget"):
        sent(replace(required, thinking=True), model=OLD_CLAUDE)
    with pytest.raises(ConfigError, match="at least one skill"):
        sent(replace(required, skills=()))


def test_files_are_of_the_kinds_that_the_api_knows():
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
    kinds = ["image/jpg", "application/pdf", "text/x-python", "video/quicktime", "audio/mpeg", "text/csv", "text/csv"]
    names = ["a.jpg", "my_report (v2).pdf", "x.py", "v.mov", "s.mp3", "data.csv", "data.csv"]
    files = tuple(File(name=name, media_type=kind, data=b"1") for name, kind in zip(names, kinds, strict=True))
    blocks = sent(ask(Message.user("Look", files=files)))["messages"][0]["content"]
    assert blocks == [
        {"image": {"format": "jpeg", "source": {"bytes": b"1"}}},
        {"document": {"format": "pdf", "name": "my report (v2) pdf", "source": {"bytes": b"1"}}},
        {"document": {"format": "txt", "name": "x py", "source": {"bytes": b"1"}}},
        {"video": {"format": "mov", "source": {"bytes": b"1"}}},
        {"audio": {"format": "mp3", "source": {"bytes": b"1"}}},
        {"document": {"format": "csv", "name": "data csv", "source": {"bytes": b"1"}}},
        {"document": {"format": "csv", "name": "data csv 2", "source": {"bytes": b"1"}}},
        {"text": "Look"},
    ]
    for kind in ("image/tiff", "application/zip", "video/x-odd"):
        with pytest.raises(UnsupportedError, match=r"odd\.bin"):
            sent(ask(Message.user("Look", files=(File(name="odd.bin", media_type=kind, data=b"1"),))))


def test_a_document_never_comes_without_text():
    page = File(name="a.pdf", media_type="application/pdf", data=b"%PDF")
    assert sent(ask(Message.user("", files=(page,))))["messages"][0]["content"][1] == {"text": "a pdf"}


def test_messages_that_say_nothing_are_left_out():
    made = sent(ask("Hi", Message.assistant(" "), "\n", "there"))
    assert made["messages"] == [{"role": "user", "content": [{"text": "Hi"}, {"text": "there"}]}]
    opened = sent(ask(Message.assistant("Welcome!"), "Hi"))
    assert [message["role"] for message in opened["messages"]] == ["user", "assistant", "user"]
    with pytest.raises(ConfigError, match="says nothing"):
        sent(ask(" "))


def test_cache_points_stand_where_a_model_takes_them():
    # https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
    request = ask(Message.system("Be."), "1", Message.assistant("2"), "3", Message.assistant("4"), "5", skills=(SONG,))
    point = {"cachePoint": {"type": "default"}}
    made = sent(request, BedrockSettings())
    assert made["system"][1] == point
    assert made["toolConfig"]["tools"][1] == point
    assert [point in message["content"] for message in made["messages"]] == [False, False, True, False, True]
    hour = sent(request, BedrockSettings(prompt_caching="1h"))
    assert hour["system"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    nova = sent(request, BedrockSettings(), NOVA_2)
    assert point in nova["system"]
    assert point not in nova["toolConfig"]["tools"]
    assert "cachePoint" not in str(sent(request, BedrockSettings(), LLAMA))
    assert "cachePoint" not in str(sent(request, PLAIN))


@pytest.mark.parametrize(
    ("model", "on", "off"),
    [
        (CLAUDE, {"thinking": {"type": "adaptive", "display": "summarized"}}, {"thinking": {"type": "disabled"}}),
        (OLD_CLAUDE, {"thinking": {"type": "enabled", "budget_tokens": 4096}}, {"thinking": {"type": "disabled"}}),
        (PROFILE, {"thinking": {"type": "adaptive", "display": "summarized"}}, {"thinking": {"type": "between_tools"}}),
        (
            NEW_CLAUDE,
            {"thinking": {"type": "adaptive", "display": "summarized"}},
            {"thinking": {"type": "adaptive", "display": "omitted"}},
        ),
        (
            NOVA_2,
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
            {"reasoningConfig": {"type": "disabled"}},
        ),
    ],
)
def test_each_model_is_told_to_think_in_its_own_way(model: str, on: Any, off: Any):
    assert sent(ask("Hi", thinking=True), model=model)["additionalModelRequestFields"] == on
    assert sent(ask("Hi", thinking=False), model=model)["additionalModelRequestFields"] == off
    assert "additionalModelRequestFields" not in sent(ask("Hi"), model=model)


def test_a_model_of_which_nothing_is_known_takes_what_it_wants_as_an_option():
    with pytest.raises(UnsupportedError, match="not known how"):
        sent(ask("Hi", thinking=True), model=LLAMA)
    made = sent(ask("Hi", thinking=False, options={"fields": {"reasoning_effort": "low"}}), model=LLAMA)
    assert made["additionalModelRequestFields"] == {"reasoning_effort": "low"}


def test_budgets_are_for_models_that_take_one_and_leave_room():
    budget = {"options": {"thinking_budget": 2000}}
    made = sent(ask("Hi", max_tokens=4000, **budget), model=OLD_CLAUDE)
    assert made["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    with pytest.raises(ConfigError, match="takes no thinking_budget"):
        sent(ask("Hi", **budget))
    with pytest.raises(ConfigError, match="leaves no room"):
        sent(ask("Hi", max_tokens=1000, thinking=True), model=OLD_CLAUDE)


def test_sampling_that_a_model_does_not_take_is_left_out_or_refused():
    request = ask("Hi", temperature=0.2, top_p=1.0)
    assert "inferenceConfig" not in sent(request)
    assert build(request, PLAIN, CLAUDE, partial(wire, family="anthropic")).ignored == ("temperature",)
    with pytest.raises(ConfigError, match=r"temperature = 0\.2"):
        sent(request, BedrockSettings(sampling="refuse"))
    assert sent(request, model=OLD_CLAUDE)["inferenceConfig"] == {"temperature": 0.2, "topP": 1.0}
    with pytest.raises(ConfigError, match="while Claude thinks"):
        sent(replace(request, thinking=True), model=OLD_CLAUDE)


def test_options_guardrails_and_schemas_become_parameters():
    options = {"effort": "low", "service_tier": "flex", "latency": "optimized", "metadata": {"team": "blue"}}
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    made = sent(ask("Hi", options=options, output_schema=schema), BedrockSettings(guardrail="gr1", schemas="enforce"))
    assert made["outputConfig"]["effort"] == "low"
    told = json.loads(made["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
    assert told["additionalProperties"] is False
    assert told["properties"]["a"] == {"type": "integer", "description": "{minimum: 1}"}
    assert made["serviceTier"] == {"type": "flex"}
    assert made["performanceConfig"] == {"latency": "optimized"}
    assert made["requestMetadata"] == {"team": "blue"}
    assert made["guardrailConfig"] == {"guardrailIdentifier": "gr1", "guardrailVersion": "DRAFT"}
    with pytest.raises(ConfigError, match="efort"):
        sent(ask("Hi", options={"efort": 1}))
    with pytest.raises(UnsupportedError, match="too open"):
        sent(ask("Hi", output_schema={"type": "object"}), BedrockSettings(schemas="enforce"))


@pytest.mark.parametrize(
    ("model", "schemas", "enforced"),
    [
        (OLD_CLAUDE, "auto", True),
        ("us.anthropic.claude-sonnet-4-6", "auto", True),
        (OLD_CLAUDE, "tell", False),
        (NEW_CLAUDE, "auto", False),
        (NOVA_2, "auto", False),
        (LLAMA, "auto", False),
        (LLAMA, "enforce", True),
    ],
)
def test_a_schema_is_told_to_models_that_the_service_does_not_hold_to_it(model: str, schemas: Any, enforced: bool):
    # https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
    schema = {"type": "object", "properties": {"größe": {"type": "integer"}}}
    request = ask(Message.system("Be brief."), "Hi", output_schema=schema)
    made = sent(request, BedrockSettings(prompt_caching="off", schemas=schemas), model)
    assert ("textFormat" in made.get("outputConfig", {})) == enforced
    (system,) = made["system"]
    assert system["text"].startswith("Be brief.")
    assert (json.dumps(schema, ensure_ascii=False) in system["text"]) != enforced


@pytest.mark.parametrize("effort", ["xhigh", "max"])
def test_who_must_think_to_try_hard_is_not_told_not_to(effort: str):
    for model in (CLAUDE, PROFILE):
        with pytest.raises(ConfigError, match="has to think"):
            sent(ask("Hi", thinking=False, options={"effort": effort}), model=model)
        assert sent(ask("Hi", options={"effort": effort}), model=model)["outputConfig"] == {"effort": effort}


def test_an_effort_makes_nova_think():
    made = sent(ask("Hi", options={"effort": "low"}), model=NOVA_2)
    assert made["additionalModelRequestFields"]["reasoningConfig"] == {"type": "enabled", "maxReasoningEffort": "low"}
    assert "outputConfig" not in made


@pytest.mark.parametrize("name", ["functions.add:0", "", "n" * 300, "добавь"])
def test_a_skill_that_there_cannot_be_does_not_spoil_the_conversation(name: str):
    call = SkillCall(id="tooluse_1", name=name, arguments='{"a": "\\ud83e"}')
    made = sent(
        ask("Hi", Message.assistant(skill_calls=(call,)), Message.result(call, "no such skill"), skills=(SONG,))
    )
    used = made["messages"][1]["content"][0]["toolUse"]
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", used["name"])
    assert used["input"] == {"a": "\ufffd"}


def test_a_model_that_thought_where_its_answer_began_goes_on_thinking():
    calls = [SkillCall(id=f"tooluse_{number}", name="top_song", arguments="{}") for number in (1, 2)]
    begun = [Message.assistant(skill_calls=(calls[0],), state=state(THOUGHT, {"call": True}))]
    begun += [Message.result(calls[0], "1")]
    for talk in (begun, [*begun, Message.assistant(skill_calls=(calls[1],)), Message.result(calls[1], "2")]):
        made = sent(ask("Go", *talk, skills=(SONG,), thinking=True), model=OLD_CLAUDE)
        assert made["additionalModelRequestFields"]["thinking"]["type"] == "enabled"
        assert "reasoningContent" in made["messages"][1]["content"][0]


# State


def state(*blocks: dict[str, Any], owner: str = "anthropic") -> ProviderState:
    return ProviderState(connector="bedrock", data=json.dumps({"family": owner, "blocks": blocks}))


def test_thoughts_go_back_verbatim_and_where_they_stood():
    calls = tuple(SkillCall(id=f"renamed_{n}", name="top_song", arguments="{}") for n in (1, 2))
    kept = state(THOUGHT, {"text": 3}, {"redacted": "AGFi"}, {"call": True}, {"call": True})
    said = Message.assistant("one", skill_calls=calls, state=kept)
    made = sent(ask("Hi", said, *(Message.result(call, "x") for call in calls), skills=(SONG,)))
    assert made["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "EqQB"}}},
        {"text": "one"},
        {"reasoningContent": {"redactedContent": b"\0ab"}},
        {"toolUse": {"toolUseId": "renamed_1", "name": "top_song", "input": {}}},
        {"toolUse": {"toolUseId": "renamed_2", "name": "top_song", "input": {}}},
    ]
    fields = made["additionalModelRequestFields"]
    assert fields["thinking"]["block_binding"] == {"prefix_mismatch_behavior": "drop_block"}
    assert fields["anthropic_beta"] == ["thinking-binding-controls-2026-08-01"]
    talk = ask("Hi", said, *(Message.result(call, "x") for call in calls), skills=(SONG,))
    strict = sent(talk, BedrockSettings(changed_history="error"))
    assert "additionalModelRequestFields" not in strict


@pytest.mark.parametrize(
    ("model", "thinking", "kept"),
    [
        (CLAUDE, False, state(THOUGHT, {"text": 4})),
        (OLD_CLAUDE, None, state(THOUGHT, {"text": 4})),
        (NOVA_2, True, state(THOUGHT, {"text": 4})),
        (CLAUDE, True, state({"redacted": "no base64!"})),
        (CLAUDE, True, ProviderState(connector="bedrock", data="{not json")),
        (CLAUDE, True, ProviderState(connector="anthropic", data="{}")),
    ],
)
def test_thoughts_stay_away_where_they_cannot_be_read(model: str, thinking: bool | None, kept: ProviderState):
    made = sent(ask("Hi", Message.assistant("text", state=kept), "Go on", thinking=thinking), model=model)
    assert made["messages"][1]["content"] == [{"text": "text"}]


@pytest.mark.parametrize(
    ("model", "maker", "thinking"),
    [
        ("anthropic.claude-opus-4-6-v1", "anthropic", Thinking.ASKED),
        ("eu.anthropic.claude-sonnet-5", "anthropic", Thinking.UNLESS),
        (PROFILE, "anthropic", Thinking.BETWEEN),
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic", Thinking.UNKNOWN),
        ("anthropic.claude-mythos-preview", "anthropic", Thinking.ALWAYS),
        ("amazon.nova-pro-v1:0", "amazon", Thinking.UNKNOWN),
        (NOVA_2, "amazon", Thinking.NOVA),
        (LLAMA, "meta", Thinking.UNKNOWN),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123", "abc123", Thinking.UNKNOWN),
    ],
)
def test_a_model_is_known_by_its_id_profile_or_arn(model: str, maker: str, thinking: Thinking):
    assert family(model) == maker
    assert traits(model).thinking is thinking


def test_the_catalogue_has_the_limits_and_prices_of_the_models():
    found = {entry.name: entry for entry in entries() if not entry.is_any}
    assert len(found) + 1 == len(entries())
    assert all(entry.connector == "bedrock" and entry.input_price for entry in found.values())
    assert info("us.anthropic.claude-haiku-5-5").output_tokens == 128_000
    assert info("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0").context_tokens == 300_000
    assert info("some.other-model").context_tokens is None
