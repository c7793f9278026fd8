"""Presets, and where settings and presets lead: URLs, headers, capabilities, models."""

import typing
from typing import Any

import pytest
from pydantic import ValidationError

from sre_core.connectors.base import Service
from sre_core.errors import ConfigError
from sre_core.models import Catalogue
from sre_core.plugins import Plugins
from sre_core.testing.conformance.lifecycle import CAPABILITIES
from sre_openai import PRESETS, OpenAILLM, OpenAISettings
from sre_openai.credentials import headers_of
from sre_openai.endpoints import Endpoints
from sre_openai.models import model_entries
from sre_openai.settings import Capability, PresetName

AZURE = "https://acme.openai.azure.com"


def endpoints(**settings: Any) -> Endpoints:
    given = OpenAISettings(**settings)
    return Endpoints.of(given, PRESETS[given.preset or "compatible"])


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_is_whole(name: str):
    preset = PRESETS[name]
    assert preset.name == name
    assert preset.docs.startswith("https://")
    assert preset.capabilities <= set(typing.get_args(Capability))
    assert preset.url is None or not preset.url.endswith("/")
    assert preset.needs_key == (name not in {"ollama", "lmstudio", "vllm", "sglang", "llamacpp", "compatible"})
    if preset.needs_key and preset.url is not None:
        assert preset.url.startswith("https://")
        assert preset.model is not None
    if "image-generation" in preset.capabilities and name != "azure":
        assert preset.image_model is not None


def test_every_preset_can_be_set_and_every_capability_is_one_of_the_kernel():
    assert set(typing.get_args(PresetName)) == set(PRESETS)
    assert set(typing.get_args(Capability)) == OpenAILLM.capabilities
    assert OpenAILLM.capabilities <= CAPABILITIES[Service.LLM]


@pytest.mark.parametrize(
    ("settings", "path", "model", "url"),
    [
        ({"preset": "openai"}, "responses", "m", "https://api.openai.com/v1/responses"),
        ({"preset": "deepseek"}, "chat/completions", "m", "https://api.deepseek.com/chat/completions"),
        ({"url": "http://127.0.0.1:9/v1/"}, "models", None, "http://127.0.0.1:9/v1/models"),
        ({"preset": "groq", "url": "http://proxy/v1"}, "models", None, "http://proxy/v1/models"),
        ({"preset": "azure", "url": AZURE}, "responses", "m", f"{AZURE}/openai/v1/responses"),
        ({"preset": "azure", "url": f"{AZURE}/openai/v1/"}, "models", None, f"{AZURE}/openai/v1/models"),
        (
            {"preset": "azure", "url": AZURE, "api_version": "2024-10-21"},
            "chat/completions",
            "my deployment",
            f"{AZURE}/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21",
        ),
        (
            {"preset": "azure", "url": AZURE, "api_version": "2025-04-01-preview"},
            "responses",
            "m",
            f"{AZURE}/openai/responses?api-version=2025-04-01-preview",
        ),
        (
            {"preset": "azure", "url": AZURE, "api_version": "2024-10-21"},
            "models",
            None,
            f"{AZURE}/openai/models?api-version=2024-10-21",
        ),
    ],
)
def test_urls(settings: dict[str, Any], path: str, model: str | None, url: str):
    assert endpoints(**settings).url(path, model) == url


def test_errors_name_host_and_port():
    assert endpoints(url="http://host:8080/v1").place == "host:8080"
    assert endpoints(url="https://host/v1").place == "host"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://ada:secret@host:8080/v1", "holds credentials for host"),
        ("http://secret@host/v1", "holds credentials for host"),
        ("https://host/v1?key=secret", "goes on after its path"),
        ("https://host/v1#secret", "goes on after its path"),
        ("http:///v1", "names no host"),
        ("http://host:99999/v1", "names no host"),
        ("http://host:port/v1", "names no host"),
        ("http://[::1/v1", "names no host"),
        ("http://a..b/v1", "names no host"),
    ],
)
async def test_an_address_that_no_request_could_have_is_refused(url: str, says: str):
    connector = OpenAILLM(OpenAISettings(url=url))
    for step in (connector.start, connector.describe):
        with pytest.raises(ConfigError, match=says) as refused:
            await step()
        assert "secret" not in f"{refused.value} {refused.value.hint} {refused.value.__context__!r}"


@pytest.mark.parametrize("preset", ["azure", "compatible"])
def test_a_preset_without_an_address_needs_one(preset: str):
    with pytest.raises(ConfigError, match="needs a `url`"):
        endpoints(preset=preset)


def test_headers_show_the_key_as_the_server_wants_it():
    def headers(preset: str, **settings: Any) -> dict[str, str]:
        return headers_of(OpenAISettings(preset=preset, **settings), PRESETS[preset])

    assert (
        headers("openai", key="k", organization="o", project="p").items()
        >= {
            "Authorization": "Bearer k",
            "OpenAI-Organization": "o",
            "OpenAI-Project": "p",
        }.items()
    )
    assert headers("azure", key="k")["api-key"] == "k"
    assert "Authorization" not in headers("ollama")
    token = headers("azure", headers={"Authorization": "Bearer entra"})
    assert token["Authorization"] == "Bearer entra"
    assert "api-key" not in token


def test_a_key_is_asked_for_by_name():
    with pytest.raises(ConfigError, match="needs a `key`") as refused:
        headers_of(OpenAISettings(preset="groq"), PRESETS["groq"])
    assert 'key = { vault = "groq" }' in str(refused.value.hint)


@pytest.mark.parametrize("key", ["sk-broken\nline", "sk-ümlaut"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key: str):
    with pytest.raises(ConfigError, match="Authorization") as refused:
        headers_of(OpenAISettings(key=key), PRESETS["openai"])
    assert key not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize(
    "settings", [{"preset": "opnai"}, {"url": "ftp://host"}, {"timeout": 0}, {"capabilities": ["telepathy"]}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]):
    with pytest.raises(ValidationError):
        OpenAISettings(**settings)


@pytest.mark.parametrize(
    ("settings", "api"),
    [
        ({}, "Responses"),
        ({"url": "http://host/v1"}, "chat completions"),
        ({"preset": "groq"}, "chat completions"),
        ({"preset": "azure", "url": AZURE}, "Responses"),
        ({"preset": "azure", "url": AZURE, "api_version": "2024-10-21"}, "chat completions"),
        ({"preset": "openai", "api": "chat"}, "chat completions"),
    ],
)
async def test_the_api_is_the_one_that_works_best_there(settings: dict[str, Any], api: str):
    assert (await OpenAILLM(OpenAISettings(key="k", **settings)).describe())["api"] == api


async def test_it_describes_where_it_leads():
    described = await OpenAILLM(OpenAISettings(preset="groq", key="k")).describe()
    assert described == {
        "server": "Groq at api.groq.com",
        "api": "chat completions",
        "model": "openai/gpt-oss-120b",
    }
    local = await OpenAILLM(OpenAISettings(preset="vllm")).describe()
    assert local["model"] == "the first that the server lists"
    with pytest.raises(ConfigError, match="needs a `key`"):
        await OpenAILLM(OpenAISettings()).describe()


def test_each_connector_declares_what_its_own_server_can_do():
    assert OpenAILLM(OpenAISettings(preset="deepseek")).capabilities == {"tools", "reasoning"}
    assert "audio" in OpenAILLM(OpenAISettings(api="chat")).capabilities
    assert "audio" not in OpenAILLM(OpenAISettings(api="responses")).capabilities
    narrowed = OpenAISettings(preset="vllm", capabilities=["tools"])
    assert OpenAILLM(narrowed).capabilities == {"tools"}


def test_the_catalogue_reaches_its_models_through_this_plugin():
    entries = model_entries()
    providers = {entry.provider for entry in entries}
    assert providers >= {
        "openai",
        "groq",
        "perplexity",
        "xai",
        "together",
        "deepseek",
        "mistral",
        "openrouter",
        "ollama",
    }
    names = [name for entry in entries for name in (entry.id, *entry.aliases)]
    assert len(set(names)) == len(names)
    for entry in entries:
        settings = {name: value for name, value in entry.settings.items() if name != "key"}
        assert OpenAISettings(**settings).preset == entry.provider
        assert entry.features <= OpenAILLM.capabilities
        prices = [entry.input_price, entry.output_price, entry.cached_price, entry.cache_write_price]
        assert all(price is None or price >= 0 for price in prices)
        if entry.settings.get("key"):
            assert entry.settings["key"] == {"vault": entry.provider}
    for preset in PRESETS.values():
        if preset.needs_key and preset.model is not None and preset.name != "huggingface":
            assert f"{preset.name}/{preset.model}" in names


@pytest.mark.parametrize("provider", ["sglang", "llamacpp", "huggingface", "vllm", "ollama", "lmstudio"])
def test_models_whose_names_only_their_user_knows_are_reached_too(provider: str):
    route = Catalogue((entry, "openai") for entry in model_entries()).route_by_id(provider)
    assert route is not None
    assert route.settings == {"preset": provider} | (
        {"key": {"vault": provider}} if PRESETS[provider].needs_key else {}
    )


def test_the_runtime_finds_the_connector_and_its_models():
    plugins = Plugins.load(only=("openai",))
    assert OpenAILLM in plugins.connectors.values()
    assert any(entry.id == "openai/gpt-6.1-terra" for entry in plugins.models.values())
