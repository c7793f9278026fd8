"""Storage in Google Cloud Storage against google-cloud-storage in threads: 1 KiB, written and read back."""

import json
import urllib.request
from pathlib import Path

import requests.adapters
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage import Client  # type: ignore[import-untyped]

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.programs import fake_gcs_server
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.connectors.threads import threaded
from benchmarks.result import Row
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["measure"]

_BUCKET = "bench"
_BYTES = b"x" * 1024


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On fake-gcs-server, in memory."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        fake_gcs_server(),
        *("-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"),
        *("-external-url", url, "-public-host", f"127.0.0.1:{port}"),
    ]
    with ServerProcess(command, port=port, folder=folder):
        return await _measure(contest, folder, url)


async def _measure(contest: Contest, folder: Path, url: str) -> list[Row]:
    _make_bucket(url)
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    # Its own pool has ten connections: all other calls would open and close one of their own.
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))
    client = Client(project="bench", credentials=credentials, _http=session, client_options={"api_endpoint": url})
    bucket = client.bucket(_BUCKET)
    async with runtime_with("storage", folder, use="gcs", bucket=_BUCKET, endpoint=url, anonymous=True) as runtime:
        storage = runtime.storage(AGENT)

        async def ours(number: int) -> None:
            await storage.write(f"ours-{number}", _BYTES)
            assert await storage.read(f"ours-{number}") == _BYTES

        def bare(number: int) -> None:
            bucket.blob(f"bare-{number}").upload_from_string(_BYTES, content_type="application/octet-stream")
            assert bucket.blob(f"bare-{number}").download_as_bytes() == _BYTES

        with threaded() as operation:
            return await contest.rows("gcs: write and read 1 KiB", ours=ours, bare=operation(bare), count=500)


def _make_bucket(url: str) -> None:
    request = urllib.request.Request(
        f"{url}/storage/v1/b?project=bench",
        data=json.dumps({"name": _BUCKET}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30):
        pass
