"""`sre models` shows what the catalogue knows, what it costs and where it is served, and no secret."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sre_cli.main import cli

MORE = """
model_files = ["models.json"]

[plugins]
only = []

[connectors.llm.desk]
use = "echo"

[models."acme/parrot"]
connector = "echo"
label = "A parrot"
model = "echo"
aliases = ["fast"]
context_tokens = 128000
features = ["tools", "images"]
input_price = 0.25
output_price = 2.0
params = { temperature = 0.2 }

[models."far/keyed"]
connector = "absent"
settings = { url = "http://desk", key = "sk-4711", other_key = { vault = "acme" } }

[models."acme/off"]
connector = "echo"
enabled = false

[models."desk/big"]
aliases = ["acme/off", "twice"]

[models."desk/*"]

[models."desk/small"]
aliases = ["twice"]
"""

FILE = {"gemma": {"provider": "Echo", "modelId": "echo", "tags": ["mine"]}}


@pytest.fixture
def catalogue(project: Path) -> Path:
    """The project, with models of its own and no plugin."""
    settings = project / "sre.toml"
    settings.write_text(MORE + settings.read_text())
    (project / "models.json").write_text(json.dumps(FILE))
    return project


def sre(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["models", *arguments])


def listed(*arguments: str) -> dict[str, Any]:
    result = sre("list", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return {entry["id"]: entry for entry in json.loads(result.stdout)}


def shown(name: str) -> dict[str, str]:
    result = sre("show", name)
    assert result.exit_code == 0, result.output
    head, *lines = result.stdout.splitlines()
    return {"id": head, **{line[2:18].strip(): line[18:] for line in lines}}


def test_every_model_has_a_line_with_its_limits_prices_and_place(catalogue: Path) -> None:
    head, *lines = sre("list").stdout.splitlines()
    assert head.split("  ")[0] == "MODEL"
    assert [line.split()[0] for line in lines] == [
        *("acme/off", "acme/parrot", "desk/*", "desk/big", "desk/small"),
        *("echo/echo", "echo/gemma", "far/keyed"),
    ]
    parrot = next(line for line in lines if line.startswith("acme/parrot"))
    assert parrot.split()[1:] == ["128,000", "0.25", "2", "images,", "tools", "acme,", "on", "first", "use"]


def test_without_a_command_the_models_are_listed(catalogue: Path) -> None:
    assert sre().stdout == sre("list").stdout


def test_a_list_can_be_narrowed(catalogue: Path) -> None:
    assert set(listed("--provider", "desk")) == {"desk/*", "desk/big", "desk/small"}
    assert set(listed("--feature", "tools", "--feature", "images")) == {"acme/parrot"}
    assert listed("--feature", "images", "--provider", "desk") == {}


def test_a_provider_without_models_is_named_with_those_that_have_some(catalogue: Path) -> None:
    result = sre("list", "--provider", "acmee")
    assert result.exit_code == 2
    assert "No models of 'acmee'; providers are: acme, desk, echo, far." in result.stderr


def test_programs_get_the_same_facts(catalogue: Path) -> None:
    entry = listed()["acme/parrot"]
    expected = {
        "name": "echo",
        "label": "A parrot",
        "aliases": ["fast"],
        "context_tokens": 128000,
        "output_tokens": None,
        "input_price": 0.25,
        "cached_price": None,
        "features": ["images", "tools"],
        "params": {"temperature": 0.2},
        "sources": [str(catalogue / "sre.toml")],
    }
    assert {name: entry[name] for name in expected} == expected


def test_where_a_model_is_served_is_said(catalogue: Path) -> None:
    entries = listed()
    states = {id_: (entry["served_by"]["id"], entry["served_by"]["state"]) for id_, entry in entries.items()}
    assert states == {
        "far/keyed": ("far", "not installed"),
        "acme/off": ("acme", "not enabled"),
        "acme/parrot": ("acme", "on first use"),
        "desk/*": ("desk", "configured"),
        "desk/big": ("desk", "configured"),
        "desk/small": ("desk", "configured"),
        "echo/echo": ("default", "configured"),
        "echo/gemma": ("default", "configured"),
    }


def test_clashes_of_aliases_are_reported_beside_the_list(catalogue: Path) -> None:
    result = sre("list")
    assert "Alias 'twice' is wanted by desk/big, desk/small: it names none of them." in result.stderr
    assert "Alias 'acme/off' is wanted by acme/off, desk/big: it is that of acme/off." in result.stderr


def test_a_model_of_a_plugin_whose_id_was_given_to_another_one_is_said_to_be_hidden(catalogue: Path) -> None:
    with (catalogue / "sre.toml").open("a") as settings:
        settings.write('[models."desk/parrot"]\naliases = ["echo/echo"]\n')
    assert listed()["echo/echo"]["served_by"]["state"] == "hidden by an alias"
    assert shown("echo/echo")["id"] == "desk/parrot"
    assert "Alias 'echo/echo' is wanted by desk/parrot, echo/echo: it is that of desk/parrot." in sre("list").stderr


def test_one_model_is_shown_with_all_that_is_known(catalogue: Path) -> None:
    facts = shown("fast")
    assert facts == {
        "id": "acme/parrot",
        "label": "A parrot",
        "aliases": "fast",
        "context": "128,000 tokens",
        "input costs": "$0.25 per million tokens",
        "output costs": "$2 per million tokens",
        "features": "images, tools",
        "parameters": "temperature = 0.2",
        "asked for as": "echo, which the guard knows as llm/echo",
        "served by": "llm:acme (echo), on first use",
        "known from": str(catalogue / "sre.toml"),
    }


def test_a_model_of_a_file_is_shown_with_what_was_not_used_of_it(catalogue: Path) -> None:
    facts = shown("gemma")
    assert (facts["known from"], facts["note"]) == (str(catalogue / "models.json"), "not used: tags")


def test_a_secret_that_is_needed_is_looked_up_and_not_shown(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = shown("far/keyed")
    assert facts["secret acme"].startswith("not set: ")
    assert facts["settings"] == "url = ***, key = ***, other_key = vault 'acme'"
    CliRunner().invoke(cli, ["vault", "set", "acme"], input="sk-4712")
    assert shown("far/keyed")["secret acme"] == "set"
    everything = sre("show", "far/keyed", "--json").output + sre("list", "--json").output + sre("list").output
    everything += CliRunner().invoke(cli, ["config"]).output
    assert "sk-4711" not in everything
    assert "sk-4712" not in everything
    assert json.loads(sre("show", "far/keyed", "--json").stdout)["secrets"] == {"acme": "set"}


def test_what_a_fact_is_called_and_the_fact_are_apart_however_long_the_name_is(catalogue: Path) -> None:
    with (catalogue / "sre.toml").open("a") as settings:
        settings.write('[models."far/long"]\nsettings = { key = { vault = "a-long-name" } }\n')
    lines = sre("show", "far/long").stdout.splitlines()
    assert "  secret a-long-name  not set: " in "\n".join(lines)
    assert "  known from          " in "\n".join(lines)


def test_a_typo_is_answered_with_near_names(catalogue: Path) -> None:
    result = sre("show", "acme/parot")
    assert result.exit_code == 5
    assert "the catalogue has no model 'acme/parot'" in result.stderr
    assert "did you mean 'acme/parrot'" in result.stderr


def test_an_ambiguous_alias_is_refused_with_both(catalogue: Path) -> None:
    result = sre("show", "twice")
    assert result.exit_code == 3
    assert "desk/big, desk/small" in result.stderr


def test_a_wrong_file_is_named(catalogue: Path) -> None:
    (catalogue / "models.json").write_text('{"gemma": {"modelId": 5}}')
    result = sre("list")
    assert result.exit_code == 3
    assert "bad value for 'modelId' of model 'gemma'" in result.stderr


def test_a_prompt_is_answered_by_a_model_of_the_catalogue(catalogue: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "agent.py", "hello there", "--model", "fast"])
    assert (result.exit_code, result.stdout) == (0, "hello there\n")
