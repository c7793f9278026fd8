"""The proxy passes what it should, and fails as it is told."""

import asyncio
import socket

import pytest

from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import free_port

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

PATIENCE = 10


@pytest.fixture
async def echo():
    """The port of a server that repeats what it hears."""

    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.data_received = transport.write

    async with await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def proxy(echo):
    async with FaultProxy.before(echo) as proxy, asyncio.timeout(PATIENCE):
        yield proxy


async def opened(proxy):
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def broken(reader):
    """Nothing more comes."""
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)


async def test_without_faults_everything_passes(proxy):
    text = bytes(range(256)) * 4096
    reader, writer = await opened(proxy)
    writer.write(text)
    assert await reader.readexactly(len(text)) == text
    assert (proxy.open, proxy.connections) == (1, 1)
    writer.close()
    await proxy.wait_until_open(0)


async def test_what_a_server_says_before_it_closes_reaches_a_client_that_reads_late():
    text, closed = bytes(range(256)) * 192, asyncio.Event()

    async def serve(reader, writer):
        await reader.readexactly(5)
        writer.write(text)
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with FaultProxy.before(port) as proxy, asyncio.timeout(PATIENCE):
            with socket.socket() as client:
                client.setblocking(False)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, ("127.0.0.1", proxy.port))
                await proxy.wait_until_open(1)
                for end in proxy._open:
                    end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                await loop.sock_sendall(client, b"hello")
                await closed.wait()
                heard = b""
                while piece := await loop.sock_recv(client, 4096):
                    heard += piece
                assert heard == text
            await proxy.wait_until_open(0)


async def test_a_connection_is_cut_after_so_many_bytes_of_the_server(proxy):
    proxy.cut_after = 3
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    assert await reader.readexactly(3) == b"hel"
    await broken(reader)
    writer.close()


async def test_a_connection_that_carried_more_already_is_cut_at_the_next_byte(proxy):
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    proxy.cut_after = 3
    writer.write(b"again")
    await broken(reader)
    writer.close()


async def test_open_connections_can_be_broken_off(proxy):
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    proxy.break_off()
    await broken(reader)
    writer.close()
    reader, writer = await opened(proxy)
    writer.write(b"again")
    assert await reader.readexactly(5) == b"again"
    writer.close()


async def test_a_refusing_proxy_closes_at_once_and_a_forgiving_one_works_again(proxy):
    proxy.refusing = True
    reader, writer = await opened(proxy)
    await broken(reader)
    writer.close()
    proxy.refusing = False
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()


async def test_a_silent_proxy_lets_nothing_pass(proxy):
    proxy.silent = True
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    writer.close()


async def test_a_silent_proxy_hides_that_the_server_hangs_up():
    accepted = asyncio.Queue()

    class Waiting(asyncio.Protocol):
        def connection_made(self, transport):
            accepted.put_nowait(transport)

    async with (
        asyncio.timeout(PATIENCE),
        await asyncio.get_running_loop().create_server(Waiting, "127.0.0.1", 0) as server,
        FaultProxy.before(server.sockets[0].getsockname()[1]) as proxy,
    ):
        reader, writer = await opened(proxy)
        connection = await accepted.get()
        proxy.silent = True
        connection.close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read(1)
        writer.close()
        await proxy.wait_until_open(0)


async def test_a_slow_proxy_holds_the_answer_back(proxy):
    proxy.delay = 3600
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    writer.close()


async def test_an_answer_passes_in_pieces_of_the_size_that_is_set(proxy):
    proxy.piece, proxy.delay = 2, 0.01
    reader, writer = await opened(proxy)
    writer.write(b"hello")
    assert [await reader.read(100) for _ in range(3)] == [b"he", b"ll", b"o"]
    writer.close()


async def test_a_server_that_is_not_there_is_a_broken_connection():
    async with FaultProxy.before(free_port()) as proxy, asyncio.timeout(PATIENCE):
        reader, writer = await opened(proxy)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


async def test_a_proxy_that_does_not_run_has_no_port():
    with pytest.raises(RuntimeError, match="does not run"):
        _ = FaultProxy(1).port
