"""Unit tests cannot connect to anything."""

import asyncio
import socket

import pytest


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "192.0.2.1", "example.com"])
@pytest.mark.parametrize("name", ["connect", "connect_ex"])
def test_a_unit_test_that_connects_fails(name, address):
    with socket.socket() as plain, pytest.raises(pytest.fail.Exception, match="unit test connects"):
        getattr(plain, name)((address, 9))


async def test_a_connection_of_the_event_loop_fails():
    with pytest.raises(pytest.fail.Exception, match="unit test connects"):
        await asyncio.open_connection("127.0.0.1", 9)


def test_a_pair_of_sockets_is_no_connection():
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"hello")
        assert other.recv(5) == b"hello"
