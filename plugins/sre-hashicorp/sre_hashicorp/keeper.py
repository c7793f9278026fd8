"""How a token is kept: it is renewed in time, and another one is got when it is no longer taken."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from hvac.api.auth_methods import Token  # type: ignore[import-untyped]

from sre_core import logs
from sre_core.errors import ConnectorError, SREError
from sre_hashicorp.adapter import AsyncAdapter
from sre_hashicorp.logins import Login
from sre_hashicorp.replies import Lease, Reply, checked, knows_token, lease_of_login

__all__ = ["TokenKeeper"]

log = logs.get_logger(__name__)

_LONGEST_PAUSE = 30.0
_SHORTEST_PAUSE = 0.5
_SLACK = 1.0  # seconds that a renewal may lose to rounding


class TokenKeeper:
    """Gives an adapter its token, and looks after it in a task until `stop`."""

    def __init__(self, adapter: AsyncAdapter, login: Login, *, renew_after: float, place: str) -> None:
        """A token is renewed when the part `renew_after` of its time to live has passed."""
        self.lease: Lease | None = None
        self._adapter = adapter
        self._login = login
        self._renew_after = renew_after
        self._place = place
        self._ends: float | None = None  # on the loop's clock
        self._full: float | None = None  # the time to live that a token began with
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Get a token. Raises ConnectorError, ConfigError."""
        self._take(await self._login.token())
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the task."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def call(self, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """The reply to what `ask` sends. If that is refused since our token has ended, ask again with a new one."""
        token = self._adapter.token
        reply = await ask()
        if reply.status in (401, 403) and await self._replaced(token):
            reply = await ask()
        return reply

    async def _replaced(self, token: str | None) -> bool:
        """Whether there is another token than this one, which was refused; gets one if it has ended."""
        # One at a time: of a hundred calls that were refused at once, the first logs in for all.
        async with self._turn:
            if self._adapter.token != token:
                return True
            if not self._login.again or await self._lives():
                return False
            lease = await self._login.token()
            self._take(lease)
            log.info("vault_token_replaced", place=self._place, ttl=lease.ttl)
            return lease.token != token

    async def _lives(self) -> bool:
        """Whether the server still knows our token: then it refused what we asked for, and not us."""
        reply: Reply = await Token(self._adapter).lookup_self()
        return knows_token(reply)

    def _take(self, lease: Lease, *, renewed: bool = False) -> None:
        self.lease = lease
        self._adapter.token = lease.token
        self._ends = None if lease.ttl is None else asyncio.get_running_loop().time() + lease.ttl
        if not renewed:
            self._full = lease.ttl
        self._changed.set()

    async def _keep(self) -> None:
        """Renew the token for as long as that is possible, else get a new one in time."""
        pause: float | None = None
        while True:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._due() if pause is None else pause):
                    await self._changed.wait()
                pause = None
                continue
            try:
                async with self._turn:
                    if not await self._refresh():
                        return
                pause = None
            except SREError as error:
                log.warning("vault_token_not_renewed", place=self._place, error=str(error))
                pause = self._pause()

    def _due(self) -> float | None:
        """Seconds until the token wants care; None when it never does."""
        ttl = None if self.lease is None else self.lease.ttl
        return None if ttl is None else max(ttl * self._renew_after, _SHORTEST_PAUSE)

    def _pause(self) -> float:
        """Seconds until another try, some of which should fit into what is left."""
        left = 0.0 if self._ends is None else self._ends - asyncio.get_running_loop().time()
        return min(max(left / 4, _SHORTEST_PAUSE), _LONGEST_PAUSE) if left > 0 else _LONGEST_PAUSE

    async def _refresh(self) -> bool:
        """Make the token last longer, or replace it. False when neither is possible, ever."""
        lease = self.lease
        if lease is not None and lease.renewable and not self._capped():
            try:
                reply: Reply = await Token(self._adapter).renew_self()
                renewed = lease_of_login(checked(reply, self._place, "the renewal of our token"), self._place)
            except ConnectorError as error:
                if error.retryable:
                    raise
                if not self._login.again:
                    log.warning("vault_token_ends", place=self._place, seconds=lease.ttl, error=str(error))
                    return False
            else:
                self._take(renewed, renewed=True)
                return True
        if not self._login.again:
            log.warning("vault_token_ends", place=self._place, seconds=None if lease is None else lease.ttl)
            return False
        self._take(await self._login.token())
        return True

    def _capped(self) -> bool:
        """Whether the last renewal gave less than the token began with: its longest life is near, so renew no more."""
        ttl = None if self.lease is None else self.lease.ttl
        return self._login.again and ttl is not None and self._full is not None and ttl + _SLACK < self._full
