"""A moto server for all tests, with a bucket in it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sre_core.testing.certificates import Authority
from sre_core.testing.servers import ServerProcess, find_server, free_port

from .aws_server import KEYS, Moto  # noqa: TID252 -- the folder of tests is no package

_PROGRAM = Path(__file__).with_name("moto_in_turn.py")


def _running(folder: Path, *options: str, environment: dict[str, str] | None = None) -> ServerProcess:
    find_server("moto_server", hint="pip install 'moto[server]'", folders=[Path(sys.executable).parent])
    port = free_port()
    return ServerProcess(
        [sys.executable, _PROGRAM, str(port), *options], port=port, folder=folder, environment=environment
    )


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """S3 and Secrets Manager for all tests, which have names of their own in it."""
    with _running(tmp_path_factory.mktemp("moto")) as process:
        yield Moto(process.port)


@pytest.fixture(scope="session")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A server that reads over conditions at the end of uploads in parts, as moto does, and lists three at a time."""
    environment = {"MOTO_S3_DEFAULT_MAX_KEYS": "3"}
    with _running(tmp_path_factory.mktemp("careless"), "--plain", environment=environment) as process:
        yield Moto(process.port)


@pytest.fixture(scope="session")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A moto server that looks at credentials, once the bucket is made."""
    environment = {"INITIAL_NO_AUTH_ACTION_COUNT": "1"}
    with _running(tmp_path_factory.mktemp("strict"), environment=environment) as process:
        yield Moto(process.port)


@pytest.fixture(scope="session")
def over_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a moto server that speaks TLS, as AWS itself does, and the file of who vouches for it."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    certificate = authority.issue("moto")
    with _running(folder / "moto", str(certificate.cert_file), str(certificate.key_file)) as process:
        yield f"https://localhost:{process.port}", authority.ca_file


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A moto server for one test to stop and start; what it holds is gone with it."""
    with _running(tmp_path / "moto") as process:
        yield process


@pytest.fixture
def bare(moto: Moto) -> Any:
    """The client of somebody else, to look at what lies in AWS, and to put other things there."""
    return boto3.client("s3", endpoint_url=moto.url, **KEYS)


@pytest.fixture
def bare_secrets(moto: Moto) -> Any:
    """The same for Secrets Manager."""
    return boto3.client("secretsmanager", endpoint_url=moto.url, **KEYS)


@pytest.fixture
def no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for the files of AWS, and nothing in the environment that has credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path
