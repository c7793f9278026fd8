"""Tests of teams: users and agents join and leave, nobody else."""

import pytest

from sre_core.access import Candidate, Teams
from sre_core.errors import ConfigError

A1, U1, OPS, DEV = Candidate.agent("a1"), Candidate.user("u1"), Candidate.team("ops"), Candidate.team("dev")


def test_nobody_is_in_a_team_at_first() -> None:
    assert Teams().of(A1) == frozenset()


def test_members_are_taken_from_a_table() -> None:
    teams = Teams({"ops": [A1, U1], "dev": [A1]})
    assert (teams.of(A1), teams.of(U1)) == ({OPS, DEV}, {OPS})


def test_joining_and_leaving_twice_is_harmless() -> None:
    teams = Teams()
    teams.join(A1, "ops")
    teams.join(A1, "ops")
    teams.leave(A1, "dev")
    assert teams.of(A1) == {OPS}
    teams.leave(A1, "ops")
    teams.leave(A1, "ops")
    assert teams.of(A1) == frozenset()


def test_an_agent_brings_no_namesake_along() -> None:
    teams = Teams({"ops": [Candidate.agent("x")]})
    assert teams.of(Candidate.user("x")) == frozenset()


@pytest.mark.parametrize("member", [Candidate.public(), DEV])
def test_neither_a_team_nor_everybody_can_be_a_member(member: Candidate) -> None:
    with pytest.raises(ConfigError, match="cannot be in team 'ops'"):
        Teams({"ops": [member]})


def test_an_illegal_team_id_is_refused() -> None:
    with pytest.raises(ConfigError, match="team id"):
        Teams({"../x": [A1]})
