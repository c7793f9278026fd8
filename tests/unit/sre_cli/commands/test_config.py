"""`sre config` shows what is in force and where it comes from, without secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sre_cli.main import cli


def values() -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["config", "--json"])
    assert result.exit_code == 0, result.output
    shown: dict[str, Any] = json.loads(result.stdout)["values"]
    return shown


def test_every_value_knows_its_source(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRE_MODEL", "loud")
    shown = values()
    assert shown["model"] == {"value": "loud", "source": "SRE_MODEL"}
    assert shown["connectors.llm.default.use"] == {"value": "echo", "source": str(project / "sre.toml")}
    assert shown["connectors.storage.default.use"]["source"] == "default"
    assert shown["timeouts.start"]["source"] == "default"


def test_the_table_has_a_line_for_each_value(project: Path) -> None:
    result = CliRunner().invoke(cli, ["config"])
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["connectors.llm.default.use", "echo", str(project / "sre.toml")] in lines
    assert str(project / ".sre") in result.stdout


def test_secrets_are_masked_and_references_are_not(project: Path) -> None:
    (project / "sre.toml").write_text(
        '[connectors.vault.default]\nuse = "file"\npassphrase = "hush"\npath = "v"\n'
        '[connectors.llm.other]\nuse = "notinstalled"\napi_key = "hush"\nsize = 3\nkey = { vault = "openai" }\n'
    )
    text = CliRunner().invoke(cli, ["config"]).output + CliRunner().invoke(cli, ["config", "--json"]).output
    assert "hush" not in text
    shown = values()
    assert shown["connectors.vault.default.passphrase"]["value"] == "***"
    assert shown["connectors.vault.default.path"]["value"] == "v"
    assert shown["connectors.llm.other.api_key"]["value"] == "***"
    assert shown["connectors.llm.other.size"]["value"] == 3
    assert shown["connectors.llm.other.key"]["value"] == {"vault": "openai"}


def test_a_wrong_file_is_named(project: Path) -> None:
    (project / "sre.toml").write_text("model = \n")
    result = CliRunner().invoke(cli, ["config"])
    assert result.exit_code == 3
    assert str(project / "sre.toml") in result.stderr
