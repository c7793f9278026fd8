"""What the plugins here say of models fits the connectors that serve them."""

import json

import pytest
from pydantic import SecretStr

from sre_core.access.resource import Resource
from sre_core.connectors.base import Service
from sre_core.models import Catalogue
from sre_core.models.smythos import read_model_files
from sre_core.plugins import Plugins
from sre_core.providers import MODEL_PROVIDERS
from sre_core.testing.conformance.lifecycle import CAPABILITIES
from tests.architecture.tree import ROOT

PLUGINS = Plugins.load(only=[path.parent.name.removeprefix("sre-") for path in ROOT.glob("plugins/*/pyproject.toml")])
ENTRIES = list(PLUGINS.models.values())


def resolved(value):
    return SecretStr("x") if isinstance(value, dict) and set(value) == {"vault"} else value


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_can_be_served(entry):
    kind = PLUGINS.connectors[Service.LLM, entry.connector]
    assert kind.settings_type.model_validate({key: resolved(value) for key, value in entry.settings.items()})
    assert Resource.parse(f"llm/{entry.name}")
    assert entry.features <= CAPABILITIES[Service.LLM], "not a capability word"
    assert kind.capabilities >= entry.features or entry.is_any


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_is_of_a_provider_that_is_known(entry):
    assert entry.provider in {*MODEL_PROVIDERS, "echo"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_numbers_of_an_entry_make_sense(entry):
    sizes = [size for size in (entry.context_tokens, entry.output_tokens) if size is not None]
    assert all(size > 0 for size in sizes)
    assert sizes == sorted(sizes, reverse=True), "a reply is no longer than its context"
    assert (entry.input_price is None) == (entry.output_price is None)
    if entry.cached_price is not None:
        assert entry.cached_price <= entry.input_price


def test_each_provider_is_reached_in_one_way():
    catalogue = Catalogue((entry, "p") for entry in ENTRIES)
    several = [provider for provider in catalogue.providers if catalogue.route_by_id(provider) is None]
    # Each of these has weights of its own to load.
    assert set(several) <= {"smollm"}


SMYTHOS = ["OpenAI", "Anthropic", "Bedrock", "Groq", "xAI", "Perplexity", "DeepSeek", "Ollama"]


@pytest.mark.parametrize("provider", SMYTHOS)
def test_a_model_of_a_model_file_is_reached_like_those_that_the_plugin_lists(provider, tmp_path):
    (tmp_path / "models.json").write_text(json.dumps({"mine": {"provider": provider, "modelId": "x"}}))
    catalogue = Catalogue([(entry, "p") for entry in ENTRIES], read_model_files([tmp_path]))
    found = catalogue.get("mine")
    assert not found.own_route, "a connector that is configured for the provider would not serve it"
    assert catalogue.route(found.entry).id == found.entry.provider
