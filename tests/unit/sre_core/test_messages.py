"""Tests of messages: files know their media type, results their call, and usage adds up."""

import dataclasses
import gc
import weakref
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.messages import File, Message, MessageRole, SkillCall, Usage

CALL = SkillCall(id="c1", name="add", arguments="{}")


def test_each_role_has_its_constructor() -> None:
    file = File(name="x", media_type="image/png", data=b"")
    assert Message.system("s") == Message(role=MessageRole.SYSTEM, text="s")
    assert Message.user("u", files=(file,)) == Message(role=MessageRole.USER, text="u", files=(file,))
    assert Message.assistant(skill_calls=(CALL,)) == Message(role=MessageRole.ASSISTANT, skill_calls=(CALL,))


def test_a_result_belongs_to_its_call() -> None:
    result = Message.result(CALL, "5", is_error=True)
    assert (result.role, result.call_id, result.name, result.text, result.is_error) == ("skill", "c1", "add", "5", True)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.png", "image/png"), ("a.wav", "audio/x-wav"), ("a.pdf", "application/pdf"), ("a", "application/octet-stream")],
)
def test_a_file_is_read_with_the_media_type_of_its_name(tmp_path: Path, name: str, media_type: str) -> None:
    (tmp_path / name).write_bytes(b"\0\1")
    assert File.from_path(str(tmp_path / name)) == File(name=name, media_type=media_type, data=b"\0\1")


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        File.from_path(tmp_path / "x")


NUMBERS = st.integers(0, 10**9)
USAGES = st.builds(Usage, **{field.name: NUMBERS for field in dataclasses.fields(Usage)})


@given(first=USAGES, second=USAGES)
def test_usage_adds_up_field_by_field(first: Usage, second: Usage) -> None:
    both = first + second
    for field in dataclasses.fields(Usage):
        assert getattr(both, field.name) == getattr(first, field.name) + getattr(second, field.name)
    assert both.total_tokens == first.total_tokens + second.total_tokens
    assert first + Usage() == first


def test_a_message_never_changes_and_can_be_held_weakly() -> None:
    message = Message.user("x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        message.text = "y"  # type: ignore[misc]
    held = weakref.ref(message)
    assert held() is message
    del message
    gc.collect()
    assert held() is None
