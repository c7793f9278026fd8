"""A server that goes, comes back, is slow, or silent, and several runtimes that use it at once."""

import asyncio
import socket

import pytest

from sre_core.connectors.vectors import Metric, VectorRecord
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, NotFoundError, UnavailableError
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import free_port
from sre_milvus import MilvusSettings, MilvusVectors

from .misbehaving import PATIENCE, Held, engine  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOTES = "agent/a/notes"


def connector_at(port: int, **settings) -> MilvusVectors:
    return MilvusVectors(MilvusSettings(uri=f"http://127.0.0.1:{port}", **{"index": "FLAT", **settings}))


@pytest.fixture
async def connector(milvus_server):
    """One whose collections are gone afterwards."""
    made = connector_at(milvus_server.port)
    await made.start()
    try:
        yield made
    finally:
        for info in await made.collections(""):
            await made.drop(info.name)
        await made.stop()


async def keep(connector: MilvusVectors, *ids: str) -> None:
    await connector.upsert(NOTES, [VectorRecord(id=key, vector=[1, 0]) for key in ids])


async def ids(connector: MilvusVectors) -> list[str]:
    return [match.id for match in await connector.query(NOTES, [1, 0], k=100)]


# A server that is not there


async def test_a_server_that_is_not_there_at_the_start_is_named():
    port = free_port()
    connector = connector_at(port, retries=0)
    with pytest.raises(UnavailableError, match=str(port)):
        await connector.start()
    await connector.stop()


async def test_a_server_that_says_nothing_at_the_start_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        connector = connector_at(port, connect_timeout=0.2)
        with pytest.raises(UnavailableError, match=str(port)):
            await connector.start()
        await connector.stop()


async def test_a_server_that_is_killed_and_comes_back_is_used_again_and_has_lost_nothing(own_server):
    connector = connector_at(own_server.port, retries=0)
    await connector.start()
    try:
        await connector.create(NOTES, 2)
        await keep(connector, "a", "b")
        await asyncio.to_thread(own_server.kill)
        errors = await asyncio.gather(*(keep(connector, f"c{n}") for n in range(50)), return_exceptions=True)
        assert {type(error) for error in errors} == {UnavailableError}
        assert str(own_server.port) in str(errors[0])
        with pytest.raises(UnavailableError):
            await connector.ping()
        await asyncio.to_thread(own_server.start)
        async with asyncio.timeout(120):
            while await state_of(connector) is not None:
                pass
        assert await ids(connector) == ["a", "b"]
        await keep(connector, "c")
        assert await ids(connector) == ["a", "b", "c"]
    finally:
        await connector.stop()


async def state_of(connector: MilvusVectors) -> ConnectorError | None:
    try:
        await connector.ping()
    except ConnectorError as error:
        return error
    return None


async def test_a_call_outlives_a_short_absence_of_the_server(own_server):
    """With attempts left, a caller does not even notice."""
    connector = connector_at(own_server.port, retries=30, retry_wait=0.1)
    await connector.start()
    try:
        await connector.create(NOTES, 2)
        await asyncio.to_thread(own_server.kill)
        call = asyncio.create_task(keep(connector, "a"))
        await asyncio.to_thread(own_server.start)
        await call
        assert await ids(connector) == ["a"]
    finally:
        await connector.stop()


# A server behind a bad line


async def test_a_slow_server_is_given_up_in_time(milvus_server, connector):
    await connector.create(NOTES, 2)
    async with FaultProxy.before(milvus_server.port) as proxy:
        slow = connector_at(proxy.port, timeout=3)
        await slow.start()
        proxy.delay = 30
        with pytest.raises(DeadlineError, match=str(proxy.port)):
            await ids(slow)
        proxy.delay = 0
        await slow.stop()


async def test_a_server_far_away_gets_the_time_to_connect_that_the_settings_give(milvus_server, connector):
    await connector.create(NOTES, 2)
    async with FaultProxy.before(milvus_server.port) as proxy:
        proxy.delay = 0.3
        far = connector_at(proxy.port, retries=0)
        await far.start()
        await keep(far, "a")
        assert await ids(far) == ["a"]
        await far.stop()


async def test_a_silent_server_is_given_up_in_time(milvus_server, connector):
    await connector.create(NOTES, 2)
    async with FaultProxy.before(milvus_server.port) as proxy:
        deaf = connector_at(proxy.port, timeout=3)
        await deaf.start()
        proxy.silent = True
        with pytest.raises(DeadlineError):
            await keep(deaf, "a")
        await deaf.stop()


async def test_a_connection_that_breaks_off_is_made_anew(milvus_server, connector):
    await connector.create(NOTES, 2)
    async with FaultProxy.before(milvus_server.port) as proxy:
        cut = connector_at(proxy.port, retries=5, retry_wait=0.05)
        await cut.start()
        for number in range(5):
            proxy.break_off()
            await keep(cut, f"r{number}")
        assert await ids(cut) == [f"r{number}" for number in range(5)]
        assert proxy.connections > 1
        await cut.stop()


async def test_half_an_answer_is_none(milvus_server, connector):
    await connector.create(NOTES, 2)
    async with FaultProxy.before(milvus_server.port) as proxy:
        cut = connector_at(proxy.port, retries=0)
        await cut.start()
        proxy.cut_after = 10
        with pytest.raises(UnavailableError):
            await ids(cut)
        await cut.stop()


async def test_a_cancelled_call_is_forgotten_by_the_server_too_and_the_next_one_works(tmp_path):
    with engine(tmp_path / "data") as (port, door):
        waiting = connector_at(port)
        await waiting.start()
        try:
            await waiting.create(NOTES, 2)
            await keep(waiting, "a")
            held = door.held["Search"] = Held()
            call = asyncio.create_task(ids(waiting))
            assert await asyncio.to_thread(held.came.wait, PATIENCE)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await asyncio.to_thread(held.gone.wait, PATIENCE), "the server was not told"
            assert await ids(waiting) == ["a"]
        finally:
            await waiting.stop()


async def test_stopping_ends_the_calls_that_are_under_way(tmp_path):
    with engine(tmp_path / "data") as (port, door):
        stopped = connector_at(port)
        await stopped.start()
        await stopped.create(NOTES, 2)
        held = door.held["Search"] = Held()
        # The server works on one, and the others wait for it.
        calls = [asyncio.create_task(ids(stopped)) for _ in range(5)]
        assert await asyncio.to_thread(held.came.wait, PATIENCE)
        await stopped.stop()
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in errors} == {UnavailableError}
        assert await asyncio.to_thread(held.gone.wait, PATIENCE), "the server was not told"


async def test_two_hundred_calls_share_one_connection(milvus_server, connector):
    await connector.create(NOTES, 2)
    async with FaultProxy.before(milvus_server.port) as proxy, asyncio.timeout(120):
        many = connector_at(proxy.port)
        await many.start()
        await asyncio.gather(*(keep(many, f"r{number:03}") for number in range(200)))
        assert len(await many.query(NOTES, [1, 0], k=1000)) == 200
        assert proxy.connections == 1
        await many.stop()


async def test_a_server_that_speaks_something_else_is_no_milvus():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>nginx</html>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        connector = connector_at(server.sockets[0].getsockname()[1], connect_timeout=5, retries=0)
        with pytest.raises(ConnectorError) as refused:
            await connector.start()
        assert "<html" not in str(refused.value)
        await connector.stop()


# Several runtimes


@pytest.mark.parametrize("layout", ["collections", "partitions"])
async def test_a_collection_that_another_runtime_made_anew_is_found_at_once(milvus_server, connector, layout):
    one, two = connector_at(milvus_server.port, layout=layout), connector_at(milvus_server.port, layout=layout)
    await one.start()
    await two.start()
    try:
        await one.create(NOTES, 2)
        await keep(two, "a")
        assert await ids(one) == ["a"]
        await one.drop(NOTES)
        with pytest.raises(NotFoundError, match=NOTES):
            await ids(two)
        with pytest.raises(NotFoundError, match=NOTES):
            await keep(two, "b")
        with pytest.raises(NotFoundError, match=NOTES):
            await two.delete(NOTES, ids=["a"])

        await one.create(NOTES, 3, metric=Metric.L2)
        await two.upsert(NOTES, [VectorRecord(id="c", vector=[1, 0, 0])])
        (match,) = await one.query(NOTES, [1, 0, 0], k=5)
        assert (match.id, match.score) == ("c", 0)
        await one.drop(NOTES)
        await one.create(NOTES, 2)
        assert await ids(two) == []
        with pytest.raises(ConfigError):
            await two.query(NOTES, [1, 0, 0], k=5)
        await one.drop(NOTES)
    finally:
        await one.stop()
        await two.stop()


@pytest.mark.parametrize("layout", ["collections", "partitions"])
async def test_of_two_who_make_a_collection_at_once_one_is_told_that_it_exists(milvus_server, layout):
    one, two = connector_at(milvus_server.port, layout=layout), connector_at(milvus_server.port, layout=layout)
    await one.start()
    await two.start()
    try:
        made = await asyncio.gather(
            one.create(NOTES, 2), two.create(NOTES, 2), one.create(NOTES, 2), return_exceptions=True
        )
        assert sorted(type(error).__name__ for error in made) == ["ConflictError", "ConflictError", "NoneType"]
        await keep(two, "a")
        assert await ids(one) == ["a"]
    finally:
        await one.drop(NOTES)
        await one.stop()
        await two.stop()


async def test_two_runtimes_that_write_the_same_ids_lose_nothing_else(milvus_server, connector):
    other = connector_at(milvus_server.port)
    await other.start()
    try:
        await connector.create(NOTES, 2)
        batches = [
            (writer, [VectorRecord(id=f"r{n}", vector=[1, 0], text=name) for n in range(start, start + 20)])
            for start in range(0, 100, 10)
            for name, writer in (("one", connector), ("two", other))
        ]
        await asyncio.gather(*(writer.upsert(NOTES, batch) for writer, batch in batches))
        found = await connector.query(NOTES, [1, 0], k=1000)
        assert {match.id for match in found} == {f"r{n}" for n in range(110)}
        assert {match.text for match in found} <= {"one", "two"}
        assert found == await other.query(NOTES, [1, 0], k=1000)
    finally:
        await other.stop()


async def test_databases_are_apart(milvus_server, connector):
    """A database that the server does not have is a wrong setting."""
    await connector.create(NOTES, 2)
    missing = connector_at(milvus_server.port, database="nowhere")
    await missing.start()
    with pytest.raises(ConfigError, match="nowhere"):
        await missing.collections("")
    with pytest.raises(ConfigError, match="nowhere"):
        await missing.create(NOTES, 2)
    await missing.stop()
