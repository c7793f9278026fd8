"""What goes wrong between a connector and its server: on real servers, and through a proxy that breaks things."""

import asyncio
import random

import pytest

from sre_core.errors import ConnectorError, DeadlineError, UnavailableError
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port
from sre_redis import RedisCache, RedisSettings

from .redis_servers import cache, cli, redis_server, until_it_works  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_a_server_that_is_down_at_start_is_unavailable_and_named(started):
    port = free_port()
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}") as raised:
        await started(port)
    assert raised.value.retryable


async def test_a_server_that_dies_and_comes_back_has_kept_everything(server, started):
    connector = await started(server.port)
    await connector.set("kept", b"value")
    await connector.set("brief", b"value", ttl=3600)
    await connector.increment("count", 41)
    await connector.increment("count-with-ttl", ttl=3600)
    server.kill()
    for call in (connector.get("kept"), connector.set("kept", b"new"), connector.increment("count"), connector.ping()):
        with pytest.raises(UnavailableError):
            await call
    server.start()
    await until_it_works(connector.ping)
    assert await connector.get("kept") == b"value"
    assert 3000 < await connector.expires_in("brief") <= 3600
    assert await connector.increment("count") == 42
    assert await connector.increment("count-with-ttl", ttl=1) == 2, "the script is sent again to a new server"


async def test_calls_made_while_the_server_restarts_succeed_when_it_is_back(server, started):
    connector = await started(server.port, retries=100, retry_wait=0.02, timeout=60)
    await connector.set("kept", b"value")
    server.kill()
    reads = [asyncio.ensure_future(connector.get("kept")) for _ in range(20)]
    # Nothing was sent yet, so counting once more is safe as well.
    counts = [asyncio.ensure_future(connector.increment("count")) for _ in range(20)]
    await asyncio.to_thread(server.start)
    assert await asyncio.gather(*reads) == [b"value"] * 20
    assert sorted(await asyncio.gather(*counts)) == list(range(1, 21))


async def test_a_connection_that_breaks_in_mid_call_is_made_again(proxy, started):
    connector = await started(proxy.port, retries=5, retry_wait=0.01)
    await connector.set("broken", b"value")
    proxy.silent = True
    call = asyncio.ensure_future(connector.get("broken"))
    await proxy.wait_until_open(1)
    proxy.silent = False
    proxy.break_off()
    assert await call == b"value"


@pytest.mark.parametrize("retries", [0, 5])
async def test_an_increment_whose_answer_is_lost_is_not_sent_again(shared_server, proxy, started, retries):
    connector = await started(proxy.port, retries=retries)
    key = f"lost-answer-{retries}"
    assert await connector.increment(key) == 1
    proxy.cut_after = 0
    with pytest.raises(UnavailableError) as raised:
        await connector.increment(key)
    assert "whether it was counted is not known" in raised.value.hint
    proxy.cut_after = None
    # The server did count it: once, however often one may try again.
    assert await connector.get(key) == b"2"


async def test_an_increment_that_was_never_sent_says_so_and_is_tried_again(tmp_path, started):
    path = tmp_path / "r.sock"
    server = redis_server(tmp_path / "redis", "--unixsocket", str(path))
    with server:
        patient = await started(RedisCache(RedisSettings(url=f"unix://{path}", retries=1000, timeout=60)))
        hasty = await started(RedisCache(RedisSettings(url=f"unix://{path}", retries=0)))
        server.stop()
        with pytest.raises(UnavailableError):
            await hasty.get("count")
        with pytest.raises(UnavailableError) as raised:
            await hasty.increment("count")
        assert "not known" not in raised.value.hint
        counts = [asyncio.ensure_future(patient.increment("count", ttl=ttl)) for ttl in (None, 60) * 5]
        await asyncio.to_thread(server.start)
        assert sorted(await asyncio.gather(*counts)) == list(range(1, 11))


async def test_a_deadline_that_ends_between_two_attempts_says_that_nothing_was_counted(started):
    connector = RedisCache(RedisSettings(host="127.0.0.1", port=free_port(), retries=100, retry_wait=60, timeout=2))
    with pytest.raises(UnavailableError) as raised:
        await started(connector)
    with pytest.raises(UnavailableError, match="cannot be reached") as raised:
        await connector.increment("count")
    assert "not known" not in raised.value.hint


async def test_a_call_that_waits_for_its_turn_until_the_deadline_was_not_sent(proxy, started):
    connector = await started(proxy.port, pool_size=1, timeout=2)
    async with connector._link._turns:
        with pytest.raises(DeadlineError) as raised:
            await connector.increment("turns")
    assert "not known" not in raised.value.hint
    assert await connector.get("turns") is None


async def test_a_read_whose_answer_is_lost_is_asked_again(proxy, started):
    connector = await started(proxy.port, retries=8, retry_wait=0.05)
    await connector.set("asked-again", b"value")
    proxy.cut_after = 0
    call = asyncio.ensure_future(connector.get("asked-again"))
    await proxy.wait_until_open(0)
    proxy.cut_after = None
    assert await call == b"value"


@pytest.mark.parametrize("cut_after", [1 << 10, 1 << 16, 1 << 19, 1 << 20])
async def test_a_value_whose_answer_is_cut_in_its_middle_is_never_half_of_it(proxy, started, cut_after):
    connector = await started(proxy.port)
    value = random.Random(7).randbytes(1 << 20)
    await connector.set("large", value)
    await connector.set("small", b"value")
    proxy.cut_after = cut_after
    for _ in range(2):
        with pytest.raises(UnavailableError, match=str(proxy.port)):
            await connector.get("large")
    proxy.cut_after = None
    # Nothing of the other answer is left for this one.
    assert await connector.get("small") == b"value"
    assert await connector.get("large") == value


async def test_a_value_whose_answer_is_cut_in_its_middle_is_asked_for_again(proxy, started):
    connector = await started(proxy.port, retries=8, retry_wait=0.05)
    value = random.Random(7).randbytes(1 << 20)
    await connector.set("large", value)
    proxy.cut_after = 1 << 19
    call = asyncio.ensure_future(connector.get("large"))
    await proxy.wait_until_open(0)
    proxy.cut_after = None
    assert await call == value


async def test_a_silent_server_is_left_at_the_deadline(proxy, started):
    connector = await started(proxy.port, timeout=2)
    await connector.set("silent", b"value")
    proxy.silent = True
    for call, hint in ((connector.get("silent"), "raise timeout"), (connector.increment("n"), "not known")):
        with pytest.raises(DeadlineError, match="within 2 s") as raised:
            await call
        assert hint in raised.value.hint
    proxy.silent = False
    assert await connector.get("silent") == b"value"


async def test_a_slow_server_is_waited_for(proxy, started):
    connector = await started(proxy.port)
    proxy.delay = 0.05
    await connector.set("slow", b"value")
    assert await connector.get("slow") == b"value"


async def test_a_port_that_refuses_again_and_again_is_unavailable_until_it_does_not(proxy, started):
    connector = await started(proxy.port, retries=2, retry_wait=0.01)
    before = proxy.connections
    proxy.refusing = True
    proxy.break_off()
    with pytest.raises(UnavailableError, match=str(proxy.port)):
        await connector.get("refused")
    # The first of three attempts may still have met the broken connection.
    assert before + 2 <= proxy.connections <= before + 3
    proxy.refusing = False
    assert await connector.get("refused") is None


async def test_a_server_that_is_no_redis_is_said_to_be_none(started):
    async with ReplayServer.running(always=HttpReply.text("<html>not found</html>", status=404)) as web:
        with pytest.raises(ConnectorError, match=f"127.0.0.1:{web.port}") as raised:
            await started(web.port)
        assert "html" not in str(raised.value)


async def test_two_hundred_calls_wait_for_the_server_and_not_for_each_other(proxy, started):
    connector = await started(proxy.port, timeout=60)
    proxy.delay = 0.5
    calls = [asyncio.ensure_future(connector.set(f"crowd-{number}", b"1")) for number in range(200)]
    async with asyncio.timeout(120):
        await proxy.wait_until_open(200)
        await asyncio.gather(*calls)


async def test_a_small_pool_makes_calls_wait_and_none_fail(proxy, started):
    connector = await started(proxy.port, pool_size=2)
    sums = await asyncio.gather(*(connector.increment("small-pool") for _ in range(100)))
    assert sorted(sums) == list(range(1, 101))
    assert proxy.open == 2


async def test_cancelled_calls_mix_no_answers_and_give_their_connections_back(proxy, started):
    connector = await started(proxy.port, pool_size=20)
    keys = [f"cancelled-{number}" for number in range(20)]
    for key in keys:
        await connector.set(key, key.encode())
    for turns in range(12):
        calls = [asyncio.ensure_future(connector.get(key)) for key in keys]
        for _ in range(turns):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        # All twenty connections at once: one that was not given back would leave a call waiting.
        assert await asyncio.gather(*(connector.get(key) for key in keys)) == [key.encode() for key in keys]
    # One whose answer is still on its way is closed, since the next call would take that answer for its own.
    proxy.silent = True
    calls = [asyncio.ensure_future(connector.get(key)) for key in keys]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    assert all(call.cancelled() for call in calls)
    await proxy.wait_until_open(0)
    proxy.silent = False
    assert await connector.get(keys[0]) == keys[0].encode()


async def test_stop_closes_what_is_being_connected_and_ends_calls(proxy, started):
    connector = await started(proxy.port)
    proxy.delay = 0.1
    calls = [asyncio.ensure_future(connector.get("stopped")) for _ in range(20)]
    async with asyncio.timeout(120):
        await proxy.wait_until_open(20)
        await connector.stop()
        for ended in await asyncio.gather(*calls, return_exceptions=True):
            assert ended is None or isinstance(ended, Exception)
        await proxy.wait_until_open(0)


@pytest.mark.parametrize("retries", [0, 5])
async def test_stop_ends_calls_that_a_silent_server_keeps_waiting(proxy, started, retries):
    connector = await started(proxy.port, retries=retries, timeout=60, pool_size=20)
    before = asyncio.all_tasks()
    proxy.silent = True
    calls = [asyncio.ensure_future(connector.get("silent")) for _ in range(30)]
    async with asyncio.timeout(120):
        await proxy.wait_until_open(20)
        await connector.stop()
        for ended in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(ended, ConnectorError)
            assert "closed while it was used" in str(ended)
        await proxy.wait_until_open(0)
    assert asyncio.all_tasks() - before <= proxy._serving


async def test_calls_that_are_cut_off_and_cancelled_at_random_are_counted_once_each(server, started):
    connector = await started(server.port, retries=20, retry_wait=0.02, timeout=30, pool_size=64)
    dice = random.Random(7)
    counted = lost = 0
    enough = asyncio.Event()

    async def count(number):
        nonlocal counted, lost
        for _ in range(20):
            call = asyncio.ensure_future(connector.increment("storm", ttl=3600 if number % 2 else None))
            if dice.random() < 0.1:
                for _ in range(dice.randrange(6)):
                    await asyncio.sleep(0)
                call.cancel()
            try:
                await call
                counted += 1
                if counted == 500:
                    enough.set()
            except (asyncio.CancelledError, UnavailableError):
                lost += 1
            own = f"{number}".encode()
            await connector.set(f"own-{number}", own)
            assert await connector.get(f"own-{number}") == own

    workers = asyncio.gather(*(count(number) for number in range(200)))
    await enough.wait()
    await asyncio.to_thread(server.restart)
    await workers
    assert lost
    assert counted <= int(await connector.get("storm")) <= counted + lost


async def test_two_runtimes_that_write_the_same_key_lose_no_count(shared_server, started):
    one, other = await started(shared_server.port), await started(shared_server.port)
    calls = [connector.increment("both", ttl=3600) for connector in (one, other) for _ in range(50)]
    assert sorted(await asyncio.gather(*calls)) == list(range(1, 101))
    await asyncio.gather(one.set("last", b"one"), other.set("last", b"other"))
    assert await one.get("last") == await other.get("last")


async def test_a_connector_can_be_used_when_a_failed_start_is_tried_again(tmp_path, started):
    server = redis_server(tmp_path / "late")
    connector = cache(server.port)
    with pytest.raises(UnavailableError):
        await started(connector)
    await connector.stop()
    with server:
        await started(connector)
        await connector.set("late", b"value")
        assert cli(server.port, "get", "sre:cache:late") == "value"
