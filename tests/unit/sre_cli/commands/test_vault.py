"""`sre vault` keeps secrets, and shows one only when it is told to."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli


def sre(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["vault", *arguments], input=stdin)


def test_a_secret_is_kept_shown_on_demand_and_deleted(project: Path) -> None:
    kept = sre("set", "openai", stdin="sk-4711\n")
    assert kept.exit_code == 0, kept.output
    listed = sre("list")
    assert listed.stdout == "openai\n"
    told = sre("get", "openai")
    revealed = sre("get", "openai", "--reveal")
    assert revealed.stdout == "sk-4711\n"
    assert "sk-4711" not in kept.output + listed.output + told.output
    assert sre("delete", "openai").exit_code == 0
    assert json.loads(sre("list", "--json").stdout) == []


def test_a_missing_secret_is_an_error_of_the_vault(project: Path) -> None:
    result = sre("get", "nothing")
    assert result.exit_code == 5
    assert "'nothing'" in result.stderr


def test_what_is_not_forgotten_is_not_said_to_be(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = sre("delete", "opnai", "--yes")
    assert result.exit_code == 5
    assert "there is no secret 'opnai'" in result.stderr
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project / "config"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    result = sre("delete", "openai", "--yes", "--vault", "local")
    assert result.exit_code == 5
    assert "'openai' is in the environment too" in result.stderr


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(project: Path) -> None:
    result = sre("set", "openai", "sk-4711")
    assert result.exit_code == 2
    assert "sk-4711" not in result.output
    assert sre("list").stdout == ""


def test_an_empty_secret_is_refused(project: Path) -> None:
    result = sre("set", "openai", stdin="\n")
    assert result.exit_code == 2
    assert sre("list").stdout == ""


def test_only_the_last_line_end_is_taken_off(project: Path) -> None:
    sre("set", "pem", stdin=" -----\nabc\n-----\n\n")
    assert sre("get", "pem", "--reveal").stdout == " -----\nabc\n-----\n\n"


def test_the_operator_owns_what_is_granted_to_others(project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write('[access]\n"vault/openai" = { "team:ops" = "read" }\n')
    assert sre("set", "openai", stdin="sk-4711").exit_code == 0
    assert sre("get", "openai", "--reveal").stdout == "sk-4711\n"


def test_being_the_operator_leaves_no_grant_behind(project: Path) -> None:
    sre("set", "openai", stdin="sk-4711")
    grants = [
        path for path in (project / ".sre").rglob("*") if path.is_file() and "operator" in path.read_text("latin-1")
    ]
    assert grants == []


def test_a_vault_that_cannot_write_says_so(project: Path) -> None:
    result = sre("set", "openai", "--vault", "env", stdin="sk-4711")
    assert result.exit_code == 5
    assert "does not support 'write'" in result.stderr
    assert "sk-4711" not in result.output


def test_a_secret_can_be_set_that_the_storage_waits_for(project: Path) -> None:
    with (project / "sre.toml").open("a") as file:
        file.write('\n[connectors.storage.default]\nuse = "local"\nfolder = { vault = "place" }\n')
    assert sre("set", "place", stdin="somewhere\n").exit_code == 0
    assert sre("get", "place", "--reveal").stdout == "somewhere\n"
