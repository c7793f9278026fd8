"""Storages on the real server, and what is in them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.storage.blob.aio import BlobServiceClient

from sre_azure import AzureSettings, AzureStorage

from .azurite import ACCOUNT, KEY  # noqa: TID252 -- the folder of tests is no package

__all__ = ["PIECE", "blocks", "names", "started"]

PIECE = 1 << 16


@asynccontextmanager
async def started(url: str, container: str, **other: Any) -> AsyncIterator[AzureStorage]:
    given = {"container": container, "account": ACCOUNT, "account_key": KEY, "endpoint": url}
    settings = AzureSettings.model_validate({**given, "piece_bytes": PIECE, "retries": 0, **other})
    connector = AzureStorage(settings)
    try:
        await connector.start()
        yield connector
    finally:
        await connector.stop()


async def blocks(count: int, size: int = PIECE) -> AsyncGenerator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


async def names(service: BlobServiceClient, container: str) -> list[str]:
    """The names of all blobs that are there, expired or not."""
    async with service:
        return [blob.name async for blob in service.get_container_client(container).list_blobs()]
