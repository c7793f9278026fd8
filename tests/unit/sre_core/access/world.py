"""A guard with real ACLs in a real storage, and handles behind it."""

from collections.abc import Mapping, Sequence

from sre_core.access import ACL, Candidate, Guard, Resource, Teams, Veto
from sre_core.access.stored import StoredAcls
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import Settings, Storage, StorageConnector
from sre_core.events import AccessDecided, Event

A1, A2, U1, U2 = Candidate.agent("a1"), Candidate.agent("a2"), Candidate.user("u1"), Candidate.user("u2")
PUBLIC = Candidate.public()


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """One machine: `storage` may be shared with another world."""

    def __init__(
        self,
        storage: StorageConnector | None = None,
        *,
        configured: Mapping[Resource, ACL] | None = None,
        teams: Teams | None = None,
        vetoes: Sequence[Veto] = (),
        clock: Clock | None = None,
    ) -> None:
        self.connector = storage or MemoryStorage(Settings())
        self.clock = clock or Clock()
        self.acls = StoredAcls(self.connector, configured=configured, cache_seconds=2.0, clock=self.clock)
        self.teams = teams or Teams()
        self.events: list[Event] = []
        self.guard = Guard(self.acls, teams=self.teams, vetoes=vetoes, emit=self._emit)

    async def _emit(self, event: Event) -> None:
        self.events.append(event)

    def storage(self, candidate: Candidate, home: Candidate | None = None) -> Storage:
        handle = Storage(self.connector, candidate, self.guard)
        return handle if home is None else handle.of(home)

    @property
    def last(self) -> AccessDecided:
        event = self.events[-1]
        assert isinstance(event, AccessDecided)
        return event
