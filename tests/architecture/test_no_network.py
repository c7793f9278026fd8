"""Tests reach this machine, and no other."""

import asyncio
import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "8.8.8.8", "example.com", "0.0.0.0"])
def test_a_connection_to_another_machine_fails(address):
    with socket.socket() as plain, pytest.raises(pytest.fail.Exception, match="this machine only"):
        plain.connect((address, 9))


async def test_a_connection_to_this_machine_works():
    async def answer(reader, writer):
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
