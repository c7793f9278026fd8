"""Storage in S3 against aiobotocore, and against boto3 in threads: an object of 1 KiB, written and read back."""

from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore.config  # type: ignore[import-untyped]
from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.programs import beside_python
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.connectors.threads import threaded
from benchmarks.result import Row
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["measure"]

_BUCKET = "bench"
_KEY_ID, _SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_OURS = {"access_key_id": _KEY_ID, "secret_access_key": _SECRET, "region": "us-east-1"}
_THEIRS = {"aws_access_key_id": _KEY_ID, "aws_secret_access_key": _SECRET, "region_name": "us-east-1"}
_CHECKSUMS = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
_BYTES = b"x" * 1024


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On moto, which is slow: most of the time all clients wait for it."""
    program = beside_python("moto_server", hint="pip install 'moto[server]'")
    port = free_port()
    with ServerProcess([program, "-p", str(port)], port=port, folder=folder):
        return await _measure(contest, folder, f"http://127.0.0.1:{port}")


async def _measure(contest: Contest, folder: Path, url: str) -> list[Row]:
    blocking: Any = boto3.client(
        "s3",
        endpoint_url=url,
        config=botocore.config.Config(max_pool_connections=AT_ONCE, **_CHECKSUMS),
        **_THEIRS,
    )
    blocking.create_bucket(Bucket=_BUCKET)
    config = AioConfig(max_pool_connections=AT_ONCE, **_CHECKSUMS)
    async with (
        runtime_with("storage", folder, use="s3", bucket=_BUCKET, url=url, **_OURS) as runtime,
        get_session().create_client("s3", endpoint_url=url, config=config, **_THEIRS) as client,
    ):
        storage = runtime.storage(AGENT)

        async def ours(number: int) -> None:
            await storage.write(f"ours-{number}", _BYTES)
            assert await storage.read(f"ours-{number}") == _BYTES

        async def bare(number: int) -> None:
            await client.put_object(Bucket=_BUCKET, Key=f"bare-{number}", Body=_BYTES)
            reply = await client.get_object(Bucket=_BUCKET, Key=f"bare-{number}")
            async with reply["Body"] as body:
                assert await body.read() == _BYTES

        def boto(number: int) -> None:
            blocking.put_object(Bucket=_BUCKET, Key=f"boto-{number}", Body=_BYTES)
            assert blocking.get_object(Bucket=_BUCKET, Key=f"boto-{number}")["Body"].read() == _BYTES

        with threaded() as operation:
            return await contest.rows(
                "s3: write and read 1 KiB", ours=ours, bare=bare, others={"boto3": operation(boto)}, count=200
            )
