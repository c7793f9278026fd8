"""Our requests as Responses: fields, items, thoughts that go back.

Of OpenAI: https://developers.openai.com/api/reference/resources/responses/methods/create
Of others: the page that their preset names as `docs`.
"""

from typing import Any

import pytest

from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, Message, SkillCall, SkillSpec
from sre_openai.presets import PRESETS
from sre_openai.responses.request import responses_fields, responses_items, responses_skill
from sre_openai.state import kept

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
CALLS = (SkillCall(id="call_0", name="add", arguments='{"a": 1}'), SkillCall(id="call_1_2", name="sub", arguments=""))
WIRE_CALLS = [
    {"type": "function_call", "call_id": "call_0", "name": "add", "arguments": '{"a": 1}'},
    {"type": "function_call", "call_id": "call_1_2", "name": "sub", "arguments": "{}"},
]
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}


def fields(preset: str = "openai", model: str = "gpt-6-luna", effort: str | None = None, **request: Any) -> Any:
    asked = LLMRequest(messages=(Message.user("hi"),), **request)
    return responses_fields(asked, PRESETS[preset], model=model, effort=effort)[0]


def items(message: Message, **more: Any) -> list[dict[str, Any]]:
    return responses_items(message, PRESETS["openai"], origin="responses@host", **more)


def test_nothing_is_kept_at_the_server_and_thoughts_come_back_sealed():
    sealed = {"include": ["reasoning.encrypted_content"]}
    assert fields() == {"model": "gpt-6-luna", "stream": True, "store": False} | sealed
    assert fields(model="gpt-4.1") == {"model": "gpt-4.1", "stream": True, "store": False}
    assert fields("groq") == {"model": "gpt-6-luna", "stream": True, "store": False}
    assert fields("perplexity") == {"model": "gpt-6-luna", "stream": True}


def test_settings_of_the_request_have_the_names_of_this_api():
    found = fields(max_tokens=20, temperature=0.5, top_p=0.9, output_schema=SCHEMA, options={"verbosity": "low"})
    text = {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}, "verbosity": "low"}
    assert found.items() >= {"max_output_tokens": 20, "temperature": 0.5, "top_p": 0.9, "text": text}.items()
    # It has neither.
    assert not {"seed", "stop"} & set(fields(seed=1, stop=("a",)))


def test_skills_say_whether_they_are_strict():
    skill = SkillSpec(name="add", description="Add.", parameters=SCHEMA)
    wire = {"type": "function", "name": "add", "description": "Add.", "parameters": SCHEMA}
    assert responses_skill(skill, PRESETS["openai"]) == wire | {"strict": True}
    assert responses_skill(skill, PRESETS["perplexity"]) == wire | {"strict": False}
    assert fields(skills=(skill,), skill_choice="required")["tool_choice"] == "required"
    assert "tool_choice" not in fields(skills=(skill,))


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, None),
        ({"thinking": True}, {"effort": "medium", "summary": "auto"}),
        ({"thinking": False}, {"effort": "none"}),
        ({"effort": "low"}, {"effort": "low"}),
        ({"effort": "low", "thinking": True}, {"effort": "low", "summary": "auto"}),
        (
            {"thinking": True, "options": {"effort": "max", "summary": "detailed"}},
            {"effort": "max", "summary": "detailed"},
        ),
        ({"thinking": False, "model": "gpt-4.1"}, None),
        ({"effort": "low", "model": "gpt-4.1"}, None),
        ({"thinking": True, "preset": "perplexity"}, {"effort": "medium"}),
    ],
)
def test_thinking_is_an_effort_here(request_: dict[str, Any], found: dict[str, Any] | None):
    assert fields(**request_).get("reasoning") == found


@pytest.mark.parametrize(
    ("preset", "model"), [("openai", "gpt-5"), ("openai", "gpt-5-mini"), ("azure", "o3"), ("xai", "grok-4.7")]
)
def test_what_cannot_stop_thinking_is_not_asked_to(preset: str, model: str):
    with pytest.raises(UnsupportedError, match="cannot stop thinking"):
        fields(preset, model, thinking=False)
    assert fields(preset, model, thinking=True)["reasoning"]["effort"] == "medium"


def test_what_else_is_asked_for_does_not_cost_the_thoughts():
    found = fields(options={"include": ["web_search_call.action.sources"]})
    assert found["include"] == ["reasoning.encrypted_content", "web_search_call.action.sources"]
    assert fields("groq", options={"include": ["a"]})["include"] == ["a"]


def test_what_cannot_think_and_what_is_not_known_is_refused():
    with pytest.raises(UnsupportedError, match="gpt-4o"):
        fields(model="gpt-4o", thinking=True)
    with pytest.raises(ConfigError, match="frequency_penalty"):
        fields(options={"frequency_penalty": 1})


def test_messages_become_items():
    assert items(Message.system("Be kind.")) == [{"role": "developer", "content": "Be kind."}]
    assert items(Message.user("Hi")) == [{"role": "user", "content": "Hi"}]
    assert items(Message.assistant("So.")) == [{"role": "assistant", "content": "So."}]
    assert items(Message.assistant("")) == []
    result = {"type": "function_call_output", "call_id": "call_0", "output": "3"}
    assert items(Message.result(CALLS[0], "3")) == [result]
    said = Message.assistant("So.", skill_calls=CALLS)
    assert items(said) == [{"role": "assistant", "content": "So."}, *WIRE_CALLS]


def test_thoughts_go_back_in_the_order_in_which_they_came():
    plan = [
        {"item": THOUGHT},
        {"text": 2, "phase": "commentary"},
        {"call": True},
        {"item": THOUGHT},
        {"text": 2, "phase": None},
    ]
    said = Message.assistant("abcd", skill_calls=CALLS, state=kept("responses@host", plan))
    assert items(said) == [
        THOUGHT,
        {"role": "assistant", "content": "ab", "phase": "commentary"},
        WIRE_CALLS[0],
        THOUGHT,
        {"role": "assistant", "content": "cd"},
        WIRE_CALLS[1],
    ]


def test_a_thought_goes_back_only_with_what_came_of_it():
    call, text = {"call": True}, {"text": 2, "phase": None}

    def sent(plan: list[dict[str, Any]], said: str = "", calls: tuple[SkillCall, ...] = ()) -> list[dict[str, Any]]:
        return items(Message.assistant(said, skill_calls=calls, state=kept("responses@host", plan)))

    # The reply was cut off while the model thought.
    assert sent([{"item": THOUGHT}]) == []
    assert sent([text, {"item": THOUGHT}], "ab") == [{"role": "assistant", "content": "ab"}]
    assert sent([{"item": THOUGHT}, {"text": 0, "phase": None}]) == []
    # One of the calls was left out.
    assert sent([{"item": THOUGHT}, call, {"item": THOUGHT}, call], "", CALLS[:1]) == [THOUGHT, WIRE_CALLS[0]]
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    assert sent([{"item": THOUGHT}, {"item": search}]) == [THOUGHT, search]


@pytest.mark.parametrize(
    "state",
    [
        kept("responses@other", [{"item": THOUGHT}, {"text": 2}]),
        kept("chat@host", [{"item": THOUGHT}, {"text": 2}]),
        kept("responses@host", [{"item": THOUGHT}, {"text": 3}]),
        kept("responses@host", "no plan"),
        kept("responses@host", [3]),
    ],
)
def test_thoughts_that_do_not_fit_are_left_out(state: Any):
    assert items(Message.assistant("ab", state=state)) == [{"role": "assistant", "content": "ab"}]


def test_files_become_parts_and_sound_is_refused():
    files = (
        File(name="a.png", media_type="image/png", data=b"png"),
        File(name="a.pdf", media_type="application/pdf", data=b"pdf"),
        File(name="a.md", media_type="text/markdown", data=b"# A"),
    )
    assert items(Message.user("Look.", files=files))[0]["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,cG5n", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,cGRm"},
        {"type": "input_text", "text": '<file name="a.md">\n# A\n</file>'},
        {"type": "input_text", "text": "Look."},
    ]
    sound = File(name="a.wav", media_type="audio/wav", data=b"wav")
    with pytest.raises(UnsupportedError, match=r"a\.wav"):
        items(Message.user("", files=(sound,)))
