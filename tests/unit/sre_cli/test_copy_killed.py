"""A copy that is killed leaves whole objects, and the same command finishes it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from sre_cli.main import cli
from sre_core.builtin.local_storage import LocalSettings, LocalStorage

SETTINGS = """
[connectors.storage.s3]
use = "local"
folder = "s3"
"""

# Copies until it is in the middle of one object, and stays there.
COPY = """
import asyncio

from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.connectors.slot import Slot
from sre_core.migration import End, StorageCopy


class Stuck(LocalStorage):
    async def write_stream(self, key, chunks, **options):
        async def half():
            async for chunk in chunks:
                yield chunk
                if key.endswith("/20"):
                    print("in the middle", flush=True)
                    await asyncio.Event().wait()

        return await super().write_stream(key, half(), **options)


async def main():
    source, target = LocalStorage(LocalSettings(folder=".sre/storage")), Stuck(LocalSettings(folder="s3"))
    await source.start()
    await target.start()
    await StorageCopy(End(Slot.of(source)), End(Slot.of(target)), jobs=4).run()


asyncio.run(main())
"""


def content(number: int) -> bytes:
    return bytes([number]) * (3 << 20 if number == 20 else 1000)


async def fill(folder: Path) -> None:
    source = LocalStorage(LocalSettings(folder=folder))
    await source.start()
    for number in range(40):
        await source.write(f"agent/a/{number:02}", content(number))


async def read(folder: Path) -> dict[str, bytes]:
    storage = LocalStorage(LocalSettings(folder=folder))
    await storage.start()
    return {info.key: await storage.read(info.key) async for info in storage.list("")}


def test_a_copy_that_is_killed_in_the_middle_is_finished_by_the_same_command(project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write(SETTINGS)
    asyncio.run(fill(project / ".sre/storage"))
    with subprocess.Popen([sys.executable, "-c", COPY], cwd=project, stdout=subprocess.PIPE) as copying:
        assert copying.stdout is not None
        line = copying.stdout.readline()
        copying.kill()
    assert line == b"in the middle\n"

    there = asyncio.run(read(project / "s3"))
    assert "agent/a/20" not in there
    assert 10 < len(there) < 40
    assert all(data == content(int(key[-2:])) for key, data in there.items())

    result = CliRunner().invoke(cli, ["storage", "copy", "default", "s3", "--json"])
    facts = json.loads(result.stdout)
    assert (result.exit_code, facts["same"], facts["copied"]) == (0, len(there), 40 - len(there))
    assert asyncio.run(read(project / "s3")) == asyncio.run(read(project / ".sre/storage"))
