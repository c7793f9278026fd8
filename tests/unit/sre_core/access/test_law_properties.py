"""The law of access, written a second time as slowly as can be, against real handles in any order of events."""

import asyncio
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sre_core.access import Access, Candidate
from sre_core.connectors import Storage
from sre_core.errors import AccessDeniedError
from tests.unit.sre_core.access.world import World

WHO = ["agent:a1", "agent:a11", "user:a1", "user:u1", "team:t1", "public"]
HOMES = ["agent:a1", "user:u1", "team:t1", "public"]
MEMBERS = ["agent:a1", "agent:a11", "user:u1"]
TEAMS = ["t1", "t2"]
PATHS = ["", "x", "x/y", "x/y/z", "xy", "X"]
TO = [*WHO, "team:t2"]
LEVELS = {"read": 1, "write": 2, "own": 3}

who, homes, paths = st.sampled_from(WHO), st.sampled_from(HOMES), st.sampled_from(PATHS)


class Law:
    """What the law says, in dictionaries of text."""

    def __init__(self) -> None:
        self.lists: dict[str, dict[str, int]] = {}
        self.teams: dict[str, list[str]] = {team: [] for team in TEAMS}

    def nearest(self, home: str, path: str) -> dict[str, int] | None:
        steps = [home, *(step for step in path.split("/") if step)]
        for length in range(len(steps), 0, -1):
            if "/".join(steps[:length]) in self.lists:
                return self.lists["/".join(steps[:length])]
        return None

    def level(self, candidate: str, home: str, path: str) -> int:
        """0 to 3."""
        teams = [f"team:{team}" for team in TEAMS if candidate in self.teams[team]]
        if candidate != "public" and (home == candidate or home in teams):
            return 3
        names = [candidate, "public", *teams]
        granted = self.nearest(home, path) or {}
        return max((level for name, level in granted.items() if name in names), default=0)

    def grant(self, asker: str, home: str, path: str, to: str, level: int) -> bool:
        if self.level(asker, home, path) < 3:
            return False
        self.lists[f"{home}/{path}".rstrip("/")] = {**(self.nearest(home, path) or {}), to: level}
        return True

    def revoke(self, asker: str, home: str, path: str, whom: str) -> bool:
        if self.level(asker, home, path) < 3:
            return False
        granted = self.nearest(home, path)
        if granted is not None and whom in granted:
            self.lists[f"{home}/{path}".rstrip("/")] = {name: granted[name] for name in granted if name != whom}
        return True


class LawMachine(RuleBasedStateMachine):
    """Two machines share a storage; what is changed on the first must hold on both."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.law = Law()
        self.here = World()
        self.there = World(self.here.connector, teams=self.here.teams)
        for home, path in product(HOMES, PATHS):
            if path:
                key = "/".join([*self.handle(self.here, "public", home).resource(path).parts[1:]])
                self.runner.run(self.here.connector.write(key, b"old"))

    def handle(self, world: World, candidate: str, home: str) -> Storage:
        return world.storage(Candidate.parse(candidate), Candidate.parse(home))

    def allowed(self, call: Any) -> bool:
        try:
            self.runner.run(call)
        except AccessDeniedError:
            return False
        return True

    @rule(member=st.sampled_from(MEMBERS), team=st.sampled_from(TEAMS))
    def join(self, member: str, team: str) -> None:
        self.here.teams.join(Candidate.parse(member), team)
        self.law.teams[team].append(member)

    @rule(member=st.sampled_from(MEMBERS), team=st.sampled_from(TEAMS))
    def leave(self, member: str, team: str) -> None:
        self.here.teams.leave(Candidate.parse(member), team)
        self.law.teams[team] = [name for name in self.law.teams[team] if name != member]

    @rule(asker=who, home=homes, path=paths, to=st.sampled_from(TO), level=st.sampled_from(sorted(LEVELS)))
    def grant(self, asker: str, home: str, path: str, to: str, level: str) -> None:
        call = self.handle(self.here, asker, home).grant(path, Candidate.parse(to), Access.parse(level))
        assert self.allowed(call) == self.law.grant(asker, home, path, to, LEVELS[level])

    @rule(home=homes, path=paths, to=st.sampled_from(TO), level=st.sampled_from(sorted(LEVELS)))
    def its_owner_grants(self, home: str, path: str, to: str, level: str) -> None:
        self.grant(asker=home, home=home, path=path, to=to, level=level)

    @rule(asker=who, home=homes, path=paths, whom=st.sampled_from(TO))
    def revoke(self, asker: str, home: str, path: str, whom: str) -> None:
        call = self.handle(self.here, asker, home).revoke(path, Candidate.parse(whom))
        assert self.allowed(call) == self.law.revoke(asker, home, path, whom)

    @rule(home=homes, path=paths, whom=st.sampled_from(TO))
    def its_owner_revokes(self, home: str, path: str, whom: str) -> None:
        self.revoke(asker=home, home=home, path=path, whom=whom)

    @rule(candidate=who, home=homes, path=st.sampled_from(PATHS[1:]))
    def use(self, candidate: str, home: str, path: str) -> None:
        level, handle = self.law.level(candidate, home, path), self.handle(self.here, candidate, home)
        assert self.allowed(handle.read(path)) == (level >= 1)
        assert self.allowed(handle.write(path, b"new")) == (level >= 2)
        assert self.allowed(handle.acl(path)) == (level >= 3)

    def look_around(self, candidate: str, home: str, prefix: str) -> None:
        handle = self.handle(self.here, candidate, home)

        async def names() -> list[str]:
            return [info.key async for info in handle.list(prefix)]

        if not self.law.level(candidate, home, prefix):
            assert not self.allowed(names())
            return
        below = [path for path in PATHS if path.startswith(f"{prefix}/" if prefix else "") and path]
        assert self.runner.run(names()) == sorted(path for path in below if self.law.level(candidate, home, path))

    def teardown(self) -> None:
        self.there.clock.now += 2
        for candidate, home, path, level in product(WHO, HOMES, PATHS, LEVELS):
            expected = self.law.level(candidate, home, path) >= LEVELS[level]
            for world in (self.here, self.there):
                answer = self.handle(world, candidate, home).allowed(path, Access.parse(level))
                assert self.runner.run(answer) == expected, (candidate, home, path, level)
        for candidate, home, prefix in product(WHO, HOMES, PATHS):
            self.look_around(candidate, home, prefix)
        self.runner.close()


@settings(max_examples=40, stateful_step_count=30, deadline=None)
class _Law(LawMachine):
    pass


TestLaw = _Law.TestCase


@pytest.mark.slow
class TestLawForLonger(LawMachine.TestCase):
    """The same, many times over."""

    settings = settings(max_examples=200, stateful_step_count=60, deadline=None)


def test_the_model_itself_denies_and_allows() -> None:
    law = Law()
    assert law.level("user:u1", "user:u1", "x") == 3
    assert law.level("agent:a1", "user:u1", "x") == 0
    assert law.grant("user:u1", "user:u1", "x", "agent:a1", 1)
    assert not law.grant("agent:a1", "user:u1", "x", "agent:a1", 3)
    assert law.level("agent:a1", "user:u1", "x/y") == 1
