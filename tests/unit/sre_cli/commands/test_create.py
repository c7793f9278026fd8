"""`sre create` writes what it was asked for, asks only on a terminal, and says what to do next."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sre_cli.main import cli


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_make_an_agent(here: Path) -> None:
    result = CliRunner().invoke(cli, ["create", "my-notes", "--model", "echo"])
    assert result.exit_code == 0, result.output
    assert (here / "my-notes" / "agent.py").is_file()
    assert 'use = "echo"' in (here / "my-notes" / "sre.toml").read_text()
    assert "sre run agent.py:agent" in result.stdout


def test_flags_make_a_plugin(here: Path) -> None:
    result = CliRunner().invoke(cli, ["create", "acme-store", "--template", "plugin", "--path", "deep/folder"])
    assert result.exit_code == 0, result.output
    connector = (here / "deep" / "folder" / "acme_store" / "connector.py").read_text()
    assert "class AcmeStoreStorage(StorageConnector)" in connector
    assert "sre plugins check storage:acme_store" in result.stdout


def test_the_default_model_is_the_one_on_this_machine(here: Path) -> None:
    CliRunner().invoke(cli, ["create", "notes", "--yes"])
    assert 'use = "smollm"' in (here / "notes" / "sre.toml").read_text()
    assert '"sre-smollm"' in (here / "notes" / "pyproject.toml").read_text()


def test_a_model_of_a_connector_is_written_as_both(here: Path) -> None:
    CliRunner().invoke(cli, ["create", "notes", "--model", "openai/gpt-5-mini"])
    settings = (here / "notes" / "sre.toml").read_text()
    assert 'use = "openai"' in settings
    assert 'model = "gpt-5-mini"' in settings


def test_without_a_terminal_the_name_must_be_given(here: Path) -> None:
    result = CliRunner().invoke(cli, ["create"])
    assert result.exit_code == 2
    assert "Missing argument 'NAME'" in result.stderr


@pytest.mark.parametrize("arguments", [["create", "1st"], ["create", "notes", "--model", 'x"\n[evil]']])
def test_what_cannot_be_a_name_or_a_model_is_refused_before_anything_is_written(
    here: Path, arguments: list[str]
) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 3
    assert "Error: illegal" in result.stderr
    assert "Hint: " in result.stderr
    assert list(here.iterdir()) == []


def test_an_unknown_template_is_a_wrong_usage(here: Path) -> None:
    result = CliRunner().invoke(cli, ["create", "notes", "--template", "rocket"])
    assert result.exit_code == 2
    assert "'agent', 'plugin'" in result.stderr


def test_an_existing_project_is_never_overwritten(here: Path) -> None:
    first = CliRunner().invoke(cli, ["create", "notes", "--model", "echo"])
    (here / "notes" / "agent.py").write_text("mine")
    second = CliRunner().invoke(cli, ["create", "notes", "--model", "echo"])
    assert (first.exit_code, second.exit_code) == (0, 3)
    assert "not empty; nothing was written" in second.stderr
    assert (here / "notes" / "agent.py").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said_in_one_line(here: Path) -> None:
    (here / "file").write_text("")
    result = CliRunner().invoke(cli, ["create", "notes", "--path", "file/notes"])
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert "file" in result.stderr


def test_a_model_for_a_plugin_is_a_wrong_usage(here: Path) -> None:
    result = CliRunner().invoke(cli, ["create", "acme", "--template", "plugin", "--model", "echo"])
    assert result.exit_code == 2
    assert list(here.iterdir()) == []


def test_the_next_steps_can_be_pasted(here: Path) -> None:
    result = CliRunner().invoke(cli, ["create", "notes", "--path", "my notes", "--model", "echo"])
    assert "  cd 'my notes'\n" in result.stdout
