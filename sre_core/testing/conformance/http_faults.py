"""The faults that a connector which speaks HTTP must survive, as tests against a server that misbehaves."""

import asyncio
import email.utils
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from sre_core.connectors.base import Connector
from sre_core.errors import (
    ConnectorError,
    DeadlineError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port

__all__ = ["HttpFaultConformance"]

_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_GARBAGE = b"\x00\xff\xfe{[\x17 not what was asked for"


class HttpFaultConformance:
    """Further rules, for connectors whose backend is asked over HTTP. Subclass it beside the kit of your kind.

        class TestAcmeFaults(HttpFaultConformance):
            secret = "acme-secret-key"

            def make_at(self, url: str) -> AcmeVault:
                return AcmeVault(AcmeSettings(url=url, key=self.secret, retries=0))

            async def call(self, connector: AcmeVault) -> None:
                await connector.get("name")

            def good(self) -> HttpReply:
                return HttpReply.json({"value": "secret"})

    A connector that tries again by itself is made with that switched off: the rules want to see each error.
    """

    pytestmark = LifecycleConformance.pytestmark
    anyio_backend = LifecycleConformance.anyio_backend

    patience: ClassVar[float] = 30.0
    """Seconds after which a rule counts as broken."""

    secret: ClassVar[str] = "secret-of-the-fault-kit-7331"  # noqa: S105
    """What the connectors of `make_at` show to the server, as a key or token."""

    crowd: ClassVar[int] = 200
    """How many calls must be able to wait for the server at once."""

    ready: ClassVar[Mapping[str, HttpReply]] = {}
    """What is always answered well, by path: such as a login, which comes before what `call` is about."""

    hasty: ClassVar[Mapping[str, Any]] = {"timeout": 0.5}
    """Settings with which a connector of `make_at` gives a silent server up long before `patience` is over."""

    def make_at(self, url: str) -> Connector:
        """A new connector, not started, whose backend is at `url`; it tries nothing again by itself."""
        raise NotImplementedError(f"{type(self).__name__} needs `def make_at(self, url)`")

    async def call(self, connector: Any) -> Any:
        """One call that needs an answer of the backend, and reads all of it."""
        raise NotImplementedError(f"{type(self).__name__} needs `async def call(self, connector)`")

    def good(self) -> HttpReply:
        """A reply that `call` is content with, whatever the request."""
        raise NotImplementedError(f"{type(self).__name__} needs `def good(self)`")

    # A server that says no

    async def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        """It raises UnavailableError, which is worth another try, and says where it looked."""
        port = free_port()
        error = await self._failure_at(f"http://127.0.0.1:{port}")
        assert isinstance(error, UnavailableError), f"it raised {type(error).__name__}: {error}"
        assert str(port) in str(error), f"the message {str(error)!r} does not say where it looked"

    @pytest.mark.parametrize("advice", ["seconds", "date", "none"])
    async def test_too_many_requests_is_a_rate_limit(self, advice: str) -> None:
        """Status 429 raises RateLimitedError with the time that the server asks to wait, in seconds or as a date."""
        value = {"seconds": "3600", "date": email.utils.formatdate(time.time() + 3600, usegmt=True)}.get(advice)
        error = await self._failure(_refusal(429, value))
        assert isinstance(error, RateLimitedError), f"it raised {type(error).__name__}: {error}"
        # The clock goes on while the connector starts, which takes a busy machine seconds.
        assert error.retry_after == (None if value is None else pytest.approx(3600, abs=600))

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    @pytest.mark.parametrize("advice", ["7", None], ids=["with-retry-after", "without"])
    async def test_a_failing_server_is_unavailable(self, status: int, advice: str | None) -> None:
        """A status of 5xx raises UnavailableError, with the time to wait if the server tells it."""
        error = await self._failure(_refusal(status, advice))
        assert isinstance(error, UnavailableError), f"it raised {type(error).__name__}: {error}"
        assert error.retry_after == (None if advice is None else 7)

    @pytest.mark.parametrize("status", [401, 403])
    async def test_refused_credentials_are_named_as_such_and_not_shown(self, status: int) -> None:
        """They raise UnauthenticatedError, even if the server's reply quotes them."""
        error = await self._failure(HttpReply.json(_body(f"bad credentials: {self.secret}"), status=status))
        assert isinstance(error, UnauthenticatedError), f"it raised {type(error).__name__}: {error}"
        assert self.secret not in f"{error} {error!r} {error.hint}", "the error shows the credentials"

    async def test_a_refused_request_is_not_tried_again(self) -> None:
        """Status 400 raises a ConnectorError that is not retryable, and shows no credentials that the reply quotes."""
        error = await self._failure(HttpReply.json(_body(f"bad request of {self.secret}"), status=400))
        assert isinstance(error, ConnectorError), f"it raised {type(error).__name__}: {error}"
        assert not error.retryable, "a request that was refused would be sent again"
        assert self.secret not in f"{error} {error!r} {error.hint}", "the error shows the credentials"

    # A server that talks nonsense

    @pytest.mark.parametrize("status", [200, 404, 502])
    async def test_an_error_page_is_no_answer(self, status: int) -> None:
        """An HTML page, as a proxy sends it, raises a ConnectorError without the page in its message."""
        error = await self._failure(HttpReply.text(_PAGE, status=status, content_type="text/html"))
        assert isinstance(error, ConnectorError), f"it raised {type(error).__name__}: {error}"
        assert "<html" not in str(error).lower(), "the message holds the page"

    @pytest.mark.parametrize("body", [_GARBAGE, b"{}", b"[]", b"null"], ids=["bytes", "object", "list", "null"])
    async def test_garbage_is_no_answer(self, body: bytes) -> None:
        """Bytes that are not of the protocol raise a ConnectorError."""
        error = await self._failure(HttpReply(headers={"Content-Type": "application/json"}, pieces=(body,)))
        assert isinstance(error, ConnectorError), f"it raised {type(error).__name__}: {error}"

    async def test_a_reply_that_breaks_off_is_unavailable(self) -> None:
        """A connection that ends in the middle of the body raises UnavailableError."""
        good = self.good()
        whole = b"".join(good.pieces)
        half = HttpReply(headers=good.headers, pieces=(whole[: len(whole) // 2],), cut=True)
        error = await self._failure(half)
        assert isinstance(error, UnavailableError), f"it raised {type(error).__name__}: {error}"

    async def test_it_works_again_when_the_server_does(self) -> None:
        """After a failure, the same connector is as good as new."""
        async with self._serving(self.good()) as server, self._started(server.url) as connector:
            await self.call(connector)
            for broken in (_refusal(500, None), HttpReply(pieces=(b"{",), cut=True)):
                # Once for the call, and not for what it sends before or after: all of it fails.
                server.always = broken
                with pytest.raises(ConnectorError):
                    await self.call(connector)
                server.always = self.good()
                await self.call(connector)

    # A server that takes its time

    @pytest.mark.parametrize("after", ["nothing", "headers", "refusal"])
    async def test_a_silent_server_is_given_up(self, after: str) -> None:
        """A server that falls silent before its reply, or in the body, raises DeadlineError or UnavailableError.

        So does one that answers 503 and then says no more.
        """
        hanging = HttpReply(headers=self.good().headers, hang=True)
        async with self._serving(hanging) as server:
            if after == "nothing":
                server.hold_for = self.crowd
            elif after == "refusal":
                server.always = HttpReply(status=503, headers={"Content-Type": "application/json"}, hang=True)
            error = await self._failure_of(self._hasty_at(server.url))
            assert isinstance(error, DeadlineError | UnavailableError), f"it raised {type(error).__name__}: {error}"

    async def test_a_slow_network_is_waited_for(self) -> None:
        """A reply that comes in small pieces, with a moment between them, is read to its end."""
        good = self.good()
        async with (
            asyncio.timeout(self.patience),
            self._serving(good) as server,
            FaultProxy.before(server.port) as proxy,
        ):
            proxy.delay = 0.01
            # A few pieces, also of a large reply, and several of the smallest.
            proxy.piece = max(16, sum(map(len, good.pieces)) // 4)
            async with self._started(f"http://127.0.0.1:{proxy.port}") as connector:
                await self.call(connector)

    async def test_a_cancelled_call_frees_its_connection(self) -> None:
        """The server sees its client leave, and the next call works."""
        async with (
            asyncio.timeout(self.patience),
            self._serving(self.good()) as server,
            self._started(server.url) as connector,
        ):
            await self.call(connector)
            server.always = HttpReply(headers=self.good().headers, hang=True)
            call = asyncio.ensure_future(self.call(connector))
            await server.wait_until_busy(1)
            call.cancel()
            await asyncio.wait({call})
            assert call.cancelled(), "a cancelled call did not raise CancelledError"
            await server.wait_until_busy(0)
            server.always = self.good()
            await self.call(connector)

    async def test_many_calls_wait_for_the_server_at_once(self) -> None:
        """As many as `crowd` are under way together: no pool of connections or threads holds them up."""
        async with (
            asyncio.timeout(self.patience),
            self._serving(self.good()) as server,
            self._started(server.url) as connector,
        ):
            server.hold_for = self.crowd
            await asyncio.gather(*(self.call(connector) for _ in range(self.crowd)))
            assert server.busiest >= self.crowd

    async def _failure(self, reply: HttpReply) -> BaseException | None:
        async with self._serving(reply) as server:
            return await self._failure_at(server.url)

    async def _failure_at(self, url: str) -> BaseException | None:
        return await self._failure_of(self.make_at(url))

    async def _failure_of(self, connector: Connector) -> BaseException | None:
        """What starting and calling raises."""
        try:
            async with asyncio.timeout(self.patience):
                await connector.start()
                await self.call(connector)
        except Exception as error:  # noqa: BLE001 -- the rules judge it
            return error
        finally:
            await self._stop(connector)
        return None

    def _hasty_at(self, url: str) -> Connector:
        connector = self.make_at(url)
        return type(connector)(connector.settings.model_copy(update=self.hasty))

    @asynccontextmanager
    async def _serving(self, reply: HttpReply) -> AsyncIterator[ReplayServer]:
        async with ReplayServer.running(always=reply) as server:
            server.ready = self.ready
            yield server

    @asynccontextmanager
    async def _started(self, url: str) -> AsyncIterator[Connector]:
        connector = self.make_at(url)
        try:
            await connector.start()
            yield connector
        finally:
            await self._stop(connector)

    async def _stop(self, connector: Connector) -> None:
        async with asyncio.timeout(self.patience):
            await connector.stop()


def _body(message: str) -> Any:
    """An error in a form that clients of many providers can read."""
    return {"error": {"message": message, "type": "error", "code": "error"}, "errors": [message], "message": message}


def _refusal(status: int, retry_after: str | None) -> HttpReply:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return HttpReply.json(_body("not now"), status=status, headers=headers)
