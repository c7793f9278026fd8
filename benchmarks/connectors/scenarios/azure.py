"""Storage in Azure Blob Storage against azure-storage-blob: 1 KiB, written and read back."""

from pathlib import Path

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import BlobServiceClient

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.programs import azurite
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.result import Row
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["measure"]

_CONTAINER = "bench"
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SETTINGS = ContentSettings(content_type="application/octet-stream")
_BYTES = b"x" * 1024


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On Azurite."""
    port = free_port()
    command = [
        azurite(),
        *("--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)),
        *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
    ]
    with ServerProcess(command, port=port, folder=folder):
        return await _measure(contest, folder, f"http://127.0.0.1:{port}/{_ACCOUNT}")


async def _measure(contest: Contest, folder: Path, url: str) -> list[Row]:
    settings = {"container": _CONTAINER, "account": _ACCOUNT, "account_key": _KEY, "endpoint": url}
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE), auto_decompress=False)
    credential = {"account_name": _ACCOUNT, "account_key": _KEY}
    async with (
        BlobServiceClient(url, credential=credential, transport=AioHttpTransport(session=session)) as client,
        runtime_with("storage", folder, use="azure", **settings) as runtime,
    ):
        container = await client.create_container(_CONTAINER)
        storage = runtime.storage(AGENT)

        async def ours(number: int) -> None:
            await storage.write(f"ours-{number}", _BYTES)
            assert await storage.read(f"ours-{number}") == _BYTES

        async def bare(number: int) -> None:
            blob = container.get_blob_client(f"bare-{number}")
            await blob.upload_blob(_BYTES, overwrite=True, content_settings=_SETTINGS)
            assert await (await container.get_blob_client(f"bare-{number}").download_blob()).readall() == _BYTES

        return await contest.rows("azure: write and read 1 KiB", ours=ours, bare=bare, count=200)
