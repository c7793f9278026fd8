"""Tests of all handles: a denied call reaches nothing, and no spelling of a path reaches another home."""

import inspect
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sre_core.access import ACL, Access, Candidate, Resource
from sre_core.connectors import Handle, Service, Slot, Storage
from sre_core.errors import AccessDeniedError, ConfigError, SREError
from tests.unit.sre_core.access.test_resource import TRICKS
from tests.unit.sre_core.access.world import A1, A2, PUBLIC, U1, World
from tests.unit.sre_core.connectors.recording import HANDLES, PATHS, Recorder, call

# Asks for no resource: `ping` is for everybody, `names` shows what may be read, `resource` and `of` ask nobody.
UNGUARDED = {"ping", "names", "resource", "of"}
VERBS = [
    (service, name)
    for service, handle in HANDLES.items()
    for name, verb in inspect.getmembers(handle, inspect.isfunction)
    if name[0] != "_" and name not in UNGUARDED
]
ADDRESSED = [(s, n) for s, n in VERBS if PATHS & set(inspect.signature(getattr(HANDLES[s], n)).parameters)]
IDS = [f"{service}-{name}" for service, name in VERBS]


def place(service: Service) -> str:
    """A path that lies in the home of a1, as a handle with that home writes it."""
    return "agent/a1/x" if service in {Service.LLM, Service.VAULT} else "x"


def test_the_verbs_of_all_services_are_here() -> None:
    assert {service for service, _ in VERBS} == set(Service)
    assert {"read", "write", "list", "url", "stream", "memoize", "query", "grant", "acl"} <= {name for _, name in VERBS}


@pytest.mark.parametrize(("service", "verb"), VERBS, ids=IDS)
@pytest.mark.parametrize("intruder", [A2, U1, PUBLIC, Candidate.user("a1"), Candidate.agent("A1")], ids=str)
async def test_a_denied_call_neither_reaches_nor_starts_the_backend(
    service: Service, verb: str, intruder: Candidate
) -> None:
    recorder, world = Recorder(service), World()
    handle = recorder.handle(intruder, world.guard, A1)
    if verb == "allowed":
        assert not await call(handle, verb, place(service))
    else:
        with pytest.raises(AccessDeniedError, match=str(intruder)):
            await call(handle, verb, place(service))
    assert recorder.calls == []
    assert not recorder.slot.started
    assert not world.last.allowed


@pytest.mark.parametrize(("service", "verb"), VERBS, ids=IDS)
async def test_a_vetoed_call_of_an_owner_does_not_reach_it_either(service: Service, verb: str) -> None:
    recorder, world = Recorder(service), World(vetoes=[lambda request: "no"])
    handle = recorder.handle(A1, world.guard)
    if verb == "allowed":
        assert not await call(handle, verb, place(service))
    else:
        with pytest.raises(AccessDeniedError):
            await call(handle, verb, place(service))
    assert recorder.calls == []


@pytest.mark.parametrize("service", Service)
async def test_what_is_allowed_does_reach_it(service: Service) -> None:
    recorder, world = Recorder(service), World(configured={Resource.parse("llm"): ACL().grant(A1, Access.READ)})
    handle = recorder.handle(A1, world.guard)
    verb = {"llm": "count_tokens", "storage": "read", "vectors": "drop", "cache": "delete", "vault": "get"}[service]
    await call(handle, verb, place(service))
    assert [name for name, _ in recorder.calls] == ["make", "start", verb]


@pytest.mark.parametrize("service", Service)
async def test_everybody_may_ask_whether_it_is_healthy(service: Service) -> None:
    recorder = Recorder(service)
    await recorder.handle(PUBLIC, World().guard).ping()
    assert recorder.calls[-1] == ("ping", ())


@pytest.mark.parametrize(("service", "verb"), ADDRESSED, ids=[f"{s}-{n}" for s, n in ADDRESSED])
async def test_no_trick_with_a_path_gets_through(service: Service, verb: str) -> None:
    recorder, world = Recorder(service), World(configured={Resource((service,)): ACL().grant(A1, Access.OWN)})
    handle = recorder.handle(A1, world.guard)
    for trick in TRICKS.values():
        # The empty path is the home itself, or the default model.
        if trick:
            with pytest.raises(ConfigError):
                await call(handle, verb, trick)
    assert recorder.calls == []


@pytest.mark.parametrize("service", [Service.STORAGE, Service.VECTORS, Service.CACHE, Service.VAULT])
async def test_a_whole_home_is_no_object(service: Service) -> None:
    recorder = Recorder(service)
    world = World(configured={Resource.parse("vault"): ACL().grant(A1, Access.OWN)})
    with pytest.raises(ConfigError, match="an empty name"):
        await call(recorder.handle(A1, world.guard), ONE_EACH[service], "")
    assert ONE_EACH[service] not in dict(recorder.calls)


@pytest.mark.parametrize("verb", ["stream", "complete", "generate_images"])
async def test_no_trick_with_the_model_of_a_request_gets_through(verb: str) -> None:
    recorder = Recorder(Service.LLM)
    world = World(configured={Resource(("llm",)): ACL().grant(A1, Access.OWN)})
    for trick in TRICKS.values():
        if trick:
            with pytest.raises(ConfigError):
                await call(recorder.handle(A1, world.guard), verb, trick)
    assert recorder.calls == []


ONE_EACH = {"storage": "read", "vectors": "drop", "cache": "delete", "vault": "get", "llm": "count_tokens"}
WORDS = st.sampled_from(
    ["agent", "a1", "a2", "user", "u1", "acl", "..", ".", "", "%2e%2e", "A1", "\uff41\uff11", "a1\u200b", "é"]
)
SPELLINGS = st.text(max_size=20) | st.lists(WORDS | st.text(max_size=4), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize("service", [Service.STORAGE, Service.VECTORS, Service.CACHE])
@given(path=SPELLINGS)
@example(path="../a2/x")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_whatever_the_path_the_key_lies_in_the_home(service: Service, path: str) -> None:
    recorder = Recorder(service)
    try:
        await call(recorder.handle(A1, World().guard), ONE_EACH[service], path)
    except ConfigError:
        assert ONE_EACH[service] not in dict(recorder.calls)
        return
    key = recorder.calls[-1][1][0]
    assert key.split("/")[:2] == ["agent", "a1"]
    assert not {"", ".", ".."} & set(key.split("/"))
    assert unicodedata.is_normalized("NFC", key)


@given(name=SPELLINGS)
@example(name="agent/a1/../a2/x")
@example(name="agent/a2/x")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_whatever_the_name_of_a_secret_it_lies_in_the_home_or_is_denied(name: str) -> None:
    recorder = Recorder(Service.VAULT)
    try:
        await call(recorder.handle(A1, World().guard), "get", name)
    except (ConfigError, AccessDeniedError):
        assert "get" not in dict(recorder.calls)
        return
    key = recorder.calls[-1][1][0]
    assert key == unicodedata.normalize("NFC", name)
    assert key.split("/")[:2] == ["agent", "a1"]


async def test_the_spelling_that_was_checked_is_the_one_that_is_used() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    grants = {Resource.parse(f"{service}/{composed}"): ACL().grant(A1, Access.OWN) for service in ("llm", "vault")}
    world = World(configured=grants)
    for service, verbs in {
        Service.VAULT: ["get", "set", "delete"],
        Service.LLM: ["stream", "embed", "count_tokens"],
    }.items():
        for verb in verbs:
            recorder = Recorder(service)
            await call(recorder.handle(A1, world.guard), verb, decomposed)
            assert composed in repr(recorder.calls[-1])
            assert decomposed not in repr(recorder.calls[-1])


async def test_a_request_without_a_model_asks_for_the_connector() -> None:
    world = World(configured={Resource.parse("llm/recording"): ACL().grant(A1, Access.READ)})
    handle = Recorder(Service.LLM).handle(A1, world.guard)
    assert str(handle.resource()) == "llm/recording"
    assert await call(handle, "stream", "") == []


@pytest.mark.parametrize("home", ["acl", "acl/x", "..", "agent/a1/../../acl"])
def test_no_candidate_has_the_name_of_where_acls_are_kept(home: str) -> None:
    for text in (home, f"agent:{home}/..", f"{home}:x"):
        with pytest.raises(ConfigError):
            Candidate.parse(text)


async def test_no_handle_reaches_the_acls() -> None:
    world = World()
    await world.storage(A1).grant("x", U1, Access.READ)
    (key,) = [info.key async for info in world.connector.list("acl")]
    for candidate in (A1, Candidate.agent("acl"), Candidate.user("acl"), Candidate.team("acl")):
        for path in (key, f"../../{key}", f"/{key}", f"%2e%2e/{key}", f"..\\..\\{key}", f"\uff0e\uff0e/{key}"):
            with pytest.raises(SREError):
                await world.storage(candidate).read(path)
        assert [info async for info in world.storage(candidate).list()] == []


async def test_lists_show_what_may_be_read_and_nothing_else() -> None:
    world = World()
    owner = world.storage(A1)
    for path in ("open/a", "open/b", "open/private/c", "closed/d"):
        await owner.write(path, b"")
    await owner.grant("open", U1, Access.READ)
    await owner.revoke("open/private", U1)
    guest = world.storage(U1, A1)
    assert [info.key async for info in guest.list("open")] == ["open/a", "open/b"]
    assert [info.key async for info in owner.list()] == ["closed/d", "open/a", "open/b", "open/private/c"]
    with pytest.raises(AccessDeniedError):
        await anext(guest.list())


async def test_a_list_is_one_event() -> None:
    world = World()
    for path in ("a", "b", "c"):
        await world.connector.write(f"agent/a1/{path}", b"")
    assert [info.key async for info in world.storage(A1).list()] == ["a", "b", "c"]
    assert len(world.events) == 1


async def test_another_home_is_addressed_as_the_same_candidate() -> None:
    world = World()
    handle = world.storage(A1).of(U1).of(A2)
    assert handle.candidate == A1
    assert str(handle.resource("x")) == "storage/agent/a2/x"
    assert not await handle.allowed("x", Access.READ)
    assert await handle.of(A1).allowed("x", Access.OWN)
    everybody = handle.of(PUBLIC)
    assert not await everybody.allowed("x", Access.READ)


async def test_a_handle_shows_no_settings() -> None:
    assert repr(World().storage(A1)) == "<Storage 'memory' as agent:a1>"


async def test_capabilities_are_known_before_the_start() -> None:
    class Able(Recorder(Service.CACHE).type):  # type: ignore[misc]
        capabilities = frozenset({"increment"})

    async def make() -> Any:
        raise AssertionError("nobody asked for it")

    handle: Handle = HANDLES[Service.CACHE](Slot(Able, make), A1, World().guard)
    assert handle.capabilities == {"increment"}
    assert not isinstance(handle, Storage)


async def test_a_storage_refuses_what_is_neither_bytes_nor_text() -> None:
    recorder, world = Recorder(Service.STORAGE), World()
    handle: Any = recorder.handle(A1, world.guard, A1)
    with pytest.raises(ConfigError, match="not dict"):
        await handle.write("x", {"a": 1})
    assert recorder.calls == []
