"""A SOCKS proxy on loopback for tests: versions 4, 4a and 5 (RFC 1928, RFC 1929), which leads all to one port."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class SocksServer:
    """Where it is, what it was asked to connect to, and with what user and password."""

    address: str
    asked: list[tuple[int, str, int]] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)


@asynccontextmanager
async def socks_server(target: int) -> AsyncGenerator[SocksServer]:
    """Every connection is one to the port `target` of loopback, whatever is asked for."""
    found = SocksServer("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version = (await reader.readexactly(1))[0]
        await (_greet5 if version == 5 else _greet4)(reader, writer, found)
        inner, outer = await asyncio.open_connection("127.0.0.1", target)
        passing = [asyncio.create_task(_pass(reader, outer)), asyncio.create_task(_pass(inner, writer))]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        outer.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        found.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield found


async def _greet5(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, found: SocksServer) -> None:
    methods = await reader.readexactly((await reader.readexactly(1))[0])
    method = 2 if 2 in methods else 0
    writer.write(bytes([5, method]))
    if method == 2:
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        found.credentials.append(f"{user.decode()}:{password.decode()}")
        writer.write(b"\x01\x00")
    _, _, _, kind = await reader.readexactly(4)
    if kind == 3:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    else:
        host = socket.inet_ntoa(await reader.readexactly(4))
    found.asked.append((5, host, int.from_bytes(await reader.readexactly(2))))
    writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")


async def _greet4(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, found: SocksServer) -> None:
    await reader.readexactly(1)
    port = int.from_bytes(await reader.readexactly(2))
    address = await reader.readexactly(4)
    await reader.readuntil(b"\0")
    named = address[:3] == b"\0\0\0" and address[3] != 0
    host = (await reader.readuntil(b"\0"))[:-1].decode() if named else socket.inet_ntoa(address)
    found.asked.append((4, host, port))
    writer.write(b"\x00\x5a" + bytes(6))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
