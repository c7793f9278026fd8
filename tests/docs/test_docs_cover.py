"""Everything that has a name has a place in the documentation."""

import dataclasses
import inspect
import re

import click
import pytest
from pydantic import BaseModel

import sre_sdk
from sre_cli.main import cli
from sre_core import connectors, errors, events, hookspecs
from sre_core.agents.limits import Limits
from sre_core.config import Config
from sre_core.connectors.base import Connector, Service
from sre_core.plugins import Plugins
from sre_core.skills import SkillContext
from tests.docs.pages import EXAMPLES, ROOT, pages, read, rows

HOOKS = [name for name in hookspecs.__all__ if hasattr(getattr(hookspecs, name), "sre_spec")]
HANDLES = {"llm": "LLM", "storage": "Storage", "vectors": "Vectors", "cache": "Cache", "vault": "Vault"}
FOLDERS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
OFFERED = Plugins.load(only=[name.removeprefix("sre-") for name in FOLDERS]).connectors


def headings(page):
    return re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)


def first_cells(page):
    return {row[0].strip("`").partition("(")[0] for row in rows(page)}


def config_keys():
    for name, field in Config.model_fields.items():
        kind = field.annotation
        nested = inspect.isclass(kind) and issubclass(kind, BaseModel)
        yield from [f"{name}.{inner}" for inner in kind.model_fields] if nested else [name]


def commands(command=cli, words=("sre",)):
    yield " ".join(words)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*words, name))


def methods(kind):
    own = inspect.getmembers(kind, inspect.isfunction)
    return {name for name, method in own if not name.startswith("_") and name in vars(kind) and name != "resource"}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_heading_and_its_arguments(name):
    assert name in headings("docs/hooks.md")
    arguments = inspect.signature(getattr(hookspecs, name)).parameters
    line = re.search(rf"^{name}\((.*)\) -> ", read("docs/hooks.md"), re.MULTILINE)
    assert line is not None
    assert re.findall(r"(\w+):", line[1]) == list(arguments)


@pytest.mark.parametrize("key", list(config_keys()))
def test_a_configuration_key_has_a_row(key):
    assert key in first_cells("docs/configuration.md")


@pytest.mark.parametrize("command", list(commands()))
def test_a_command_has_a_heading(command):
    assert command in headings("docs/cli.md")


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_has_a_row_with_its_code(name):
    codes = {row[1].strip("`"): row[0].strip("`") for row in rows("docs/errors.md")}
    assert codes[name] == getattr(errors, name).code


@pytest.mark.parametrize("kind", events.Event.__subclasses__(), ids=lambda kind: kind.__name__)
def test_an_event_has_a_row_with_its_fields(kind):
    found = {row[0].strip("`"): row for row in rows("docs/events.md")}[kind.type]
    own = {field.name for field in dataclasses.fields(kind)} - {
        field.name for field in dataclasses.fields(events.Event)
    }
    assert found[1] == f"`{kind.__name__}`"
    assert set(re.findall(r"`(\w+)`", found[2])) == own


@pytest.mark.parametrize("name", sre_sdk.__all__)
def test_a_public_name_of_the_sdk_has_a_row(name):
    assert name in first_cells("docs/agents.md")


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Limits)])
def test_a_limit_has_a_row(field):
    assert field in first_cells("docs/agents.md")


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(SkillContext)])
def test_a_field_of_the_context_of_skills_has_a_row(field):
    assert field in first_cells("docs/skills.md")


@pytest.mark.parametrize(("service", "name"), list(OFFERED), ids=str)
def test_a_connector_has_a_heading_its_settings_and_its_capabilities(service, name):
    kind = OFFERED[service, name]
    own = f"docs/connectors/{name}.md"
    if (ROOT / own).is_file() and not kind.__module__.startswith("sre_core."):
        part = read(own)
    else:
        page = f"docs/connectors/{service.value}.md"
        assert name in headings(page)
        part = read(page).partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert all(f"| `{field}` |" in part for field in kind.settings_type.model_fields)
    assert all(f"`{word}`" in part for word in kind.capabilities)
    assert f"`{name}`" in {row[1] for row in rows("README.md") if row[0] == service.value}


def test_the_readme_promises_no_connector_that_is_not_there():
    listed = {(row[0], row[1].strip("`")) for row in rows("README.md") if row[0] in list(Service)}
    assert listed == {(service.value, name) for service, name in OFFERED}


@pytest.mark.parametrize("service", list(Service))
def test_every_method_of_a_service_is_on_its_page(service):
    handle = getattr(connectors, HANDLES[service])
    contract = next(kind for kind in Connector.__subclasses__() if getattr(kind, "service", None) is service)
    missing = (methods(handle) | methods(contract)) - first_cells(f"docs/connectors/{service.value}.md")
    assert not missing


@pytest.mark.parametrize("fixture", ["sre_runtime", "sre_config", "make_broken", "self.folder", "Pause", "echo"])
def test_what_tests_use_is_on_the_page_about_testing(fixture):
    assert fixture in read("docs/testing.md")


def test_every_example_is_on_a_page():
    texts = "".join(page.read_text() for page in pages())
    assert [path.name for path in EXAMPLES.glob("*.py") if path.read_text().rstrip() not in texts] == []


def test_every_page_is_in_the_index():
    found = set(re.findall(r"\]\(([^)]+\.md)\)", read("docs/index.md")))
    assert found == {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")} - {
        "index.md"
    }


def test_every_plugin_of_the_repository_is_in_the_readme():
    assert [name for name in FOLDERS if name not in read("README.md")] == []


def test_every_example_program_is_listed():
    named = {row[0].strip("`") for row in rows("examples/README.md")}
    assert {path.name for path in (ROOT / "examples").glob("*.py")} <= named
