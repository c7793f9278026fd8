"""Tests of the guard: each step of the law, vetoes, and that every decision is an event with its reason."""

import pytest

from sre_core.access import ACL, Access, AccessRequest, Candidate, Decision, Resource, Teams
from sre_core.errors import AccessDeniedError, ConflictError, ConnectorError
from sre_core.events import AccessDecided, Event, current_emit
from tests.unit.sre_core.access.world import A1, A2, PUBLIC, U1, U2, World

NOTES = Resource.parse("storage/agent/a1/notes")
FILE = NOTES.child("today.txt")
OPS = Candidate.team("ops")


async def decide(world: World, candidate: Candidate, access: Access, resource: Resource = FILE) -> Decision:
    return await world.guard.decide(AccessRequest(candidate, access, resource))


async def allowed(world: World, candidate: Candidate, access: Access, resource: Resource = FILE) -> bool:
    return (await decide(world, candidate, access, resource)).allowed


async def level(world: World, candidate: Candidate, resource: Resource = FILE) -> Access | None:
    return max([access for access in Access if await allowed(world, candidate, access, resource)], default=None)


async def test_a_candidate_owns_its_home_and_all_below() -> None:
    world = World()
    for resource in (FILE, NOTES, Resource.parse("storage/agent/a1"), Resource.parse("vault/agent/a1/x")):
        assert await level(world, A1, resource) is Access.OWN
    assert world.last.reason == "it lies in the candidate's own home"


@pytest.mark.parametrize(
    "other", [A2, U1, PUBLIC, OPS, Candidate.user("a1"), Candidate.team("a1"), Candidate.agent("A1")]
)
async def test_nobody_else_has_anything_there(other: Candidate) -> None:
    world = World()
    assert await level(world, other) is None
    assert "no home of the candidate's" in world.last.reason


@pytest.mark.parametrize("place", ["storage", "storage/agent", "storage/agent/a", "storage/agent/a11/x", "llm/a1"])
async def test_what_is_above_or_beside_a_home_is_not_in_it(place: str) -> None:
    assert await level(World(), A1, Resource.parse(place)) is None


@pytest.mark.parametrize("model", ["llm/agent/a1", "llm/agent/a1/x", "llm/team/ops/x"])
async def test_a_model_with_the_name_of_a_home_is_nobodys(model: str) -> None:
    world = World(teams=Teams({"ops": [A1]}))
    assert await level(world, A1, Resource.parse(model)) is None


async def test_the_public_has_no_home() -> None:
    assert await level(World(), PUBLIC, Resource.parse("storage/public/public/x")) is None


async def test_members_own_the_home_of_their_team_while_they_are_in_it() -> None:
    world = World(teams=Teams({"ops": [A1]}))
    shared = Resource.parse("storage/team/ops/x")
    assert await level(world, A1, shared) is Access.OWN
    assert world.last.reason == "it lies in the home of its team 'ops'"
    assert await level(world, A2, shared) is None
    world.teams.leave(A1, "ops")
    assert await level(world, A1, shared) is None


async def test_a_grant_counts_for_the_place_and_below() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.WRITE)
    assert await level(world, U1, FILE) is await level(world, U1, NOTES) is Access.WRITE
    assert world.last.reason == "the ACL of 'storage/agent/a1/notes' grants write"
    assert await level(world, U1, Resource.parse("storage/agent/a1/notes2")) is None
    assert await level(world, U2, FILE) is None
    assert world.last.reason == "the ACL of 'storage/agent/a1/notes' does not name the candidate"


async def test_only_the_nearest_acl_decides() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.WRITE)
    await world.guard.grant(A1, FILE, U1, Access.READ)
    assert await level(world, U1, FILE) is Access.READ
    await world.guard.revoke(A1, FILE, U1)
    assert await level(world, U1, FILE) is None
    assert await level(world, U1, NOTES) is Access.WRITE


async def test_a_grant_on_a_file_takes_it_from_nobody_who_had_its_folder() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    await world.guard.grant(A1, FILE, U2, Access.WRITE)
    assert await level(world, U1, FILE) is Access.READ
    assert await level(world, U2, FILE) is Access.WRITE


async def test_to_revoke_what_was_never_granted_changes_nothing() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    await world.guard.revoke(A1, FILE, U2)
    await world.guard.revoke(A1, NOTES, U1)
    assert await level(world, U1, FILE) is None


async def test_the_public_and_teams_count_as_names_of_the_candidate() -> None:
    world = World(teams=Teams({"ops": [U1]}))
    await world.guard.grant(A1, NOTES, PUBLIC, Access.READ)
    await world.guard.grant(A1, NOTES, OPS, Access.WRITE)
    assert await level(world, U1) is Access.WRITE
    assert await level(world, U2) is await level(world, PUBLIC) is Access.READ


@pytest.mark.parametrize("had", [None, Access.READ, Access.WRITE])
async def test_who_does_not_own_can_neither_grant_nor_revoke_nor_look(had: Access | None) -> None:
    world = World()
    if had is not None:
        await world.guard.grant(A1, NOTES, U1, had)
    for attempt in (
        world.guard.grant(U1, FILE, U1, Access.OWN),
        world.guard.grant(U1, FILE, U2, Access.READ),
        world.guard.revoke(U1, NOTES, U1),
        world.guard.acl(U1, FILE),
    ):
        with pytest.raises(AccessDeniedError, match="may not own"):
            await attempt
    assert await level(world, U1) is had
    assert await level(world, U2) is None


async def test_who_was_made_an_owner_may_grant_there_and_nowhere_else() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, U1, Access.OWN)
    await world.guard.grant(U1, FILE, U2, Access.READ)
    assert await level(world, U2) is Access.READ
    with pytest.raises(AccessDeniedError):
        await world.guard.grant(U1, Resource.parse("storage/agent/a1"), U2, Access.READ)


async def test_an_owner_sees_the_acl_that_decides() -> None:
    world = World()
    assert await world.guard.acl(A1, FILE) == ACL()
    await world.guard.grant(A1, NOTES, U1, Access.READ)
    assert await world.guard.acl(A1, FILE) == ACL().grant(U1, Access.READ)


async def test_what_the_operator_configured_cannot_be_changed_by_an_owner() -> None:
    world = World(configured={NOTES: ACL().grant(U1, Access.OWN)})
    for attempt in (world.guard.grant(U1, NOTES, U2, Access.READ), world.guard.revoke(A1, NOTES, U1)):
        with pytest.raises(ConflictError, match="set by the configuration"):
            await attempt
    await world.guard.grant(U1, FILE, U2, Access.READ)
    assert await level(world, U2, FILE) is Access.READ


async def test_no_stored_acl_opens_a_whole_service() -> None:
    world = World()
    await world.acls.update(Resource.parse("vault"), lambda acl: acl.grant(PUBLIC, Access.OWN))
    assert await level(world, U1, Resource.parse("vault/openai")) is None


async def test_a_veto_turns_a_yes_into_a_no_and_never_a_no_into_a_yes() -> None:
    asked: list[AccessRequest] = []

    def veto(request: AccessRequest) -> str | None:
        asked.append(request)
        return "not on Sundays" if request.access > Access.READ else None

    world = World(vetoes=[lambda request: None, veto])
    assert await level(world, A1) is Access.READ
    assert world.last.reason == "vetoed: not on Sundays"
    asked.clear()
    assert await level(world, A2) is None
    assert asked == []


async def test_a_veto_also_stops_the_grants_of_an_owner() -> None:
    world = World(vetoes=[lambda request: "frozen" if request.access is Access.OWN else None])
    with pytest.raises(AccessDeniedError, match="vetoed: frozen") as raised:
        await world.guard.grant(A1, NOTES, U1, Access.READ)
    assert "no grant helps" in (raised.value.hint or "")


@pytest.mark.parametrize("answer", ["", False, 0])
async def test_a_veto_that_answers_anything_but_none_refuses(answer: object) -> None:
    assert await level(World(vetoes=[lambda request: answer]), A1) is None  # type: ignore[list-item, return-value]


async def test_a_denial_names_the_reason_and_what_to_write() -> None:
    with pytest.raises(AccessDeniedError) as raised:
        await World().guard.check(AccessRequest(U1, Access.WRITE, FILE))
    assert raised.value.message.startswith("user:u1 may not write 'storage/agent/a1/notes/today.txt': it lies in no")
    assert '"storage/agent/a1/notes/today.txt" = { "user:u1" = "write" }' in (raised.value.hint or "")


async def test_every_decision_is_an_event_with_its_reason() -> None:
    world = World()
    for candidate in (A1, U1):
        decision = await decide(world, candidate, Access.READ)
        event = world.last
        assert (event.candidate, event.access, event.resource) == (str(candidate), "read", str(FILE))
        assert (event.allowed, event.reason) == (decision.allowed, decision.reason)
    assert len(world.events) == 2


async def test_inside_a_run_the_run_hears_of_it_instead() -> None:
    world, heard = World(), list[Event]()

    async def emit(event: Event) -> None:
        heard.append(event)

    token = current_emit.set(emit)
    try:
        await decide(world, U1, Access.READ)
    finally:
        current_emit.reset(token)
    await decide(world, A1, Access.READ)
    assert [event.allowed for event in heard if isinstance(event, AccessDecided)] == [False]
    assert [event.allowed for event in world.events if isinstance(event, AccessDecided)] == [True]


async def test_what_a_list_may_show_is_decided_without_events() -> None:
    world = World(vetoes=[lambda request: "no" if request.resource == NOTES else None])
    assert await world.guard.sees(AccessRequest(A1, Access.READ, FILE))
    assert not await world.guard.sees(AccessRequest(A1, Access.READ, NOTES))
    assert not await world.guard.sees(AccessRequest(U1, Access.READ, FILE))
    assert world.events == []


async def test_acls_that_cannot_be_read_deny_and_say_so() -> None:
    world = World()
    await world.guard.grant(A1, NOTES, PUBLIC, Access.OWN)
    (stored,) = [info.key async for info in world.connector.list("acl")]
    await world.connector.write(stored, b"{")
    world.clock.now += 2
    with pytest.raises(ConnectorError, match="the stored ACL of 'storage/agent/a1/notes' is damaged"):
        await world.guard.check(AccessRequest(U1, Access.READ, FILE))
    assert not world.last.allowed
    assert "cannot be read: the stored ACL" in world.last.reason


async def test_to_inherit_makes_the_folder_decide_again() -> None:
    world = World()
    await world.storage(A1).grant("folder", U1, Access.READ)
    await world.storage(A1).revoke("folder/x", U1)
    assert not await world.storage(U1).of(A1).allowed("folder/x", Access.READ)
    with pytest.raises(AccessDeniedError):
        await world.storage(U1).of(A1).inherit("folder/x")
    await world.storage(A1).inherit("folder/x")
    assert await world.storage(U1).of(A1).allowed("folder/x", Access.READ)
    await world.storage(A1).inherit("folder")
    assert not await world.storage(U1).of(A1).allowed("folder/x", Access.READ)
