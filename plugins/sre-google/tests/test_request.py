"""Requests as Google documents them, made of ours without asking anybody."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sre_core.connectors.llm import ImageRequest, LLMRequest
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, ProviderState, SkillCall, SkillSpec
from sre_google.contents import FUNCTION_NAME, UNSIGNED, PartsCache
from sre_google.images import image_body
from sre_google.request import Target, check_files, request_body
from sre_google.schemas import google_schema
from sre_google.settings import Backend

DOCUMENTED: Mapping[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "requests.json").read_text())
HELLO = Message.user("hello")
CALL = SkillCall(id="8f2b1a3c", name="schedule_meeting", arguments='{"topic": "Q3"}')
NOW = SkillSpec(name="now", description="The time.", parameters={"type": "object", "properties": {}})


def body(
    *messages: Message, model: str = "gemini-3.8-flash", backend: Backend = "gemini", level: Any = None, **more: Any
) -> dict[str, Any]:
    target = Target(backend=backend, model=model)
    return request_body(LLMRequest(messages=messages, **more), target, PartsCache(), level=level)


def signed(origin: str, *parts: dict[str, Any]) -> ProviderState:
    return ProviderState(connector="google", data=json.dumps({"origin": origin, "parts": parts}))


# As documented


def test_roles_are_kept_and_instructions_stand_apart() -> None:
    made = body(
        Message.system("You are a cat."),
        Message.user("Hello"),
        Message.assistant("Great to meet you."),
        Message.user("I have two dogs."),
        max_tokens=800,
        temperature=1.0,
        top_p=0.8,
        seed=7,
        stop=("Title", ""),
        options={"top_k": 10},
    )
    assert made == DOCUMENTED["roles_and_system"]["body"]


def test_calls_and_responses_follow_each_other() -> None:
    state = signed("gemini/gemini-3.8-flash", {"call": True, "signature": "AQIDBA=="})
    parameters = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}
    made = body(
        Message.user("Schedule a meeting."),
        Message.assistant(skill_calls=(CALL,), state=state),
        Message.result(CALL, "done"),
        skills=(SkillSpec(name=CALL.name, description="Schedules a meeting.", parameters=parameters), NOW),
        skill_choice="required",
    )
    assert made == DOCUMENTED["call_and_response"]["body"]


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ({"type": "object", "properties": {}, "required": [], "additionalProperties": False}, False),
        ({"type": "object", "title": "now"}, False),
        ({"$ref": "#/$defs/Place", "$defs": {"Place": {"type": "object"}}}, True),
        ({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, True),
    ],
)
def test_parameters_are_left_out_only_if_there_are_none(parameters: dict[str, Any], kept: bool) -> None:
    (declared,) = body(HELLO, skills=(replace(NOW, parameters=parameters),))["tools"][0]["functionDeclarations"]
    assert ("parametersJsonSchema" in declared) == kept


def test_a_schema_goes_as_it_is() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    made = body(Message.user("Extract the recipe."), output_schema=schema)
    assert made == DOCUMENTED["structured_output"]["body"]


def test_files_go_before_the_text() -> None:
    files = (
        File(name="a.jpg", media_type="image/jpeg", data=b"\1\2\3"),
        File(name="b.pdf", media_type="application/pdf", data=b"\4\5\6"),
        File(name="notes.txt", media_type="text/plain; charset=utf-8", data=b"Hello"),
    )
    assert body(Message.user("Caption this image.", files=files)) == DOCUMENTED["inline_media"]["body"]


# History


def test_neighbours_of_one_role_are_one_content_and_silent_messages_none() -> None:
    made = body(
        Message.user("one"), Message.assistant(""), Message.user("two"), Message.assistant("a"), Message.assistant("b")
    )
    assert made["contents"] == [
        {"role": "user", "parts": [{"text": "one"}, {"text": "two"}]},
        {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]},
    ]


def test_results_stand_in_the_order_of_their_calls_and_apart_from_what_is_said_next() -> None:
    calls = tuple(SkillCall(id=f"c{number}", name="f", arguments="{}") for number in range(3))
    results = [Message.result(calls[number], str(number), is_error=number == 1) for number in (2, 0, 1)]
    made = body(HELLO, Message.assistant("", skill_calls=calls), *results, Message.user("stop"))
    assert [part["functionResponse"] for part in made["contents"][2]["parts"]] == [
        {"id": "c0", "name": "f", "response": {"output": "0"}},
        {"id": "c1", "name": "f", "response": {"error": "1"}},
        {"id": "c2", "name": "f", "response": {"output": "2"}},
    ]
    assert made["contents"][3] == {"role": "user", "parts": [{"text": "stop"}]}


def test_a_conversation_that_the_assistant_opened_gets_a_beginning() -> None:
    made = body(Message.assistant("Welcome!"), Message.user("Hello"))
    assert [content["role"] for content in made["contents"]] == ["user", "model", "user"]
    assert made["contents"][0]["parts"][0]["text"]


HALF = "a\ud83e"


@pytest.mark.parametrize("arguments", [f'{{"x": "{HALF}"}}', '{"x": "a\\ud83e"}', '{"x": "' + HALF])
def test_half_a_character_does_not_break_the_request(arguments: str) -> None:
    call = SkillCall(id="c1", name="f", arguments=arguments)
    said = Message.assistant(HALF, skill_calls=(call,))
    made = body(Message.system(HALF), Message.user(HALF), said, Message.result(call, HALF))
    assert "a\ufffd" in json.dumps(made, ensure_ascii=False).encode().decode()


@pytest.mark.parametrize("arguments", ["[" * 99_999, '{"x": NaN}', '{"x": -Infinity}', "[1]"])
def test_arguments_that_are_no_json_object_go_as_text(arguments: str) -> None:
    call = SkillCall(id="c1", name="f", arguments=arguments)
    made = body(HELLO, Message.assistant("", skill_calls=(call,)), Message.result(call, "bad", is_error=True))
    assert made["contents"][1]["parts"][0]["functionCall"]["args"] == {"arguments": arguments}


@pytest.mark.parametrize("name", ["", "2go", "добавь", "n" * 300, "a b"])
def test_a_skill_that_there_cannot_be_does_not_spoil_the_conversation(name: str) -> None:
    call = SkillCall(id="c1", name=name, arguments=" ")
    made = body(HELLO, Message.assistant("", skill_calls=(call,)), Message.result(call, "no such skill"))
    called = made["contents"][1]["parts"][0]["functionCall"]
    assert FUNCTION_NAME.fullmatch(called["name"])
    assert called["args"] == {}
    assert made["contents"][2]["parts"][0]["functionResponse"]["name"] == called["name"]


def test_calls_of_another_provider_carry_the_signature_for_unsigned_ones() -> None:
    broken = SkillCall(id="b", name="f", arguments='{"half')
    said = Message.assistant("Let me see.", skill_calls=(CALL, broken))
    results = (Message.result(CALL, "1"), Message.result(broken, "not valid JSON", is_error=True))
    parts = body(HELLO, said, *results)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, UNSIGNED, None]
    assert parts[2]["functionCall"] == {"id": "b", "name": "f", "args": {"arguments": '{"half'}}
    older = body(HELLO, said, *results, model="gemini-2.5-flash-lite")["contents"][1]["parts"]
    assert not any("thoughtSignature" in part for part in older)


def test_signatures_go_back_on_their_parts_with_the_ids_that_the_loop_gave() -> None:
    layout = (
        {"thought": "Hm.", "signature": "AA=="},
        {"text": 3},
        {"text": 4, "signature": "AQ=="},
        {"call": True, "signature": "Ag=="},
        {"call": True},
    )
    calls = (CALL, SkillCall(id="renamed", name="f", arguments="{}"))
    said = Message.assistant("ab cdef", skill_calls=calls, state=signed("gemini/gemini-3.8-flash", *layout))
    parts = body(HELLO, said)["contents"][1]["parts"]
    assert parts == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "AA=="},
        {"text": "ab "},
        {"text": "cdef", "thoughtSignature": "AQ=="},
        {
            "functionCall": {"id": CALL.id, "name": CALL.name, "args": {"topic": "Q3"}},
            "thoughtSignature": "Ag==",
        },
        {"functionCall": {"id": "renamed", "name": "f", "args": {}}},
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"text": "other text"},
        {"skill_calls": (CALL, CALL)},
        {"state": signed("gemini/gemini-3.5-flash", {"text": 4}, {"call": True, "signature": "Ag=="})},
        {"state": signed("vertex/gemini-3.8-flash", {"text": 4}, {"call": True, "signature": "Ag=="})},
        {"state": ProviderState(connector="google", data="[]")},
        {"state": ProviderState(connector="google", data="no json")},
        {"state": ProviderState(connector="anthropic", data="{}")},
        {"state": None},
    ],
)
def test_signatures_that_do_not_belong_to_message_and_model_stay_away(change: dict[str, Any]) -> None:
    state = signed("gemini/gemini-3.8-flash", {"text": 4}, {"call": True, "signature": "Ag=="})
    said = replace(Message.assistant("text", skill_calls=(CALL,), state=state), **change)
    parts = body(HELLO, said)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts][:2] == [None, UNSIGNED]


def test_a_message_that_comes_again_is_not_made_again() -> None:
    cache, said = PartsCache(), Message.user("hi", files=(File(name="a", media_type="image/png", data=b"1"),))
    first = cache.parts(said, "gemini/x", signs=True)
    assert cache.parts(said, "gemini/x", signs=True) is first
    assert cache.parts(replace(said), "gemini/x", signs=True) == first
    del said
    assert not cache._known


def test_a_request_does_not_change_what_is_kept_of_its_messages() -> None:
    cache, target = PartsCache(), Target(backend="gemini", model="gemini-3.8-flash")
    request = LLMRequest(messages=(HELLO, Message.user("again")))
    assert request_body(request, target, cache) == request_body(request, target, cache)


# Thinking


@pytest.mark.parametrize(
    ("model", "thinking", "level", "options", "config"),
    [
        ("gemini-3.8-flash", None, None, {}, None),
        ("gemini-3.8-flash", True, None, {}, {"includeThoughts": True}),
        ("gemini-3.8-flash", True, "high", {}, {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-3.8-flash", None, "high", {"thinking_level": "low"}, {"thinkingLevel": "LOW"}),
        ("gemini-3.8-flash", False, "high", {}, {"thinkingLevel": "LOW"}),
        ("gemini-3.5-flash-lite", False, None, {}, {"thinkingLevel": "MINIMAL"}),
        ("models/gemini-3.5-flash-lite", False, None, {}, {"thinkingLevel": "MINIMAL"}),
        ("gemini-flash-latest", False, None, {}, {"thinkingLevel": "LOW"}),
        ("gemini-2.5-flash-lite", True, "high", {}, {"includeThoughts": True, "thinkingBudget": -1}),
        ("gemini-2.5-flash-lite", None, "high", {"thinking_budget": 512}, {"thinkingBudget": 512}),
        ("gemini-2.5-flash-lite", False, None, {}, {"thinkingBudget": 0}),
        ("gemini-2.5-pro", False, None, {}, {"thinkingBudget": 128}),
        ("gemma-4-31b-it", False, None, {}, None),
        ("gemma-4-31b-it", True, None, {}, {"includeThoughts": True}),
    ],
)
def test_thinking_is_said_in_the_way_of_the_model(
    model: str, thinking: bool | None, level: str | None, options: dict[str, Any], config: dict[str, Any] | None
) -> None:
    made = body(HELLO, model=model, thinking=thinking, level=level, options=options)
    assert made["generationConfig"].get("thinkingConfig") == config


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gemini-3.8-flash", {"thinking_budget": 100}),
        ("gemini-2.5-flash", {"thinking_level": "low"}),
        ("gemini-3.8-flash", {"thinking_level": "minimal"}),
        ("gemini-3.8-flash", {"thinking_level": "deep"}),
    ],
)
def test_a_bound_that_the_model_does_not_take_is_refused(model: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        body(HELLO, model=model, options=options)


# Options


def test_options_of_google_are_passed_on() -> None:
    made = body(
        HELLO,
        options={
            "presence_penalty": 0.5,
            "frequency_penalty": 0.25,
            "media_resolution": "MEDIA_RESOLUTION_LOW",
            "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
            "cached_content": "cachedContents/abc",
            "service_tier": "flex",
            "labels": {"team": "a"},
        },
    )
    assert made.pop("contents")
    assert made == {
        "generationConfig": {
            "presencePenalty": 0.5,
            "frequencyPenalty": 0.25,
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
        "cachedContent": "cachedContents/abc",
        "serviceTier": "flex",
        "labels": {"team": "a"},
    }


def test_an_option_with_a_wrong_value_is_named() -> None:
    with pytest.raises(ConfigError, match="'top_k'"):
        body(HELLO, options={"top_k": "many"})


# What Google does not take


def test_more_than_five_stop_sequences_are_refused() -> None:
    with pytest.raises(ConfigError, match="6 stop sequences"):
        body(HELLO, stop=tuple("abcdef"))


def test_a_skill_whose_name_begins_with_a_digit_is_refused() -> None:
    with pytest.raises(ConfigError, match="'2go'"):
        body(HELLO, skills=(replace(NOW, name="2go"),))


def test_before_gemini_3_a_schema_and_skills_exclude_each_other() -> None:
    with pytest.raises(UnsupportedError, match="takes no output schema together"):
        body(HELLO, model="gemini-2.5-pro", skills=(NOW,), output_schema={"type": "object"})


def test_a_request_that_says_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="no message"):
        body(Message.system("Be brief."), Message.user(""))


@pytest.mark.parametrize(
    ("media_type", "data", "error"),
    [
        ("application/zip", b"PK", UnsupportedError),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK", UnsupportedError),
        ("text/plain", b"\xff\xfe", ConfigError),
    ],
)
def test_a_file_that_cannot_be_read_is_named(media_type: str, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match="'odd'"):
        body(Message.user("Read.", files=(File(name="odd", media_type=media_type, data=data),)))


def test_files_beyond_the_limit_are_refused_before_they_are_sent() -> None:
    photo = File(name="a.png", media_type="image/png", data=bytes(3000))
    assert check_files([(photo,)], 4000) == 3000
    with pytest.raises(ConfigError, match="2 files of the request have 8000 bytes as they are sent, and the limit is"):
        check_files([(photo,), (photo,)], 7999)
    with pytest.raises(ConfigError, match="PDFs up to 50000000"):
        check_files([(File(name="b.pdf", media_type="application/pdf", data=bytes(50_000_001)),)], 1 << 30)


# Schemas


def test_a_reference_with_a_description_moves_into_a_choice_of_one() -> None:
    schema = {
        "type": "object",
        "properties": {
            "const": {"type": "string"},
            "place": {"$ref": "#/$defs/Place", "description": "where"},
            "kind": {"const": "city"},
            "other": {"allOf": [{"$ref": "#/$defs/Place"}], "default": None},
            "many": {"type": "array", "items": {"$ref": "#/$defs/Place"}},
        },
        "$defs": {"Place": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}}}},
    }
    before = json.dumps(schema)
    made = google_schema(schema)
    assert made["properties"] == {
        "const": {"type": "string"},
        "place": {"anyOf": [{"$ref": "#/$defs/Place"}], "description": "where"},
        "kind": {"enum": ["city"]},
        "other": {"anyOf": [{"$ref": "#/$defs/Place"}], "default": None},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Place"}},
    }
    assert made["$defs"] == schema["$defs"]
    assert json.dumps(schema) == before


# Images


def test_an_image_is_asked_for_with_shape_and_size() -> None:
    made = image_body(ImageRequest(prompt="A cat", size="16:9 2k", options={"thinking_level": "high"}))
    assert made["contents"] == [{"role": "user", "parts": [{"text": "A cat"}]}]
    assert made["generationConfig"] == {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
        "thinkingConfig": {"thinkingLevel": "HIGH"},
    }


def test_pixels_are_no_size_of_googles() -> None:
    with pytest.raises(ConfigError, match="1024x1024"):
        image_body(ImageRequest(prompt="A cat", size="1024x1024"))
