"""What another process does with a storage folder; started by the tests with a command and its arguments."""

import asyncio
import json
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.connectors.storage import NEW
from sre_core.errors import ConflictError, ConnectorError, NotFoundError

MEBIBYTE = 1 << 20


async def hang(storage: LocalStorage) -> None:
    """Write a stream whose end never comes."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"n" * MEBIBYTE
        print("writing", flush=True)
        await asyncio.Event().wait()

    await storage.write_stream("object", endless())


async def die(storage: LocalStorage, call: str, count: str) -> None:
    """Write, and be killed right before the given call of the system."""
    real, left = getattr(os, call), int(count)

    def deadly(*arguments: object, **options: object) -> object:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(os, call, deadly)
    await storage.write("object", b"n" * 3 * MEBIBYTE, metadata={"state": "new"})


async def overwrite(storage: LocalStorage, digit: str, times: str) -> None:
    """Write one object again and again."""
    for _ in range(int(times)):
        await storage.write("object", digit.encode() * (MEBIBYTE + int(digit)), metadata={"digit": digit})


async def increment(storage: LocalStorage, times: str) -> None:
    """Count up one object, and print what this process has written."""
    real = os.replace

    def late(*arguments: Any, **options: Any) -> None:
        # Stretches the moment between the look at the version and the move, in which others would get between.
        time.sleep(0.005)
        real(*arguments, **options)

    os.replace = late
    written = []
    while len(written) < int(times):
        try:
            version, number = (await storage.stat("count")).version, int(await storage.read("count"))
        except NotFoundError:
            version, number = NEW, 0
        try:
            await storage.write("count", str(number + 1).encode(), if_version=version)
        except ConflictError:
            continue
        written.append(number + 1)
    print(json.dumps(written))


async def overfill(storage: LocalStorage) -> None:
    """Write more than the system allows, in both ways, and print the errors."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MEBIBYTE, 2 * MEBIBYTE))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"n" * MEBIBYTE

    errors = []
    for call in (storage.write("object", b"n" * 4 * MEBIBYTE), storage.write_stream("object", pieces())):
        try:
            await call
        except ConnectorError as error:
            errors.append([str(error), error.hint])
    print(json.dumps(errors))


async def measure(storage: LocalStorage, mebibytes: str) -> None:
    """Stream an object both ways, and print by how many bytes the peak of the memory grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(int(mebibytes)):
            yield bytes(MEBIBYTE)

    await storage.write_stream("object", pieces())
    size = 0
    async with aclosing(storage.read_stream("object")) as items:
        async for piece in items:
            size += len(piece)
    await storage.expire("object", 3600)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([size, (after - before) * (1 if sys.platform == "darwin" else 1024)]))


async def main(folder: str, command: str, *arguments: str) -> None:
    storage = LocalStorage(LocalSettings(folder=Path(folder)))
    await storage.start()
    await COMMANDS[command](storage, *arguments)


COMMANDS = {function.__name__: function for function in (hang, die, overwrite, increment, overfill, measure)}

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
