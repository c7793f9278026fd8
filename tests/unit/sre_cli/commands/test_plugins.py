"""`sre plugins` lists what is installed, names what is broken, and checks connectors against the rules."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sre_cli.main import cli
from tests.unit.sre_core.installed import HEADER, Installer


@pytest.fixture
def installer(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installer]:
    installer = Installer(tmp_path_factory.mktemp("installed"), monkeypatch)
    yield installer
    installer.forget()


def only(project: Path, *names: str) -> None:
    """Let no other plugin in, whatever is installed where the tests run."""
    with (project / "sre.toml").open("a") as settings:
        settings.write(f"[plugins]\nonly = {json.dumps(names)}\n")


@pytest.mark.parametrize("command", [["plugins"], ["plugins", "list"]])
def test_plugins_are_listed_with_what_they_offer(installer: Installer, project: Path, command: list[str]) -> None:
    installer.good("good", connector="shelf")
    only(project, "good")
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["good", "1.2.3", "cache:shelf"] in lines
    assert any(line[0] == "builtin" for line in lines)


def test_a_broken_plugin_is_listed_with_its_problem_and_fails_only_a_strict_list(
    installer: Installer, project: Path
) -> None:
    installer.install("broken", "raise RuntimeError('boom')")
    only(project, "broken")
    result = CliRunner().invoke(cli, ["plugins", "list"])
    assert result.exit_code == 0
    assert "boom" in result.stdout
    assert CliRunner().invoke(cli, ["plugins", "list", "--strict"]).exit_code == 3


def test_a_sound_list_passes_strictly(installer: Installer, project: Path) -> None:
    installer.good("good")
    only(project, "good")
    assert CliRunner().invoke(cli, ["plugins", "list", "--strict"]).exit_code == 0


def test_json_has_the_same_facts(installer: Installer, project: Path) -> None:
    installer.good("good", connector="shelf")
    installer.install("broken", "raise RuntimeError('boom')")
    only(project, "good", "broken")
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(cli, ["plugins", "list", "--json"]).stdout)}
    assert rows["good"] == {"name": "good", "version": "1.2.3", "offers": ["cache:shelf"], "error": None}
    assert "boom" in rows["broken"]["error"]


def test_a_plugin_that_raises_while_it_adds_commands_is_named(installer: Installer, project: Path) -> None:
    installer.install("bad", f"{HEADER}\n@hookimpl\ndef register_commands(cli):\n    raise RuntimeError('boom')\n")
    only(project, "bad")
    result = CliRunner().invoke(cli, ["plugins", "list", "--strict"])
    assert result.exit_code == 3
    assert "register_commands" in result.stdout


def test_a_connector_that_keeps_the_rules_is_told_so(project: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "check", "cache:memory"])
    assert result.exit_code == 0, result.output
    assert "ok    it starts works and stops" in result.stdout
    assert "cache:memory keeps all" in result.stdout


def test_a_connector_that_breaks_a_rule_fails_with_the_rule(installer: Installer, project: Path) -> None:
    # Says that it is healthy, and forgets what it is told to keep.
    installer.good("acme")
    only(project, "acme")
    result = CliRunner().invoke(cli, ["plugins", "check", "cache:acme", "--json"])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert not report["ok"]
    assert report["failed"]
    assert report["passed"]
    shown = CliRunner().invoke(cli, ["plugins", "check", "cache:acme"])
    assert shown.exit_code == 1
    assert f"FAIL  {report['failed'][0]['rule']}" in shown.stdout
    assert "cache:acme breaks" in shown.stdout


def test_a_configured_connector_is_checked_with_its_settings(project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write('[connectors.cache.here]\nuse = "sqlite"\npath = "here.db"\n')
    result = CliRunner().invoke(cli, ["plugins", "check", "cache:here"])
    assert result.exit_code == 0, result.output
    assert (project / "here.db").is_file()


def test_settings_can_be_given_for_the_check(project: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "check", "cache:sqlite", "--setting", "path=elsewhere.db"])
    assert result.exit_code == 0, result.output
    assert (project / "elsewhere.db").is_file()


def test_a_wrong_setting_is_named(project: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "check", "cache:memory", "--setting", "max_entriez=3"])
    assert result.exit_code == 3
    assert "did you mean 'max_entries'?" in result.stderr


def test_an_unknown_connector_is_named(project: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "check", "storage:nowhere"])
    assert result.exit_code == 3
    assert "'nowhere'" in result.stderr


@pytest.mark.parametrize("subject", ["acme", "rocket:acme", "storage:", ""])
def test_a_subject_without_a_service_is_a_wrong_usage(project: Path, subject: str) -> None:
    result = CliRunner().invoke(cli, ["plugins", "check", subject])
    assert result.exit_code == 2
    assert "SERVICE:CONNECTOR" in result.stderr


def test_a_setting_without_a_value_is_a_wrong_usage(project: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "check", "cache:memory", "--setting", "size"])
    assert result.exit_code == 2
    assert "KEY=VALUE" in result.stderr


def test_new_starts_a_plugin(project: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "new", "acme"])
    assert result.exit_code == 0, result.output
    assert (project / "acme" / "acme" / "connector.py").is_file()
