"""Requests as the API documents them, and what is refused before anything is sent."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter

from sre_anthropic import AnthropicSettings
from sre_anthropic.request import BINDING_BETA, build
from sre_anthropic.wire import wire
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, ProviderState, SkillCall, SkillSpec

WEATHER = SkillSpec(
    name="get_weather",
    description="Get the current weather in a given location",
    parameters={"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
)
PLAIN = AnthropicSettings(prompt_caching="off", model="claude-opus-5")
TYPED = TypeAdapter(MessageCreateParamsStreaming)


def body(request: LLMRequest, settings: AnthropicSettings = PLAIN) -> dict[str, Any]:
    made = json.loads(build(request, settings, wire).data)
    # The client library's own types of a request, as far as pydantic checks them.
    TYPED.validate_python(made)
    return made


def ask(*messages: Message | str, **changes: Any) -> LLMRequest:
    said = tuple(Message.user(message) if isinstance(message, str) else message for message in messages)
    return LLMRequest(messages=said, **changes)


def test_a_plain_request_has_only_what_it_needs():
    # https://platform.claude.com/docs/en/build-with-claude/working-with-messages
    assert body(ask("Hello, Claude", max_tokens=1024)) == {
        "model": "claude-opus-5",
        "max_tokens": 1024,
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello, Claude"}]}],
    }


def test_instructions_go_apart_from_what_is_said():
    made = body(ask(Message.system("Be brief."), "Hello", Message.system("Be kind."), Message.assistant("Hi"), "How?"))
    assert made["system"] == "Be brief.\n\nBe kind."
    assert [message["role"] for message in made["messages"]] == ["user", "assistant", "user"]


def test_parallel_calls_and_their_results_are_one_message_each():
    # https://platform.claude.com/docs/en/agents-and-tools/tool-use/parallel-tool-use
    calls = [SkillCall(id=f"toolu_{n}", name="get_weather", arguments=f'{{"location": "{n}"}}') for n in (1, 2)]
    said = Message.assistant("I'll check.", skill_calls=tuple(calls))
    results = Message.result(calls[0], "15 degrees"), Message.result(calls[1], "no such city", is_error=True)
    made = body(ask("Weather?", said, *results, "And tomorrow?", skills=(WEATHER,)))
    assert made["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I'll check."},
                {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "1"}},
                {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"location": "2"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "15 degrees"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no such city", "is_error": True},
                {"type": "text", "text": "And tomorrow?"},
            ],
        },
    ]
    assert made["tools"] == [
        {"name": "get_weather", "description": WEATHER.description, "input_schema": WEATHER.parameters}
    ]
    assert "tool_choice" not in made


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        ("auto", True, None),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", True, {"type": "any"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("none", True, {"type": "none"}),
        ("none", False, {"type": "none"}),
    ],
)
def test_the_choice_of_skills_is_told(choice: Any, parallel: bool, sent: Any):
    made = body(ask("Hi", skills=(WEATHER,), skill_choice=choice, options={"parallel_calls": parallel}))
    assert made.get("tool_choice") == sent


def test_calls_of_a_skill_that_is_not_offered_any_more_keep_a_definition():
    call = SkillCall(id="toolu_1", name="old_skill", arguments="{}")
    made = body(ask("Hi", Message.assistant(skill_calls=(call,)), Message.result(call, "done")))
    assert [tool["name"] for tool in made["tools"]] == ["old_skill"]
    assert made["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("", {}),
        ("  ", {}),
        ('{"a": "ü\\ud83e\\udd9c"}', {"a": "ü🦜"}),
        ('{"a": ', {"INVALID_JSON": '{"a": '}),
        ("[1]", {"INVALID_JSON": "[1]"}),
        ('{"a": NaN}', {"INVALID_JSON": '{"a": NaN}'}),
        ('{"a": "\\ud83e"}', {"a": "\ufffd"}),
    ],
)
def test_arguments_go_back_as_the_model_wrote_them(arguments: str, sent: Any):
    call = SkillCall(id="toolu_1", name="get_weather", arguments=arguments)
    made = body(ask("Hi", Message.assistant(skill_calls=(call,)), Message.result(call, ""), skills=(WEATHER,)))
    assert made["messages"][1]["content"][0]["input"] == sent


def test_ids_of_other_providers_are_made_fit_and_stay_together():
    calls = tuple(SkillCall(id=id_, name="get_weather", arguments="{}") for id_ in ("fc|1", "fc:1", "call_1"))
    made = body(ask("Hi", Message.assistant(skill_calls=calls), *(Message.result(call, "") for call in calls)))
    asked = [block["id"] for block in made["messages"][1]["content"]]
    assert asked == [block["tool_use_id"] for block in made["messages"][2]["content"]]
    assert len(set(asked)) == 3
    assert asked[2] == "call_1"


@pytest.mark.parametrize("name", ["functions.add:0", "", "n" * 300, "добавь"])
@pytest.mark.parametrize("skills", [(), (WEATHER,)])
def test_a_skill_that_there_cannot_be_does_not_spoil_the_conversation(name: str, skills: tuple[SkillSpec, ...]):
    call = SkillCall(id="toolu_1", name=name, arguments="{}")
    made = body(ask("Hi", Message.assistant(skill_calls=(call,)), Message.result(call, "no such skill"), skills=skills))
    sent = made["messages"][1]["content"][0]["name"]
    assert re.fullmatch("[a-zA-Z0-9_-]{1,128}", sent)
    assert [tool["name"] for tool in made["tools"]] == ([WEATHER.name] if skills else [sent])


def test_messages_that_say_nothing_are_left_out():
    made = body(ask("Hi", Message.assistant(""), " \n", "there"))
    assert made["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    ]
    with pytest.raises(ConfigError, match="says nothing"):
        body(ask(" "))


def test_a_talk_that_the_assistant_began_gets_a_beginning():
    made = body(ask(Message.assistant("Welcome!"), "Hello"))
    assert [message["role"] for message in made["messages"]] == ["user", "assistant", "user"]


def test_half_a_character_does_not_break_the_request():
    made = body(ask("a\ud83eb", Message.assistant("x"), "y\udd9c"))
    assert made["messages"][0]["content"][0]["text"] == "a\ufffdb"


# Files


def test_images_and_documents_come_before_the_text():
    # https://platform.claude.com/docs/en/build-with-claude/vision and .../pdf-support
    files = (
        File(name="a.png", media_type="image/png", data=b"\x89PNG"),
        File(name="b.jpg", media_type="image/jpg", data=b"\xff\xd8"),
        File(name="c.pdf", media_type="application/pdf", data=b"%PDF"),
        File(name="d.csv", media_type="text/csv; charset=utf-8", data="\ufeffä,1".encode()),
        File(name="e.json", media_type="application/ld+json", data=b"{}"),
        File(name="f.txt", media_type="text/plain", data=b""),
    )
    blocks = body(ask(Message.user("What is this?", files=files)))["messages"][0]["content"]
    assert [block["type"] for block in blocks] == [
        "image",
        "image",
        "document",
        "document",
        "document",
        "document",
        "text",
    ]
    assert blocks[0]["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
    assert blocks[1]["source"]["media_type"] == "image/jpeg"
    assert blocks[2] == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
        "title": "c.pdf",
    }
    assert blocks[3]["source"] == {"type": "text", "media_type": "text/plain", "data": "ä,1"}
    assert blocks[5]["source"]["data"].strip()


@pytest.mark.parametrize(("name", "title"), [("", None), (" ", None), ("x" * 900, "x" * 500)])
def test_a_document_has_a_title_that_the_api_takes(name: str, title: str | None):
    file = File(name=name, media_type="text/plain", data=b"x")
    assert body(ask(Message.user("?", files=(file,))))["messages"][0]["content"][0].get("title") == title


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/tiff", b"II*"),
        ("application/zip", b"PK"),
        ("application/octet-stream", b"\0"),
        ("text/plain", b"\xff\xfe"),
    ],
)
def test_other_files_are_refused_by_name(kind: str, data: bytes):
    with pytest.raises(UnsupportedError, match=r"odd\.bin"):
        body(ask(Message.user("?", files=(File(name="odd.bin", media_type=kind, data=data),))))


def test_a_skill_can_return_an_image():
    call = SkillCall(id="toolu_1", name="get_weather", arguments="{}")
    image = File(name="a.png", media_type="image/png", data=b"\x89PNG")
    result = replace(Message.result(call, "a map"), files=(image,))
    made = body(ask("Hi", Message.assistant(skill_calls=(call,)), result))
    content = made["messages"][2]["content"][0]["content"]
    assert [block["type"] for block in content] == ["image", "text"]


def test_a_file_of_the_assistant_is_refused():
    image = File(name="a.png", media_type="image/png", data=b"\x89PNG")
    with pytest.raises(UnsupportedError, match=r"a\.png"):
        body(ask("Hi", replace(Message.assistant("Here."), files=(image,)), "Thanks"))


# Prompt caching


def test_instructions_skills_and_the_last_two_turns_are_marked_for_the_cache():
    # https://platform.claude.com/docs/en/build-with-claude/prompt-caching
    talk = ask(Message.system("Be brief."), "1", Message.assistant("2"), "3", Message.assistant("4"), "5", "6")
    mark = {"type": "ephemeral"}
    made = body(replace(talk, skills=(WEATHER, replace(WEATHER, name="other"))), AnthropicSettings())
    assert made["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    assert [tool.get("cache_control") for tool in made["tools"]] == [None, mark]
    marked = {block["text"]: block.get("cache_control") for message in made["messages"] for block in message["content"]}
    assert marked == {"1": None, "2": None, "3": mark, "4": None, "5": None, "6": mark}


def test_the_cache_can_be_kept_for_an_hour_or_not_at_all():
    hour = body(ask("Hi"), AnthropicSettings(prompt_caching="1h"))
    assert hour["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert "cache_control" not in json.dumps(body(ask(Message.system("Be."), "Hi", skills=(WEATHER,))))


# Limits, sampling, options


def test_the_longest_reply_is_that_of_request_settings_or_model():
    assert body(ask("Hi", max_tokens=7))["max_tokens"] == 7
    assert body(ask("Hi"), AnthropicSettings(max_tokens=99))["max_tokens"] == 99
    assert body(ask("Hi"))["max_tokens"] == 128_000
    assert body(ask("Hi", model="claude-haiku-4-5"))["max_tokens"] == 64_000
    assert body(ask("Hi", model="some-other-model"))["max_tokens"] == 8192
    with pytest.raises(ConfigError):
        body(ask("Hi", max_tokens=0))


def test_sampling_is_left_out_and_named_or_refused_or_sent_to_an_older_version():
    # https://platform.claude.com/docs/en/api/migration-2026-10-21
    request = ask("Hi", temperature=0.2, top_p=0.9, seed=1, options={"top_k": 5})
    assert build(request, PLAIN, wire).ignored == ("temperature", "top_p", "top_k")
    assert not {"temperature", "top_p", "top_k", "seed"} & body(request).keys()
    with pytest.raises(ConfigError, match=r"temperature = 0\.2"):
        body(request, AnthropicSettings(sampling="refuse"))
    old = AnthropicSettings(api_version="2023-06-01", model="claude-opus-4-5")
    assert body(request, old) | {"temperature": 0.2, "top_p": 0.9, "top_k": 5} == body(request, old)
    with pytest.raises(ConfigError, match="while a model of Anthropic thinks"):
        body(replace(request, thinking=True), old)
    assert build(ask("Hi", temperature=1.0), AnthropicSettings(sampling="refuse"), wire).ignored == ()


def test_options_become_fields():
    options = {"service_tier": "standard_only", "inference_geo": "us", "user": "u1", "effort": "low"}
    made = body(ask("Hi", stop=("END", "\n"), options=options))
    assert made["service_tier"] == "standard_only"
    assert made["inference_geo"] == "us"
    assert made["metadata"] == {"user_id": "u1"}
    assert made["output_config"] == {"effort": "low"}
    assert made["stop_sequences"] == ["END"]


@pytest.mark.parametrize("options", [{"efort": "low"}, {"effort": "lots"}, {"thinking_budget": 5}])
def test_an_option_that_is_wrong_is_named(options: dict[str, Any]):
    with pytest.raises(ConfigError, match=next(iter(options))):
        body(ask("Hi", options=options))


def test_a_required_skill_needs_one():
    with pytest.raises(ConfigError, match="at least one skill"):
        body(ask("Hi", skill_choice="required"))


# State


def signed(*blocks: dict[str, Any], connector: str = "anthropic") -> ProviderState:
    return ProviderState(connector=connector, data=json.dumps({"blocks": list(blocks)}))


THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
HIDDEN = {"type": "redacted_thinking", "data": "EmwK"}


def test_thoughts_go_back_verbatim_and_where_they_stood():
    # https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks
    calls = tuple(SkillCall(id=f"toolu_{n}", name="get_weather", arguments="{}") for n in (1, 2))
    state = signed(THOUGHT, {"text": 3}, HIDDEN, {"call": True}, {"text": 3}, {"call": True})
    said = Message.assistant("oneTWO", skill_calls=calls, state=state)
    results = [Message.result(call, "") for call in calls]
    made = body(ask("Hi", said, *results, skills=(WEATHER,), thinking=True))
    assert made["messages"][1]["content"] == [
        THOUGHT,
        {"type": "text", "text": "one"},
        HIDDEN,
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}},
        {"type": "text", "text": "TWO"},
        {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {}},
    ]


def test_the_ids_of_the_message_win_over_those_of_its_state():
    call = SkillCall(id="renamed_2", name="get_weather", arguments="{}")
    said = Message.assistant(skill_calls=(call,), state=signed(THOUGHT, {"call": True}))
    made = body(ask("Hi", said, Message.result(call, ""), skills=(WEATHER,), thinking=True))
    assert made["messages"][1]["content"][1]["id"] == "renamed_2"


def test_thoughts_of_a_message_that_was_changed_come_first():
    said = Message.assistant("another text", state=signed({"text": 3}, THOUGHT, {"call": True}))
    made = body(ask("Hi", said, "Go on", thinking=True))
    assert made["messages"][1]["content"] == [THOUGHT, {"type": "text", "text": "another text"}]


@pytest.mark.parametrize("data", ["{not json", "[]", '{"blocks": 3}', '{"blocks": [{"type": "image"}]}', "{}"])
def test_a_state_that_makes_no_sense_is_passed_over(data: str):
    said = Message.assistant("text", state=ProviderState(connector="anthropic", data=data))
    made = body(ask("Hi", said, "Go on", thinking=True))
    assert made["messages"][1]["content"] == [{"type": "text", "text": "text"}]


def test_thoughts_stay_away_from_a_model_that_does_not_think():
    said = Message.assistant("text", state=signed(THOUGHT, {"text": 4}))
    for model, thinking in (("claude-opus-5", False), ("claude-opus-4-7", None), ("claude-opus-4-5", None)):
        made = body(ask("Hi", said, "Go on", model=model, thinking=thinking))
        assert made["messages"][1]["content"] == [{"type": "text", "text": "text"}]


def test_thoughts_that_do_not_hold_any_more_are_dropped_or_refused():
    # https://platform.claude.com/docs/en/build-with-claude/preserved-thinking/prefix-checks
    said = Message.assistant("text", state=signed(THOUGHT, {"text": 4}))
    drop = {"prefix_mismatch_behavior": "drop_block"}
    for model in ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2", "claude-opus-6"):
        request = ask("Hi", said, "Go on", model=model)
        assert body(request)["thinking"] == {"type": "adaptive", "block_binding": drop}
        assert build(request, PLAIN, wire).betas == (BINDING_BETA,)
        strict = PLAIN.model_copy(update={"changed_history": "error"})
        assert "thinking" not in body(request, strict)
        assert "thinking" not in body(ask("Hi", Message.assistant("text"), "Go on", model=model))
    assert "thinking" not in body(ask("Hi", said, "Go on", model="claude-opus-5"))


def test_a_model_with_a_budget_does_not_begin_to_think_in_the_middle_of_a_turn():
    call = SkillCall(id="toolu_1", name="get_weather", arguments="{}")
    talk = ask("Hi", Message.assistant(skill_calls=(call,)), Message.result(call, "ok"), skills=(WEATHER,))
    made = body(replace(talk, thinking=True, model="claude-opus-4-5"))
    assert made["thinking"] == {"type": "disabled"}
