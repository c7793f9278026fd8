"""TLS and checksums, as the driver speaks to S3 itself: bodies come in signed chunks, with a checksum behind them."""

from collections.abc import AsyncGenerator
from pathlib import Path

import boto3
import pytest

from sre_core.connectors.storage import NEW
from sre_core.errors import ConfigError, ConflictError

from .aws_server import BUCKET, KEYS, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_MIB = 1 << 20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("size", [0, 5, 3 * _MIB], ids=["empty", "small", "large"])
async def test_objects_come_back_over_tls_with_checksums(over_tls: tuple[str, Path], size: int) -> None:
    url, ca_file = over_tls
    boto3.client("s3", endpoint_url=url, verify=str(ca_file), **KEYS).create_bucket(Bucket=BUCKET)
    data = bytes(range(256)) * (size // 256) if size > 256 else b"x" * size
    storage = s3(url, ca_file=ca_file, checksums="always")
    await storage.start()
    key = f"agent/a/{size}"
    written = await storage.write(key, data, metadata={"a": "1"}, if_version=NEW)
    assert await storage.read(key) == data
    with pytest.raises(ConflictError):
        await storage.write(key, data, if_version=NEW)
    await storage.write(key, data, if_version=written.version)
    await storage.expire(key, 3600)
    assert await storage.read(key) == data

    async def chunks() -> AsyncGenerator[bytes]:
        yield data
        yield b"y" * (9 * _MIB)

    await storage.write_stream(key, chunks())
    assert await storage.read(key) == data + b"y" * (9 * _MIB)
    await storage.stop()


async def test_a_server_that_nobody_vouches_for_is_not_spoken_to(over_tls: tuple[str, Path]) -> None:
    storage = s3(over_tls[0], retries=0)
    with pytest.raises(ConfigError, match="cannot be trusted") as raised:
        await storage.start()
    assert "ca_file" in (raised.value.hint or "")
    await storage.stop()
