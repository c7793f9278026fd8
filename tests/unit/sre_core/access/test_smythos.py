"""Tests of the compact text: known texts and hashes, and that what is written is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.access import ACL, Access, Candidate
from sre_core.access.smythos import from_compact, hash_id, to_compact
from sre_core.errors import ConfigError

HASHES = {
    "agent1": "fcf1a5605d79016e",
    "user1": "63edb0950fc8c927",
    "default": "cb14bd8a5c561c96",
    "public": "61214ecf31784e87",
    "Team2": "2ad0073edfda2b28",
    "FAKE-AGENT-ID": "20fb7d889edfb4c3",
    "agent-5": "974e4d6b7022035",
}
TEXT = "h:xxh3|u:63edb0950fc8c927/o|a:fcf1a5605d79016e/rw,afb3ce7ce02118f0/r|t:f623df4e20112b07/r"
USER, ONE, TWO = Candidate.user("user1"), Candidate.agent("agent1"), Candidate.agent("agent2")
TEAM = Candidate.team("team1")
SAME = ACL().grant(USER, Access.OWN).grant(ONE, Access.WRITE).grant(TWO, Access.READ).grant(TEAM, Access.READ)


@pytest.mark.parametrize(("id_", "written"), HASHES.items())
def test_ids_are_hashed_without_leading_zeros(id_: str, written: str) -> None:
    assert hash_id(id_) == written


def test_a_known_text_is_read() -> None:
    assert from_compact(TEXT, [USER, ONE, TWO, TEAM]) == (SAME, ())


def test_a_list_is_written_as_the_known_text_but_for_levels_that_imply_others() -> None:
    assert to_compact(SAME) == TEXT.replace("c927/o", "c927/orw")


def test_grants_of_unknown_ids_are_given_back_as_they_were() -> None:
    acl, lost = from_compact(TEXT, [USER])
    assert acl == ACL().grant(USER, Access.OWN)
    assert lost == ("a:fcf1a5605d79016e", "a:afb3ce7ce02118f0", "t:f623df4e20112b07")


def test_a_hash_counts_for_its_role_only() -> None:
    assert from_compact("h:xxh3|a:63edb0950fc8c927/o", [USER]) == (ACL(), ("a:63edb0950fc8c927",))


def test_a_public_grant_is_recognised() -> None:
    acl, lost = from_compact("h:xxh3|p:61214ecf31784e87/r", [])
    assert (acl, lost) == (ACL().grant(Candidate.public(), Access.READ), ())


def test_plain_ids_are_read_too() -> None:
    assert from_compact("h:none|u:user1/rw", [USER]) == (ACL().grant(USER, Access.WRITE), ())


@pytest.mark.parametrize("text", ["h:xxh3", "h:xxh3|", "h:xxh3|x:63edb0950fc8c927/o", "h:xxh3|u:63edb0950fc8c927/n"])
def test_what_grants_nothing_grants_nothing(text: str) -> None:
    assert from_compact(text, [USER]) == (ACL(), ())


@pytest.mark.parametrize(
    "text", ["", "u:63edb0950fc8c927/o", "h:md5|u:x/o", "h:xxh3|u:63edb0950fc8c927", "h:xxh3|u:/o", "h:xxh3|u:a/x"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        from_compact(text, [USER])


CANDIDATES = st.builds(
    lambda role, id_: role(id_),
    st.sampled_from([Candidate.user, Candidate.agent, Candidate.team]),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,12}", fullmatch=True),
) | st.just(Candidate.public())


@given(st.dictionaries(CANDIDATES, st.sampled_from(list(Access)), max_size=8))
def test_what_is_written_is_read_again(grants: dict[Candidate, Access]) -> None:
    acl = ACL(frozenset(grants.items()))
    assert from_compact(to_compact(acl), grants) == (acl, ())
