import time

import pytest

from sre_core.components.loose_json import MAX_REPAIR_BRACKETS, MAX_REPAIR_CHARACTERS, parse_loose_json
from sre_core.errors import ComponentError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, "x"]}', {"a": [1, 2.5, None, "x"]}),
        ('{message:"hello world"}', {"message": "hello world"}),
        ("{'a': 1, b: [1, 2,],}", {"a": 1, "b": [1, 2]}),
        ("// what for\n{a: 1}", {"a": 1}),
        ("[1, 2, 3]", [1, 2, 3]),
        ("7", 7),
        ("{a: NaN}", {"a": None}),
    ],
)
def test_json_is_read_also_as_people_write_it(text: str, value: object) -> None:
    assert parse_loose_json(text) == value
    assert parse_loose_json(text, repair=False) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('Sure! Here it is: {"a": 1} Anything else?', {"a": 1}),
        ('Here:\n```json\n{"a": 1}\n```\nDone.', {"a": 1}),
        ("```python\n{'not': 'this'}\n``` but\n```json\n{a: {b: 1}}\n```", {"a": {"b": 1}}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        (
            '{"text": "line\nbreak", "more": "He said "hi" to me"}',
            {"text": "line\nbreak", "more": 'He said "hi" to me'},
        ),
        ("[a, b]", ["a", "b"]),
        ("{a: 1} {b: 2}", {"a": 1}),
    ],
)
def test_replies_of_models_are_mended_and_found_in_prose(text: str, value: object) -> None:
    assert parse_loose_json(text) == value
    with pytest.raises(ComponentError):
        parse_loose_json(text, repair=False)


@pytest.mark.parametrize(
    "text", ["hello", "", "{name}", "{hello world}", "{'a': '\\ud800'}", "\ud800", "{a: '\ud800'", "[" * 100_000]
)
def test_what_is_no_json_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ComponentError) as caught:
        parse_loose_json(text)
    assert not text or text[:5] not in str(caught.value)


def test_a_text_made_to_be_slow_takes_no_time() -> None:
    begun = time.process_time()
    for hostile in (
        "[" + "(" * 90_000,
        '{"' * 50_000,
        '["' + '{"' * (MAX_REPAIR_BRACKETS - 1),
        "```json\n" * 20_000,
        '{"a":' * 50_000,
    ):
        with pytest.raises(ComponentError):
            parse_loose_json(hostile + "[" * MAX_REPAIR_BRACKETS)
    with pytest.raises(ComponentError):
        parse_loose_json('{"a": "' + "x" * MAX_REPAIR_CHARACTERS)
    for hostile in ("```" + " " * 200_000, "{a:b " * (MAX_REPAIR_BRACKETS - 1) + "x" * 90_000):
        with pytest.raises(ComponentError):
            parse_loose_json(hostile)
    assert time.process_time() - begun < 5


def test_large_json_is_read_whole() -> None:
    text = '{"items": [' + ",".join('{"id": 1}' for _ in range(100_000)) + "]}"
    assert len(parse_loose_json(text)["items"]) == 100_000
