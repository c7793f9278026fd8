"""A real server for tests, Azurite, and what it takes to talk to it."""

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azure.storage.blob.aio import BlobServiceClient

from sre_core.testing.servers import ServerProcess, find_server, free_port

__all__ = ["ACCOUNT", "KEY", "Azurite"]

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Known to all the world, from Azurite's documentation."""

_INSTALLED = Path(__file__).parents[3] / ".servers" / "node_modules" / ".bin"


class Azurite:
    """The server, in a process of its own; what it keeps in `folder` survives a restart."""

    def __init__(self, folder: Path, *, options: Sequence[str | Path] = (), scheme: str = "http") -> None:
        program = find_server(
            "azurite-blob",
            hint="`npm install azurite` brings it, for which `make test` has a place",
            folders=[_INSTALLED],
        )
        self.port = free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}/{ACCOUNT}"
        self.process = ServerProcess(
            [
                program,
                *("--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", folder),
                *("--silent", "--skipApiVersionCheck", "--disableTelemetry", *options),
            ],
            port=self.port,
            folder=folder,
        )

    def container(self) -> str:
        """A new container."""
        name = f"container-{uuid.uuid4().hex}"

        async def make() -> None:
            async with self.service() as service:
                await service.create_container(name)

        asyncio.run(make())
        return name

    def service(self, **options: Any) -> BlobServiceClient:
        """The library's own client, as the owner of the account."""
        return BlobServiceClient(self.url, credential={"account_name": ACCOUNT, "account_key": KEY}, **options)
