"""Tests of candidates: their text form, and ids that cannot become anything but one part of a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.access import Candidate, Role
from sre_core.access.candidate import check_id
from sre_core.errors import ConfigError

LEGAL = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)


@given(id_=LEGAL, role=st.sampled_from([Role.USER, Role.AGENT, Role.TEAM]))
def test_a_candidate_is_read_back_from_its_text(role: Role, id_: str) -> None:
    candidate = Candidate(role, id_)
    assert Candidate.parse(str(candidate)) == candidate
    assert str(candidate) == f"{role}:{id_}"


def test_the_public_is_one() -> None:
    assert Candidate.parse("public") == Candidate.parse("public:public") == Candidate.public()
    assert str(Candidate.public()) == "public"


@pytest.mark.parametrize(
    "text", ["", ":", "agent", "agent:", "Agent:a1", "agent a1", "public:somebody", "root:a1", "agent:a:b", "agent: a1"]
)
def test_text_that_is_no_candidate_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Candidate.parse(text)


ILLEGAL = {
    "empty": "",
    "a parent": "..",
    "a hidden name": ".a1",
    "an option": "-a1",
    "a separator": "a/b",
    "a backslash": "a\\b",
    "NUL": "a\0",
    "a line end": "a1\n",
    "a space": "a 1",
    "an escape": "a%2fb",
    "a letter of another script": "а1",  # noqa: RUF001 -- Cyrillic
    "a full-width digit": "a１",  # noqa: RUF001
    "an Arabic digit": "a\u0661",
    "a zero-width character": "a\u200b1",
    "a combining mark": "a\u0301",
    "too long": "a" * 65,
}


@pytest.mark.parametrize("id_", ILLEGAL.values(), ids=ILLEGAL)
@pytest.mark.parametrize("role", [Candidate.agent, Candidate.user, Candidate.team])
def test_an_illegal_id_is_refused_and_named(role: object, id_: str) -> None:
    with pytest.raises(ConfigError) as raised:
        role(id_)  # type: ignore[operator]
    assert repr(id_) in raised.value.message


@pytest.mark.parametrize("id_", [5, None, b"a1", ["a1"]])
def test_an_id_that_is_no_text_is_refused_alike(id_: object) -> None:
    with pytest.raises(ConfigError, match="illegal agent id"):
        Candidate.agent(id_)  # type: ignore[arg-type]


@given(st.text())
def test_a_legal_id_is_one_plain_part_of_a_path(text: str) -> None:
    try:
        check_id(text)
    except ConfigError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert text not in {"", ".", ".."}
    assert not {"/", "\\", " ", "%"} & set(text)


def test_capitals_make_another_candidate_and_so_does_the_role() -> None:
    assert len({Candidate.agent("a1"), Candidate.agent("A1"), Candidate.user("a1"), Candidate.team("a1")}) == 4
