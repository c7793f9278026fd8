"""Teams: members and their shared home."""

import pytest

from sre_core.errors import ConfigError
from sre_sdk import Team


async def test_members_share_the_home_of_the_team(runtime):
    team = Team("ops", runtime=runtime)
    member = team.agent("Ann", behavior="Kind.")
    await team.storage.write("plan", "go")
    assert await member.storage.of(team.candidate).read_text("plan") == "go"
    assert await member.prompt("hi") == "Hello there."
    assert (member.id, member.team, member.behavior) == ("ann", "ops", "Kind.")
    await team.cache.set("k", 1)
    assert await member.cache.of(team.candidate).get("k") == 1


def test_an_illegal_id_is_refused():
    with pytest.raises(ConfigError, match="illegal team id"):
        Team("a/b")


async def test_without_a_runtime_the_team_says_what_to_do():
    with pytest.raises(ConfigError, match="team 'ops' has no open runtime"):
        _ = Team("ops").vectors


async def test_a_team_can_open_a_runtime(echo_project):
    async with Team("ops") as team:
        assert await team.agent("Ann").prompt("hi") == "hi"
