"""Plugins add commands, which can neither slow down the others nor take their place."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sre_cli.main import Root, cli
from tests.unit.sre_core.installed import Installer

COMMAND = """
import click
from sre_core.hookspecs import hookimpl

@hookimpl
def register_commands(cli):
    @cli.command("{name}")
    def command():
        "Say hello."
        click.echo("hello from the plugin")
"""


@pytest.fixture
def installer(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installer]:
    installer = Installer(tmp_path_factory.mktemp("installed"), monkeypatch)
    yield installer
    installer.forget()


@pytest.fixture
def sre() -> Root:
    """The command line as a new process has it: without what a plugin added before."""
    return Root("sre", entries=cli.entries, params=list(cli.params), callback=cli.callback)


def test_a_plugins_command_runs(installer: Installer, sre: Root) -> None:
    installer.install("greeter", COMMAND.format(name="greet"))
    result = CliRunner().invoke(sre, ["greet"])
    assert (result.exit_code, result.stdout) == (0, "hello from the plugin\n"), result.output


def test_a_plugins_command_cannot_take_the_place_of_ours(installer: Installer, sre: Root) -> None:
    installer.install("usurper", COMMAND.format(name="config"))
    CliRunner().invoke(sre, ["unknown"])
    assert "config" in sre.commands
    result = CliRunner().invoke(sre, ["config"])
    assert "hello from the plugin" not in result.stdout
    assert "SETTING" in result.stdout
    assert CliRunner().invoke(sre, ["--help"]).stdout.count("  config ") == 1


def test_a_plugin_that_raises_is_named_and_stops_nobody(installer: Installer, sre: Root) -> None:
    installer.install("bad", COMMAND.format(name="bad").replace("    @cli", "    raise RuntimeError('boom')\n    @cli"))
    installer.install("greeter", COMMAND.format(name="greet"))
    result = CliRunner().invoke(sre, ["greet"])
    assert (result.exit_code, result.stdout) == (0, "hello from the plugin\n"), result.output
    assert "bad" in result.stderr
    assert "boom" in result.stderr


def test_our_commands_do_not_wait_for_plugins(installer: Installer, sre: Root) -> None:
    installer.install("slow", "raise SystemExit('must not be loaded')")
    assert CliRunner().invoke(sre, ["--help"]).exit_code == 0
    assert CliRunner().invoke(sre, ["create", "--help"]).stderr == ""
