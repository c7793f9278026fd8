"""The primary that Sentinels name, and what happens when they name another."""

import asyncio

import pytest

from sre_core.errors import ConnectorError, UnauthenticatedError, UnavailableError
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import free_port
from sre_redis import RedisCache, RedisSettings

from .redis_servers import SentinelTrio, cli, until_it_works, wait_for_reply  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def trio(tmp_path):
    with SentinelTrio.running(tmp_path) as trio:
        yield trio


@pytest.mark.slow
async def test_when_the_primary_dies_the_new_one_is_used_and_has_the_values(trio, started):
    connector = await started(RedisCache(trio.settings(retries=1, timeout=2)))
    await connector.set("kept", b"value")
    await connector.increment("count", 7)
    wait_for_reply(trio.replica.port, "7", "get", "sre:cache:count")
    trio.notice_within(500)
    trio.primary.kill()
    with pytest.raises(ConnectorError):
        await connector.set("kept", b"lost")
    await until_it_works(lambda: connector.set("new", b"value"))
    assert await connector.get("kept") == b"value"
    assert await connector.increment("count") == 8
    assert cli(trio.replica.port, "get", "sre:cache:new") == "value"


@pytest.mark.slow
async def test_connections_to_a_demoted_primary_are_left(trio, started):
    connector = await started(RedisCache(trio.settings(retries=0)))
    await connector.set("before", b"value")
    sentinel = trio.sentinels[0].port
    # However busy the machine is: nobody would begin again.
    cli(sentinel, *trio.sentinel_login(), "sentinel", "set", "primary", "failover-timeout", "600000")
    cli(sentinel, *trio.sentinel_login(), "sentinel", "failover", "primary")
    wait_for_reply(trio.replica.port, "role:master", "info", "replication")
    # The Sentinels would do that as well, ten seconds later.
    cli(trio.primary.port, "replicaof", "127.0.0.1", str(trio.replica.port))
    # The old primary lives, and would answer reads on the connection that is open; a write finds out.
    await until_it_works(lambda: connector.set("after", b"value"))
    assert cli(trio.replica.port, "get", "sre:cache:after") == "value"


async def test_sentinels_that_are_down_are_passed_over(shared_trio, started):
    living = f"127.0.0.1:{shared_trio.sentinels[0].port}"
    sentinels = (f"127.0.0.1:{free_port()}", living)
    connector = await started(RedisCache(shared_trio.settings(sentinels=sentinels)))
    await connector.set("passed-over", b"value")


async def test_a_sentinel_that_hangs_is_passed_over_by_all_who_ask(trio, started):
    trio.sentinels[0].freeze()
    connector = await started(RedisCache(trio.settings(connect_timeout=2, timeout=60)))
    trio.sentinels[1].freeze()
    calls = [asyncio.ensure_future(connector.increment("hanging")) for _ in range(50)]
    assert sorted(await asyncio.gather(*calls)) == list(range(1, 51))


@pytest.mark.slow
async def test_no_connection_to_a_primary_that_hangs_is_used_after_another_was_chosen(trio, started):
    connector = await started(RedisCache(trio.settings(retries=0, timeout=3)))
    await asyncio.gather(*(connector.set(f"many-{number}", b"value") for number in range(30)))
    trio.notice_within(500)
    trio.primary.freeze()
    wait_for_reply(trio.replica.port, "role:master", "info", "replication")
    await until_it_works(lambda: connector.set("after", b"value"))
    await asyncio.gather(*(connector.set(f"many-{number}", b"new") for number in range(30)))
    assert cli(trio.replica.port, "get", "sre:cache:many-29") == "new"


async def test_no_sentinel_at_all_is_unavailable_and_named(started):
    place = f"127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match=place):
        await started(RedisCache(RedisSettings(sentinels=(place,), retries=1, retry_wait=0.01)))


async def test_a_wrong_password_of_the_sentinels_is_refused_credentials(shared_trio, started):
    wrong = "not-of-the-sentinels"
    with pytest.raises(UnauthenticatedError) as raised:
        await started(RedisCache(shared_trio.settings(sentinel_password=wrong)))
    assert wrong not in f"{raised.value} {raised.value.hint}"


async def test_two_hundred_calls_at_once_need_few_connections_to_a_sentinel(shared_trio, started):
    async with FaultProxy.before(shared_trio.sentinels[0].port) as proxy:
        connector = await started(RedisCache(shared_trio.settings(sentinels=(f"127.0.0.1:{proxy.port}",), timeout=30)))
        for _ in range(2):
            await asyncio.gather(*(connector.increment("crowd") for _ in range(200)))
        assert await connector.get("crowd") == b"400"
        assert proxy.open == 1
