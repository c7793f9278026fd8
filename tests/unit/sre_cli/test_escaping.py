"""What a terminal would obey is written out."""

import json

import pytest

from sre_cli.escaping import escaped, json_text, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07\x00", r"\x1b[2J\x07\x00"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("fine\rover", r"fine\x0dover"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\tb\nc\r\nd", "a\tb\nc\nd"),
        ("ünï 中 \U0001f469\u200d\U0001f4bb", "ünï 中 \U0001f469\u200d\U0001f4bb"),
    ],
)
def test_control_characters_are_written_out_and_all_else_stays(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_one_line_has_no_second_one() -> None:
    assert one_line(" a\n\tb\x1b ") == r"a b\x1b"


@pytest.mark.parametrize("indent", [None, 2])
def test_json_means_the_same_and_has_nothing_that_a_terminal_obeys(indent: int | None) -> None:
    value = {"\x9bkey": ["\x1b]0;title\x07", "\x7f\x85\u202e\u2066", "a\tb\nc", "ünï 中"]}
    text = json_text(value, indent=indent)
    assert json.loads(text) == value
    assert escaped(text) == text
    assert "ünï 中" in text
