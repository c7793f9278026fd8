"""`sre doctor` looks at everything, names what does not work, and shows no secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sre_cli.main import cli


def doctor(*arguments: str) -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
    result = CliRunner().invoke(cli, ["doctor", "--json", *arguments])
    assert result.stdout, result.output
    findings = {(found["area"], found["name"]): found for found in json.loads(result.stdout)}
    return result.exit_code, findings


@pytest.fixture(autouse=True)
def _no_plugins(project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write("[plugins]\nonly = []\n")


def test_all_is_well(project: Path) -> None:
    code, findings = doctor()
    assert code == 0, findings
    assert findings["system", "configuration"]["detail"] == str(project / "sre.toml")
    assert findings["system", "data folder"]["detail"] == str(project / ".sre")
    assert "answered in" in findings["connector", "llm:default"]["detail"]
    assert findings["models", "llm:default"]["detail"] == "echo"
    assert {area for area, _ in findings} == {"system", "plugin", "connector", "models"}


def test_people_read_lines_and_a_verdict(project: Path) -> None:
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "ok    connector storage:default: local, answered in" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("checks passed.")


def test_a_connector_that_is_not_installed_is_found(project: Path) -> None:
    with (project / "sre.toml").open("a") as settings:
        settings.write('[connectors.storage.far]\nuse = "s3"\n')
    code, findings = doctor()
    assert code == 5
    assert not findings["connector", "storage:far"]["ok"]
    assert findings["connector", "storage:far"]["hint"] == "pip install sre-aws"
    assert findings["connector", "storage:default"]["ok"]


def test_a_connector_that_does_not_work_is_found(project: Path) -> None:
    (project / "file").write_text("")
    with (project / "sre.toml").open("a") as settings:
        settings.write('[connectors.storage.bad]\nuse = "local"\nfolder = "file/below"\n')
    code, findings = doctor()
    assert code == 5
    assert not findings["connector", "storage:bad"]["ok"]
    assert "FAIL" in CliRunner().invoke(cli, ["doctor"]).stdout


def test_a_plugin_that_failed_is_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRE_PLUGINS", "absent")
    code, findings = doctor()
    assert code == 5
    assert not findings["plugin", "absent"]["ok"]


def test_the_source_of_each_key_is_told_and_its_value_never(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (project / "sre.toml").read_text().replace('use = "file"', 'use = "local"')
    text += '[connectors.vault.a]\nuse = "file"\npassphrase = { vault = "first" }\n'
    text += '[connectors.storage.b]\nuse = "s3"\nkey = { vault = "second" }\ntoken = { vault = "third" }\n'
    (project / "sre.toml").write_text(text)
    monkeypatch.setenv("FIRST_API_KEY", "sk-4711")
    kept = CliRunner().invoke(cli, ["vault", "set", "second"], input="sk-4712")
    assert kept.exit_code == 0, kept.output
    code, findings = doctor()
    assert code == 5
    keys = {name: (found["ok"], found["detail"]) for (area, name), found in findings.items() if area == "key"}
    assert keys["vault:a passphrase"] == (True, "'first' comes from the environment")
    assert keys["storage:b key"] == (True, "'second' comes from the vault file")
    assert keys["storage:b token"][0] is False
    assert "'third'" in keys["storage:b token"][1]
    output = CliRunner().invoke(cli, ["doctor"]).output + json.dumps(list(findings.values()))
    assert "sk-47" not in output


@pytest.fixture
def install(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a plugin whose model has these methods, and makes it the default."""

    def install(*methods: str) -> None:
        body = "\n".join(f"    {line}" for method in methods for line in method.splitlines())
        (project / "odd_plugin.py").write_text(
            "import asyncio\nfrom sre_core.errors import UnavailableError\nfrom sre_core.hookspecs import hookimpl\n"
            "from sre_core.testing.scripted import ScriptedLLM\n\n"
            "class Odd(ScriptedLLM):\n    'A model.'\n    name = 'odd'\n\n"
            f"    def __init__(self, settings):\n        super().__init__('hi')\n\n{body}\n\n"
            "@hookimpl\ndef register_connectors():\n    return [Odd]\n"
        )
        info = project / "odd-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[sre]\nodd = odd_plugin\n")
        monkeypatch.syspath_prepend(project)
        monkeypatch.setenv("SRE_PLUGINS", "odd")
        monkeypatch.setenv("SRE_CONNECTORS__LLM__DEFAULT__USE", "odd")

    return install


HANGS = "async def start(self):\n    await asyncio.Event().wait()\n"
TELLS = "async def describe(self):\n    return {'region': 'north', 'cache': 'empty'}\n"
FAILS = "async def describe(self):\n    raise UnavailableError('nobody knows', hint='ask again')\n"


def test_a_connector_that_hangs_is_given_up(install: Callable[..., None]) -> None:
    install(HANGS)
    code, findings = doctor("--timeout", "0.2")
    assert code == 5
    assert findings["connector", "llm:default"]["detail"] == "no answer within 0.2 s"
    assert findings["connector", "storage:default"]["ok"]


def test_what_a_connector_tells_of_itself_is_shown(install: Callable[..., None]) -> None:
    install(TELLS)
    code, findings = doctor()
    assert code == 0, findings
    assert findings["connector", "llm:default region"]["detail"] == "north"
    assert findings["connector", "llm:default cache"]["ok"]
    assert "ok    connector llm:default region: north" in CliRunner().invoke(cli, ["doctor"]).stdout


def test_a_connector_tells_of_itself_also_when_it_does_not_start(install: Callable[..., None]) -> None:
    install(HANGS, TELLS)
    code, findings = doctor("--timeout", "0.2")
    assert code == 5
    assert findings["connector", "llm:default region"]["detail"] == "north"


def test_a_connector_that_cannot_tell_of_itself_is_found(install: Callable[..., None]) -> None:
    install(FAILS)
    code, findings = doctor()
    assert code == 5
    assert findings["connector", "llm:default"]["ok"]
    found = findings["connector", "llm:default details"]
    assert (found["ok"], found["detail"], found["hint"]) == (False, "nobody knows", "ask again")


def test_what_was_said_of_a_start_is_not_said_again(install: Callable[..., None]) -> None:
    install(HANGS, FAILS)
    _, findings = doctor("--timeout", "0.2")
    assert ("connector", "llm:default details") not in findings
