"""Our requests as chat completions: fields, messages, skills, files.

Of OpenAI: https://developers.openai.com/api/reference/resources/chat/subresources/completions/methods/create
Of others: the page that their preset names as `docs`, unless a test names another.
"""

import base64
import json
from typing import Any

import pytest

from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, SkillCall, SkillSpec
from sre_openai.chat.request import chat_fields, chat_message, chat_skill
from sre_openai.presets import PRESETS
from sre_openai.state import kept

OPEN = {"type": "object", "properties": {"a": {"type": "integer"}}}
CLOSED = OPEN | {"required": ["a"], "additionalProperties": False}
CALL = SkillCall(id="call_abc", name="add", arguments='{"a": 1}')


def fields(preset: str = "openai", model: str = "m", effort: str | None = None, **request: Any) -> dict[str, Any]:
    asked = LLMRequest(messages=(Message.user("hi"),), **request)
    return chat_fields(asked, PRESETS[preset], model=model, effort=effort)[0]


def wire(message: Message, preset: str = "openai", **more: Any) -> Any:
    return chat_message(message, PRESETS[preset], origin="chat@host", **more)


def test_the_least_request_asks_for_a_stream_with_usage():
    assert fields() == {"model": "m", "stream": True, "stream_options": {"include_usage": True}}


def test_settings_of_the_request_have_the_names_of_the_provider():
    given = {"max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "seed": 7}
    common = {"temperature": 0.5, "top_p": 0.9}
    assert fields(**given).items() >= {**common, "max_completion_tokens": 5, "seed": 7}.items()
    assert fields("vllm", **given).items() >= {**common, "max_tokens": 5, "seed": 7}.items()
    mistral = fields("mistral", **given)
    assert mistral.items() >= {**common, "max_tokens": 5, "random_seed": 7}.items()
    assert "stream_options" not in mistral


@pytest.mark.parametrize(("preset", "stops", "told"), [("openai", 1, False), ("vllm", 4, True), ("vllm", 5, False)])
def test_a_server_is_told_where_to_stop_as_far_as_it_takes_it(preset: str, stops: int, told: bool):
    words = tuple("abcdefg"[:stops])
    request = LLMRequest(messages=(), stop=(*words, ""))
    found, said = chat_fields(request, PRESETS[preset], model="m")
    assert said is told
    assert found.get("stop") == (list(words) if told else None)


def test_the_choice_of_skills_is_said_only_with_skills():
    skills = (SkillSpec(name="add", description="Add.", parameters=CLOSED),)
    assert "tool_choice" not in fields(skill_choice="required")
    assert "tool_choice" not in fields(skills=skills)
    assert fields(skills=skills, skill_choice="none")["tool_choice"] == "none"
    assert fields(skills=skills, skill_choice="required")["tool_choice"] == "required"
    assert fields("mistral", skills=skills, skill_choice="required")["tool_choice"] == "any"


@pytest.mark.parametrize(("schema", "strict"), [(CLOSED, True), (OPEN, False)])
def test_skills_and_answers_are_strict_where_their_schema_allows_it(schema: dict[str, Any], strict: bool):
    skill = chat_skill(SkillSpec(name="add", description="Add.", parameters=schema), PRESETS["openai"])
    function = {"name": "add", "description": "Add.", "parameters": schema} | ({"strict": True} if strict else {})
    assert skill == {"type": "function", "function": function}
    answer = fields(output_schema=schema | {"title": "My sum!"})["response_format"]["json_schema"]
    assert answer == {"name": "My_sum_", "schema": schema | {"title": "My sum!"}, "strict": strict}
    assert "strict" not in chat_skill(SkillSpec(name="a", description="", parameters=CLOSED), PRESETS["groq"])


@pytest.mark.parametrize(
    ("preset", "model", "thinking", "found"),
    [
        ("openai", "gpt-5.1", None, {}),
        ("openai", "gpt-5.1", True, {"reasoning_effort": "medium"}),
        ("openai", "gpt-5.1", False, {"reasoning_effort": "none"}),
        ("openai", "gpt-4.1", False, {}),
        ("deepseek", "deepseek-flash", True, {"thinking": {"type": "enabled"}}),
        ("deepseek", "deepseek-flash", False, {"thinking": {"type": "disabled"}}),
        ("groq", "qwen/qwen3.8-27b", False, {"reasoning_effort": "none"}),
        ("groq", "openai/gpt-oss-20b", True, {"reasoning_effort": "medium", "include_reasoning": True}),
        ("groq", "llama-3.3-70b-versatile", False, {}),
        ("mistral", "mistral-small-latest", True, {"reasoning_effort": "high"}),
        ("openrouter", "any/model", False, {"reasoning": {"enabled": False}}),
        ("vllm", "any", True, {"chat_template_kwargs": {"enable_thinking": True}}),
    ],
)
def test_thinking_is_switched_in_the_words_of_the_provider(
    preset: str, model: str, thinking: bool | None, found: dict[str, Any]
):
    plain = fields(preset, model)
    assert fields(preset, model, thinking=thinking) == plain | found


@pytest.mark.parametrize(
    ("preset", "model", "thinking"),
    [
        ("groq", "llama", True),
        ("openai", "gpt-4o", True),
        ("openai", "gpt-5-chat-latest", True),
        ("openai", "gpt-5", False),
        ("openai", "gpt-5-nano", False),
        ("openai", "o4-mini", False),
        ("xai", "grok-4.7", False),
    ],
)
def test_thinking_that_cannot_be_as_wanted_is_refused(preset: str, model: str, thinking: bool):
    with pytest.raises(UnsupportedError, match=model):
        fields(preset, model, thinking=thinking)


def test_effort_comes_from_the_request_before_the_settings():
    assert fields(effort="low")["reasoning_effort"] == "low"
    assert fields(effort="low", thinking=True, options={"effort": "high"})["reasoning_effort"] == "high"
    assert fields(effort="low", thinking=False)["reasoning_effort"] == "none"
    assert "reasoning_effort" not in fields(model="gpt-4o", effort="low")
    found = fields("openrouter", thinking=True, options={"effort": "high"})
    assert found["reasoning"] == {"enabled": True, "effort": "high"}


def test_options_pass_as_they_are_and_unknown_ones_are_refused():
    options = {"parallel_tool_calls": False, "verbosity": "low", "extra": {"guided_regex": "a+"}}
    assert (
        fields(options=options).items()
        >= {
            "parallel_tool_calls": False,
            "verbosity": "low",
            "guided_regex": "a+",
        }.items()
    )
    with pytest.raises(ConfigError, match="paralel") as refused:
        fields(options={"paralel_tool_calls": True})
    assert refused.value.hint == "did you mean 'parallel_tool_calls'?"


@pytest.mark.parametrize("name", ["messages", "model", "models", "fallbacks", "preset"])
def test_extra_fields_replace_neither_what_is_asked_nor_who_is_asked(name):
    with pytest.raises(ConfigError, match="extra"):
        fields(options={"extra": {name: ["another"]}})


def test_messages_have_the_role_of_who_speaks():
    assert wire(Message.system("Be kind.")) == {"role": "developer", "content": "Be kind."}
    assert wire(Message.system("Be kind."), "vllm")["role"] == "system"
    assert wire(Message.user("Hi 👋")) == {"role": "user", "content": "Hi 👋"}
    assert wire(Message.result(CALL, "3")) == {"role": "tool", "tool_call_id": "call_abc", "content": "3"}
    function = {"name": "add", "arguments": '{"a": 1}'}
    calls = [{"id": "call_abc", "type": "function", "function": function}]
    said = Message.assistant("So.", skill_calls=(CALL,))
    assert wire(said) == {"role": "assistant", "content": "So.", "tool_calls": calls}


@pytest.mark.parametrize(("written", "sent"), [("", "{}"), ('{"a": ', '{"invalid": "{\\"a\\": "}'), ("[1]", None)])
def test_arguments_that_no_server_could_parse_are_wrapped(written: str, sent: str | None):
    call = SkillCall(id="c", name="add", arguments=written)
    found = wire(Message.assistant(skill_calls=(call,)))["tool_calls"][0]["function"]["arguments"]
    assert found == (sent or json.dumps({"invalid": written}))


def test_ids_of_calls_are_short_where_they_must_be_and_still_fit_each_other():
    said = wire(Message.assistant(skill_calls=(CALL,)), "mistral")["tool_calls"][0]["id"]
    assert len(said) == 9
    assert said.isalnum()
    assert wire(Message.result(CALL, "3"), "mistral")["tool_call_id"] == said
    own = SkillCall(id="D681PevKs", name="add", arguments="{}")
    assert wire(Message.result(own, "3"), "mistral")["tool_call_id"] == "D681PevKs"


@pytest.mark.parametrize(
    ("preset", "value", "found"),
    [
        ("deepseek", "Hm.", {"reasoning_content": "Hm."}),
        ("openrouter", [{"type": "x"}], {"reasoning_details": [{"type": "x"}]}),
        ("mistral", [{"type": "t"}], {"content": [{"type": "t"}, {"type": "text", "text": "So."}]}),
        ("openai", "Hm.", {}),
    ],
)
def test_thoughts_go_back_to_the_server_that_had_them(preset: str, value: Any, found: dict[str, Any]):
    message = Message.assistant("So.", state=kept("chat@host", value))
    assert wire(message, preset) == {"role": "assistant", "content": "So."} | found
    elsewhere = Message.assistant("So.", state=kept("chat@other", value))
    assert wire(elsewhere, preset) == wire(Message.assistant("So."), preset)


def test_calls_of_another_model_have_thoughts_where_they_must():
    # https://api-docs.deepseek.com/guides/thinking_mode
    said = Message.assistant("", skill_calls=(CALL,), state=kept("chat@other", "Hm."))
    assert wire(said, "deepseek")["reasoning_content"] == ""
    assert "reasoning_content" not in wire(said, "vllm")


def test_files_become_parts_of_the_message():
    files = (
        File(name="a.png", media_type="image/png", data=b"png"),
        File(name="a.wav", media_type="audio/x-wav", data=b"wav"),
        File(name="a.pdf", media_type="application/pdf", data=b"pdf"),
        File(name="a.csv", media_type="text/csv; charset=utf-8", data="a,ä".encode()),
    )
    encoded = [base64.b64encode(file.data).decode() for file in files]
    url = f"data:image/png;base64,{encoded[0]}"
    assert wire(Message.user("Look.", files=files), image_detail="low")["content"] == [
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": encoded[1], "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{encoded[2]}"}},
        {"type": "text", "text": '<file name="a.csv">\na,ä\n</file>'},
        {"type": "text", "text": "Look."},
    ]
    (part,) = wire(Message.user("", files=files[2:3]), "mistral")["content"]
    assert part["document_url"] == f"data:application/pdf;base64,{encoded[2]}"


@pytest.mark.parametrize("media_type", ["audio/ogg", "application/msword"])
def test_a_file_that_no_server_takes_is_refused_by_name(media_type: str):
    file = File(name="odd.bin", media_type=media_type, data=b"x")
    with pytest.raises(UnsupportedError, match=r"odd\.bin"):
        wire(Message.user("Look.", files=(file,)))
