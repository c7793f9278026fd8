"""Every component of SmythOS is there, says what it does, and costs nothing until it is used."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from sre_core.components import Component
from sre_core.components.library import LIBRARY, builtin_components
from sre_core.plugins import Plugins
from sre_core.providers import COMPONENT_PROVIDERS

ROOT = Path(__file__).parents[2]
FOLDERS = [path.parent.name.removeprefix("sre-") for path in ROOT.glob("plugins/*/pyproject.toml")]
PLUGINS = Plugins.load(only=FOLDERS)
KINDS = [*builtin_components(), *PLUGINS.components.values()]

# The registry of SmythOS, all of its 51 names.
SMYTHOS = """
Component Note APIEndpoint APIOutput PromptGenerator LLMPrompt APICall VisionLLM FSleep FHash FEncDec FSign FTimestamp
DataSourceLookup DataSourceIndexer DataSourceCleaner JSONFilter LogicAND LogicOR LogicXOR LogicAtLeast LogicAtMost
AgentPlugin LLMAssistant Async Await ForEach HuggingFace ZapierAction GPTPlugin Classifier MultimodalLLM GenAILLM
FileStore WebSearch WebScrape TavilyWebSearch ScrapflyWebScrape ComponentHost ServerlessCode ImageGenerator MCPClient
OpenAPI ECMASandbox MemoryWriteKeyVal MemoryReadKeyVal MemoryDeleteKeyVal MemoryWriteObject GmailTrigger WhatsAppTrigger
JobSchedulerTrigger
""".split()  # noqa: SIM905 -- a table to read


@pytest.mark.parametrize("name", SMYTHOS)
def test_a_component_of_smythos_is_there(name):
    found = PLUGINS.component(name)
    assert name in {found.name, *found.aliases}


def test_the_registry_of_smythos_is_complete():
    assert len(set(SMYTHOS)) == 51


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_library_knows_a_component_by_its_own_names(name):
    found = PLUGINS.component(name)
    assert name in {found.name, *found.aliases}
    assert {found.name, *found.aliases} <= LIBRARY.keys()


@pytest.mark.parametrize(("name", "package"), COMPONENT_PROVIDERS.items())
def test_a_package_brings_what_it_is_named_for(name, package):
    assert PLUGINS.component(name).__module__.split(".")[0].replace("_", "-") == package


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_component_and_each_of_its_settings_say_what_they_are(kind):
    assert kind.__doc__ != Component.__doc__
    assert inspect.cleandoc(kind.__doc__ or "")
    missing = [name for name, field in kind.settings_type.model_fields.items() if not field.description]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_editor_gets_a_schema_of_the_settings(kind):
    assert kind.settings_type.model_json_schema()["type"] == "object"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_names_of_ports_are_distinct(kind):
    for ports in (kind.inputs, kind.outputs):
        assert len({port.name for port in ports}) == len(ports)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_component_has_a_file_of_its_own(kind):
    siblings = [other for other in KINDS if other.__module__ == kind.__module__]
    assert siblings == [kind]


def test_importing_all_components_imports_nothing_heavy():
    heavy = (
        *("aiohttp", "torch", "numpy", "boto3", "botocore", "oauthlib", "pypdf", "docx", "lxml", "trafilatura", "mcp"),
        *("yaml", "dateutil", "pyjson5", "json_repair", "filetype", "quickjs", "tree_sitter", "cronsim"),
        "pydantic_monty",
    )
    code = (
        "import sys; from sre_core.components.library import builtin_components; list(builtin_components());"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
