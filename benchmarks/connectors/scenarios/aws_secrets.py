"""A vault in AWS Secrets Manager against aiobotocore: one secret, read."""

from pathlib import Path

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.programs import beside_python
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.result import Row
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["measure"]

_KEY_ID, _SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_OURS = {"access_key_id": _KEY_ID, "secret_access_key": _SECRET, "region": "us-east-1", "prefix": "sre"}
_THEIRS = {"aws_access_key_id": _KEY_ID, "aws_secret_access_key": _SECRET, "region_name": "us-east-1"}
_NAME, _VALUE = f"{AGENT.role}/{AGENT.id}/token", "t" * 40


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On moto, which is slow: most of the time both wait for it."""
    program = beside_python("moto_server", hint="pip install 'moto[server]'")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ServerProcess([program, "-p", str(port)], port=port, folder=folder):
        config = AioConfig(max_pool_connections=AT_ONCE)
        async with (
            runtime_with("vault", folder, use="aws-secrets", url=url, **_OURS) as runtime,
            get_session().create_client("secretsmanager", endpoint_url=url, config=config, **_THEIRS) as client,
        ):
            vault = runtime.vault(AGENT)
            await vault.set(_NAME, _VALUE)

            async def ours(number: int) -> None:
                assert (await vault.get(_NAME)).get_secret_value() == _VALUE

            async def bare(number: int) -> None:
                assert (await client.get_secret_value(SecretId=f"sre/{_NAME}"))["SecretString"] == _VALUE

            return await contest.rows("aws-secrets: get", ours=ours, bare=bare, count=400)
