"""A moto server whose functions need no containers, and whose roles can have the policies of AWS."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest

from sre_core.testing.servers import ServerProcess, find_server, free_port

KEYS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "planted-secret-key",
    "region_name": "eu-west-1",
}
_PROGRAM = Path(__file__).parents[1] / "moto_in_turn.py"


class Lambda:
    """The server, as others see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = boto3.client("lambda", endpoint_url=url, **KEYS)
        self.roles = boto3.client("iam", endpoint_url=url, **KEYS)
        self.post("/moto-api/config", {"lambda": {"use_docker": False}})

    def post(self, path: str, body: Any) -> None:
        asked = Request(f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(asked) as reply:
            assert reply.status in {200, 201}

    def answer(self, *replies: Any) -> None:
        """What the next calls give; without more, they give what they were sent."""
        results = [json.dumps(reply) for reply in replies]
        self.post("/moto-api/static/lambda-simple/response", {"results": results, "region": "eu-west-1"})

    def function(self, name: str) -> dict[str, Any]:
        return self.client.get_function(FunctionName=name)

    def names(self) -> list[str]:
        return [function["FunctionName"] for function in self.client.list_functions()["Functions"]]


@pytest.fixture(scope="session")
def lambda_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambda]:
    find_server("moto_server", hint="pip install 'moto[server]'", folders=[Path(sys.executable).parent])
    port = free_port()
    folder = tmp_path_factory.mktemp("lambda")
    environment = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    with ServerProcess(
        [sys.executable, _PROGRAM, str(port)], port=port, folder=folder, environment=environment
    ) as process:
        yield Lambda(f"http://127.0.0.1:{process.port}")


@pytest.fixture
def aws(lambda_server: Lambda, no_surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The server, where the environment says that AWS is; the functions of a test are gone after it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", lambda_server.url)
    yield lambda_server
    for name in lambda_server.names():
        lambda_server.client.delete_function(FunctionName=name)
