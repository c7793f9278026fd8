"""A TCP proxy with faults, to stand between a connector and its real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

__all__ = ["FaultProxy"]

_PIECE = 64 * 1024


class FaultProxy:
    """Passes bytes between clients and the server at `host`:`port`; the faults can be changed while it runs.

    - `delay`: seconds that each piece from the server is held back;
    - `piece`: how many bytes from the server such a piece has at most;
    - `cut_after`: how many bytes of the server's a connection carries before it is broken off; None for no end;
    - `refusing`: new connections are closed at once;
    - `silent`: connections are accepted, and nothing passes any more, nor that the server closes one.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1") -> None:
        self.delay = 0.0
        self.piece = _PIECE
        self.cut_after: int | None = None
        self.refusing = False
        self.silent = False
        self.connections = 0
        """How many connections were accepted."""
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def before(cls, port: int, *, host: str = "127.0.0.1") -> "AsyncIterator[FaultProxy]":
        """A proxy that runs while the block lasts."""
        proxy = cls(port, host=host)
        await proxy.start()
        try:
            yield proxy
        finally:
            await proxy.stop()

    @property
    def port(self) -> int:
        """Where clients connect to, on loopback."""
        if self._server is None:
            raise RuntimeError("the proxy does not run")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def open(self) -> int:
        """How many connections of clients are open now."""
        return len(self._open)

    async def start(self) -> None:
        """Begin to listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Stop listening, and break off what is open."""
        if self._server is not None:
            self._server.close()
            self.break_off()
            await asyncio.gather(*self._serving)
            await self._server.wait_closed()
            self._server = None

    def break_off(self) -> None:
        """Reset all open connections, as a crash of the server or a cut cable would."""
        for writer in list(self._open):
            writer.transport.abort()

    async def wait_until_open(self, count: int) -> None:
        """Return once exactly `count` connections of clients are open."""
        while self.open != count:
            self._changed.clear()
            await self._changed.wait()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # In a task of our own, so that `stop` can wait for it.
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refusing:
            writer.transport.abort()
            return
        self._open.add(writer)
        self._changed.set()
        ends = [writer]
        try:
            answers, server = await asyncio.open_connection(*self._target)
            ends.append(server)
            passing = [
                asyncio.create_task(self._pass(reader, server, from_server=False)),
                asyncio.create_task(self._pass(answers, writer, from_server=True)),
            ]
            from_client, from_server = passing
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            if self.silent:
                # Not even that the server hangs up, as it does on who asks nothing for a while.
                await asyncio.wait([from_client])
            elif from_server.done() and from_server.result():
                # The server has said all, and the client should hear all.
                writer.close()
                await writer.wait_closed()
                ends.remove(writer)
            for task in passing:
                task.cancel()
            await asyncio.gather(*passing, return_exceptions=True)
        except OSError:
            pass  # the server is not there, or its client, which the other end sees as a broken connection
        finally:
            for end in ends:
                end.transport.abort()
            self._open.discard(writer)
            self._changed.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool) -> bool:
        """Whether the end came as it should."""
        passed = 0
        with suppress(OSError):
            while piece := await reader.read(self.piece if from_server else _PIECE):
                if self.silent:
                    continue
                if from_server:
                    await asyncio.sleep(self.delay)
                    if self.cut_after is not None and passed + len(piece) > self.cut_after:
                        writer.write(piece[: max(0, self.cut_after - passed)])
                        await writer.drain()
                        return False
                    passed += len(piece)
                writer.write(piece)
                await writer.drain()
            return True
        return False
