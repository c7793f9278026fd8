"""Tests of access lists: levels include lower ones, and a changed list is a new one."""

import pytest

from sre_core.access import ACL, Access, Candidate
from sre_core.errors import ConfigError

A1, U1, OPS, PUBLIC = Candidate.agent("a1"), Candidate.user("u1"), Candidate.team("ops"), Candidate.public()


def test_levels_are_ordered() -> None:
    assert Access.READ < Access.WRITE < Access.OWN


@pytest.mark.parametrize("access", Access)
def test_a_level_is_read_back_from_its_text(access: Access) -> None:
    assert Access.parse(str(access)) is access


@pytest.mark.parametrize("text", ["", "none", "rw", "3", "r e a d", "__class__"])
def test_text_that_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="access level"):
        Access.parse(text)


def test_a_grant_replaces_the_one_before_also_by_a_lower_level() -> None:
    acl = ACL().grant(A1, Access.OWN).grant(A1, Access.READ)
    assert acl == ACL(frozenset({(A1, Access.READ)}))


def test_a_change_leaves_the_old_list_as_it_was() -> None:
    before = ACL().grant(A1, Access.READ)
    assert before.grant(U1, Access.OWN) != before
    assert before.revoke(A1) == ACL()
    assert before == ACL(frozenset({(A1, Access.READ)}))


def test_the_highest_level_of_all_names_counts() -> None:
    acl = ACL().grant(PUBLIC, Access.READ).grant(OPS, Access.WRITE).grant(U1, Access.OWN)
    assert acl.level_for((A1, PUBLIC, OPS)) is Access.WRITE
    assert acl.level_for((A1, PUBLIC)) is Access.READ
    assert acl.level_for((A1,)) is None
    assert ACL().level_for((A1, PUBLIC)) is None


def test_a_namesake_of_another_role_has_nothing() -> None:
    acl = ACL().grant(Candidate.user("x"), Access.OWN)
    assert acl.level_for((Candidate.agent("x"), Candidate.team("x"))) is None
    assert Candidate.user("x") in acl
    assert Candidate.agent("x") not in acl


@pytest.mark.parametrize("level", [7, "read", None, 3])
def test_what_is_no_level_is_refused_before_it_is_stored(level: object) -> None:
    with pytest.raises(ConfigError, match="access level"):
        ACL().grant(A1, level)  # type: ignore[arg-type]
