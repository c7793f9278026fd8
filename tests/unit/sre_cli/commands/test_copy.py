"""`sre storage copy`, `sre vectors copy` and `sre vault copy`: what they say, ask and exit with."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli
from sre_core.access import Access, Candidate
from sre_core.connectors import VectorRecord
from sre_core.runtime import Runtime

ADA, BEA = Candidate.agent("ada"), Candidate.user("bea")

MORE = """
[plugins]
only = []

[connectors.storage.s3]
use = "local"
folder = "s3"

[connectors.vectors.milvus]
use = "memory"
folder = "milvus"

[connectors.vault.hashicorp]
use = "file"
path = "hashicorp"
key_file = "vault.key"
"""


def sre(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


def in_runtime(use: Callable[[Runtime], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Runtime() as runtime:
            await use(runtime)

    asyncio.run(run())


async def fill(runtime: Runtime) -> None:
    storage, vectors = runtime.storage(ADA), runtime.vectors(ADA)
    await storage.write("notes/a.txt", "one", metadata={"n": "1"})
    await storage.write("b.bin", b"x" * 3000)
    await storage.grant("notes", BEA, Access.READ)
    await vectors.create("docs", 2)
    await vectors.upsert("docs", [VectorRecord(id=str(n), vector=[n, 1], text="t") for n in range(7)])
    await vectors.grant("docs", BEA, Access.READ)


@pytest.fixture
def filled(project: Path) -> Path:
    """A project with something in each store, and a second store of each kind."""
    with (project / "sre.toml").open("a") as settings:
        settings.write(MORE)
    in_runtime(fill)
    assert sre("vault", "set", "openai", stdin="sk-4711").exit_code == 0
    return project


def test_objects_are_copied_with_their_grants_and_the_second_time_left_alone(filled: Path) -> None:
    first = sre("storage", "copy", "default", "s3")
    assert first.exit_code == 0, first.output
    assert first.stdout == "copied    2 objects, 2.9 KiB\nACLs      3\n"
    assert sre("storage", "copy", "default", "s3").stdout == "copied    0 objects\nsame      2 objects\nACLs      3\n"

    async def check(runtime: Runtime) -> None:
        theirs = runtime.storage(BEA, "s3").of(ADA)
        assert await theirs.read_text("notes/a.txt") == "one"
        assert not await theirs.allowed("b.bin", Access.READ)

    in_runtime(check)


def test_collections_are_copied_with_their_grants(filled: Path) -> None:
    result = sre("vectors", "copy", "default", "milvus")
    assert (result.exit_code, result.stdout) == (0, "copied    7 records\nACLs      1\n")

    async def check(runtime: Runtime) -> None:
        (found, *_) = await runtime.vectors(BEA, "milvus").of(ADA).query("docs", [6, 1], k=1)
        assert found.id == "6"

    in_runtime(check)
    assert sre("vectors", "copy", "default", "milvus").stdout.startswith("copied    0 records\nsame      7 records\n")


def test_secrets_are_copied_and_not_shown(filled: Path) -> None:
    result = sre("vault", "copy", "default", "hashicorp")
    assert (result.exit_code, result.stdout) == (0, "copied    1 secret\nACLs      0\n")
    everything = result.output + sre("vault", "copy", "default", "hashicorp", "--json").output
    everything += sre("vault", "copy", "default", "hashicorp", "--dry-run").output
    assert "sk-4711" not in everything
    assert sre("vault", "get", "openai", "--reveal", "--vault", "hashicorp").stdout == "sk-4711\n"


SMYTH = """
[connectors.vault.smyth]
use = "smythos"
file = "vault.json"
"""


def test_a_vault_of_smythos_is_moved_into_ours(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_TOKEN", "hunter2")
    teams = {"default": {"anthropic": "sk-ant-7", "echo": ""}, "ops": {"token": "<$env(OPS_TOKEN)>"}}
    (filled / "vault.json").write_text(json.dumps(teams))
    with (filled / "sre.toml").open("a") as settings:
        settings.write(SMYTH)
    result = sre("vault", "copy", "smyth", "default")
    assert (result.exit_code, result.stdout) == (0, "copied    3 secrets\nACLs      0\n"), result.output
    names = ["anthropic", "openai", "team/default/anthropic", "team/ops/token"]
    assert sre("vault", "list").stdout.splitlines() == names
    assert sre("vault", "get", "team/ops/token", "--reveal").stdout == "<hunter2>\n"

    async def check(runtime: Runtime) -> None:
        runtime.teams.join(ADA, "ops")
        assert (await runtime.vault(ADA).get("team/ops/token")).get_secret_value() == "<hunter2>"
        assert not await runtime.vault(ADA).allowed("team/default/anthropic", Access.READ)

    in_runtime(check)


def test_a_secret_of_smythos_whose_variable_is_not_set_is_told(filled: Path) -> None:
    (filled / "vault.json").write_text(json.dumps({"ops": {"a": "x", "b": "sk-$env(NO_SUCH_VARIABLE)"}}))
    with (filled / "sre.toml").open("a") as settings:
        settings.write(SMYTH)
    result = sre("vault", "copy", "smyth", "default")
    assert result.exit_code == 5
    assert "team/ops/b: secret 'team/ops/b' needs the environment variable 'NO_SUCH_VARIABLE'" in result.stderr
    assert "sk-" not in result.output
    assert sre("vault", "list").stdout.splitlines() == ["openai", "team/ops/a"]


def test_a_dry_run_names_everything_and_writes_nothing(filled: Path) -> None:
    result = sre("storage", "copy", "default", "s3", "--dry-run")
    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()[:2]) == ["copied    agent/ada/b.bin", "copied    agent/ada/notes/a.txt"]
    assert "Nothing was written." in result.stderr
    assert not (filled / "s3").exists()
    assert sre("vectors", "copy", "default", "milvus", "--dry-run").stdout.startswith("copied    agent/ada/docs\n")


def test_programs_get_the_same_facts(filled: Path) -> None:
    result = sre("storage", "copy", "default", "s3", "--prefix", "/agent/ada/notes/", "--json")
    facts = json.loads(result.stdout)
    assert (facts["copied"], facts["bytes"], facts["different"], facts["differences"]) == (1, 3, 0, [])
    assert result.stderr == ""


def test_the_question_is_asked_beside_the_output(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sre_cli.copying.is_terminal", lambda: True)
    result = sre("storage", "copy", "default", "s3", "--json", stdin="y\n")
    assert json.loads(result.stdout)["copied"] == 2
    assert "Copy 2 objects with 2.9 KiB from storage:default (local) to storage:s3 (local)? [y/N]: " in result.stderr
    refused = sre("storage", "copy", "default", "memory", stdin="n\n")
    assert (refused.exit_code, refused.stdout) == (130, "")


def test_what_is_not_the_same_in_the_end_is_told_and_fails(filled: Path) -> None:
    async def other(runtime: Runtime) -> None:
        await runtime.vectors(ADA, "milvus").create("docs", 3)

    in_runtime(other)
    result = sre("vectors", "copy", "default", "milvus")
    assert result.exit_code == 5
    assert "different 1\n" in result.stdout
    assert "agent/ada/docs: the target has it with dimension 3" in result.stderr


def test_grants_of_the_configuration_are_stored_for_the_copies_and_named(filled: Path) -> None:
    with (filled / "sre.toml").open("a") as settings:
        settings.write('[access]\n"vault/openai" = { "user:bea" = "read" }\n')
    result = sre("vault", "copy", "default", "hashicorp")
    assert (result.exit_code, result.stdout) == (0, "copied    1 secret\nACLs      1\n")
    assert 'Note: [access] "vault/openai" holds for no "vault@hashicorp/openai": what it says now' in result.stderr

    async def check(runtime: Runtime) -> None:
        assert (await runtime.vault(BEA, "hashicorp").get("openai")).get_secret_value() == "sk-4711"
        assert not await runtime.vault(ADA, "hashicorp").allowed("openai", Access.READ)

    in_runtime(check)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["default", "default"], 2, "SOURCE and TARGET are the same."),
        (["default", "s4"], 3, "'s4'"),
        (["default", "s3", "--prefix", "acl/x"], 2, "ACLs are copied with the objects"),
        (["default", "s3", "--prefix", "../x"], 3, "illegal path '../x'"),
        (["default", "s3", "--jobs", "0"], 2, "--jobs"),
    ],
)
def test_what_makes_no_sense_is_refused(filled: Path, arguments: list[str], code: int, message: str) -> None:
    result = sre("storage", "copy", *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_a_storage_without_acls_of_its_own_is_copied_too(filled: Path) -> None:
    assert sre("storage", "copy", "default", "s3").exit_code == 0
    result = sre("storage", "copy", "s3", "memory")
    assert (result.exit_code, result.stdout) == (0, "copied    2 objects, 2.9 KiB\nACLs      1\n")
