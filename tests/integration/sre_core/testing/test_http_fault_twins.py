"""Each rule about faults of HTTP servers, and a connector that breaks it."""

import asyncio
from typing import Any, ClassVar

import aiohttp
import pytest

from sre_core.errors import (
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.replay import HttpReply
from tests.integration.sre_core.testing.http_cache import KEY, HttpCache, HttpSettings
from tests.unit.sre_core.testing.conformance.twins import failing

pytestmark = pytest.mark.integration


def broken_rules(kind: type[HttpCache]) -> set[str]:
    class Kit(HttpFaultConformance):
        patience = 5.0
        secret = KEY
        hasty: ClassVar = {"timeout": 0.2}

        def make_at(self, url: str) -> HttpCache:
            return kind(HttpSettings(url=url))

        async def call(self, connector: Any) -> Any:
            return await connector.get("name")

        def good(self) -> HttpReply:
            return HttpReply.json({"value": "x" * 100})

    return failing(Kit)


RULES = {name for name in vars(HttpFaultConformance) if name.startswith("test_")}


class SaysNothingOfTheServer(HttpCache):
    async def get(self, key):
        try:
            return await super().get(key)
        except UnavailableError as error:
            raise UnavailableError("it broke off", retry_after=error.retry_after) from error


class ForgetsWhen(HttpCache):
    def refused(self, response, what, body):
        error = super().refused(response, what, body)
        return RateLimitedError(error.message) if response.status == 429 else error


class TakesEveryFailureForTheSame(HttpCache):
    def refused(self, response, what, body):
        error = super().refused(response, what, body)
        return ConnectorError(error.message) if isinstance(error, UnavailableError) else error


class QuotesTheServer(HttpCache):
    def refused(self, response, what, body):
        error = super().refused(response, what, body)
        return UnauthenticatedError(body.decode()) if isinstance(error, UnauthenticatedError) else error


class TriesWhatWasRefused(HttpCache):
    def refused(self, response, what, body):
        return UnavailableError("again") if response.status == 400 else super().refused(response, what, body)


class QuotesItsKey(HttpCache):
    def refused(self, response, what, body):
        return ConnectorError(body.decode()) if response.status == 400 else super().refused(response, what, body)


class ShowsThePage(HttpCache):
    def refused(self, response, what, body):
        return NotFoundError(body.decode()) if response.status == 404 else super().refused(response, what, body)


class TakesAnything(HttpCache):
    def value(self, body):
        return body if not body.startswith(b"<") else super().value(body)


class TakesHalfForBad(HttpCache):
    async def get(self, key):
        try:
            return await super().get(key)
        except UnavailableError as error:
            if isinstance(error.__cause__, aiohttp.ClientPayloadError):
                raise ConnectorError("what a strange reply") from error
            raise


class NeverForgives(HttpCache):
    failed = False

    async def get(self, key):
        if self.failed:
            raise UnavailableError(f"{self.settings.url} failed before")
        try:
            return await super().get(key)
        except UnavailableError:
            self.failed = True
            raise


class TakesOnePieceForAll(HttpCache):
    async def body(self, response):
        return await response.content.readany()

    def value(self, body):
        if body.startswith(b'{"') and not body.endswith(b"}"):
            raise UnavailableError("the reply broke off")
        return super().value(body)


class GoesOnWhenCancelled(HttpCache):
    async def start(self):
        await super().start()
        self.calls = set()

    async def get(self, key):
        call = asyncio.ensure_future(super().get(key))
        self.calls.add(call)
        return await asyncio.shield(call)

    async def stop(self):
        await super().stop()
        for call in self.calls:
            call.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)


class HasNoHurry(HttpCache):
    hurries = False


class HasTenConnections(HttpCache):
    connections = 10


TWINS = [
    (SaysNothingOfTheServer, "test_a_server_that_is_not_there_is_unavailable"),
    (ForgetsWhen, "test_too_many_requests_is_a_rate_limit"),
    (TakesEveryFailureForTheSame, "test_a_failing_server_is_unavailable"),
    (QuotesTheServer, "test_refused_credentials_are_named_as_such_and_not_shown"),
    (TriesWhatWasRefused, "test_a_refused_request_is_not_tried_again"),
    (QuotesItsKey, "test_a_refused_request_is_not_tried_again"),
    (ShowsThePage, "test_an_error_page_is_no_answer"),
    (TakesAnything, "test_garbage_is_no_answer"),
    (TakesHalfForBad, "test_a_reply_that_breaks_off_is_unavailable"),
    (NeverForgives, "test_it_works_again_when_the_server_does"),
    (HasNoHurry, "test_a_silent_server_is_given_up"),
    (TakesOnePieceForAll, "test_a_slow_network_is_waited_for"),
    (GoesOnWhenCancelled, "test_a_cancelled_call_frees_its_connection"),
    (HasTenConnections, "test_many_calls_wait_for_the_server_at_once"),
]


def named(found: set[str]) -> set[str]:
    return {name.partition("[")[0] for name in found}


def test_a_good_connector_breaks_no_rule():
    assert broken_rules(HttpCache) == set()


@pytest.mark.parametrize(("kind", "rule"), TWINS, ids=[kind.__name__ for kind, _ in TWINS])
def test_a_wrong_connector_breaks_exactly_its_rule(kind, rule):
    assert named(broken_rules(kind)) == {rule}


def test_every_rule_has_a_twin():
    assert {rule for _, rule in TWINS} == RULES


async def test_a_kit_without_its_parts_says_what_it_needs():
    kit = HttpFaultConformance()
    with pytest.raises(NotImplementedError, match="needs `def make_at"):
        kit.make_at("http://127.0.0.1")
    with pytest.raises(NotImplementedError, match="needs `async def call"):
        await kit.call(None)
    with pytest.raises(NotImplementedError, match="needs `def good"):
        kit.good()
