"""Names of models lead where they were meant to, configured connectors first, and nothing is guessed."""

from pathlib import Path
from typing import Any

import pytest

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.config import Config, load
from sre_core.connectors import LLMRequest, Settings
from sre_core.connectors.model_choice import ModelChoice, ModelChooser
from sre_core.errors import ConfigError
from sre_core.messages import Usage
from sre_core.models import Catalogue, Given, ModelEntry

GROQ = {"preset": "groq", "key": {"vault": "groq"}}

ENTRIES = (
    ModelEntry(id="openai/gpt-5-mini", connector="openai", settings={"key": {"vault": "openai"}}, aliases=("mini",)),
    ModelEntry(id="groq/gpt-oss", connector="openai", settings=GROQ, aliases=("oss",)),
    ModelEntry(id="groq/openai/gpt-oss-20b", connector="openai", settings=GROQ),
    ModelEntry(id="ollama/*", connector="openai", settings={"preset": "ollama"}),
    ModelEntry(id="anthropic/sonnet-5", connector="anthropic", aliases=("sonnet",)),
    ModelEntry(id="bedrock/sonnet", connector="bedrock", aliases=("sonnet",)),
    ModelEntry(id="acme/x", connector="acme", settings={"url": 1}),
    ModelEntry(id="acme/y", connector="acme", settings={"url": 2}),
    ModelEntry(id="openai/gone", connector="openai", settings={"key": {"vault": "openai"}}, enabled=False),
)


class InstalledSettings(Settings):
    backend: str = "usual"


class Installed(EchoLLM):
    settings_type = InstalledSettings


def chooser(
    *given: Given, installed: tuple[str, ...] = ("openai", "anthropic", "smollm", "echo"), **connectors: Any
) -> ModelChooser:
    """With the connectors `connectors`, of which `default` is smollm if it is not among them."""
    config = load(Path("/"), {}, {"connectors": {"llm": connectors}} if connectors else {}).config
    return chooser_of(config, *given, installed=installed)


def chooser_of(config: Config, *given: Given, installed: tuple[str, ...]) -> ModelChooser:
    classes = {id_: entry.use for id_, entry in config.connectors["llm"].items()}
    catalogue = Catalogue([(entry, "p") for entry in ENTRIES], given, connectors=classes)
    return ModelChooser(config, catalogue, lambda name: Installed if name in installed else None)


def given(id_: str, **values: Any) -> Given:
    return Given(id=id_, values=values, source="sre.toml")


def lead(choice: ModelChoice) -> tuple[str, str | None]:
    return choice.connector, choice.model


WITHOUT_CONFIGURATION = [
    ("default", ("default", None)),
    ("groq/gpt-oss", ("groq", "gpt-oss")),
    ("groq/oss", ("groq", "gpt-oss")),
    ("groq/new-model", ("groq", "new-model")),
    ("oss", ("groq", "gpt-oss")),
    ("mini", ("openai", "gpt-5-mini")),
    ("ollama/llama3:8b", ("ollama", "llama3:8b")),
    ("openai/ft:gpt:acme", ("openai", "ft:gpt:acme")),
    ("acme/y", ("acme/y", "y")),
    ("echo", ("echo", None)),
    ("openai", ("openai", None)),
    # No alias, no prefix: a model of the default connector, however well the catalogue knows the name.
    ("gpt-oss", ("default", "gpt-oss")),
    ("groq", ("default", "groq")),
    ("smollm/smollm3", ("default", "smollm3")),
    ("vendor/x", ("default", "vendor/x")),
]


@pytest.mark.parametrize(("name", "expected"), WITHOUT_CONFIGURATION)
def test_without_a_configuration_the_catalogue_says_where_a_model_is(
    name: str, expected: tuple[str, str | None]
) -> None:
    assert lead(chooser().choose(name)) == expected


WITH_CONNECTORS = [
    ("groq/gpt-oss", ("groq", "gpt-oss")),
    ("openai/gpt-5-mini", ("openai", "gpt-5-mini")),
    ("oss", ("default", "oss")),
    ("mini", ("default", "mini")),
    ("sonnet", ("default", "sonnet")),
    ("anthropic/sonnet", ("anthropic", "sonnet-5")),
    ("fast", ("fast", None)),
    ("fast/oss", ("fast", "gpt-oss")),
    ("default/groq/gpt-oss", ("default", "groq/gpt-oss")),
    ("vllm/some", ("default", "some")),
]


@pytest.mark.parametrize(("name", "expected"), WITH_CONNECTORS)
def test_configured_connectors_come_first_and_plugins_aliases_take_no_name_from_them(
    name: str, expected: tuple[str, str | None]
) -> None:
    made = chooser(
        default={"use": "vllm"}, fast={"use": "openai", "preset": "groq"}, groq={"use": "openai", "url": "http://x"}
    )
    assert lead(made.choose(name)) == expected


def test_a_default_connector_that_leads_to_the_provider_serves_its_models_and_knows_their_aliases() -> None:
    made = chooser(default={"use": "openai", "preset": "groq"})
    for name in ("groq/gpt-oss", "groq/oss", "oss", "gpt-oss", "default/oss"):
        choice = made.choose(name)
        assert lead(choice) == ("default", "gpt-oss")
        assert choice.entry == ENTRIES[1]


def test_a_name_that_the_default_connector_is_known_to_have_is_not_split() -> None:
    choice = chooser(default={"use": "openai", "preset": "groq"}).choose("openai/gpt-oss-20b")
    assert lead(choice) == ("default", "openai/gpt-oss-20b")
    assert choice.entry is not None


def test_a_default_connector_that_leads_elsewhere_than_it_is_called_is_not_taken_for_that_provider() -> None:
    made = chooser(default={"use": "openai", "preset": "groq"})
    assert lead(made.choose("openai/gpt-5-mini")) == ("openai", "gpt-5-mini")
    assert lead(made.choose("openai")) == ("default", None)
    with pytest.raises(ConfigError, match="which one is meant by 'openai/llama'") as raised:
        made.choose("openai/llama")
    assert raised.value.hint == "say 'default/llama', or configure [connectors.llm.openai] for 'openai' itself"


def test_a_connector_with_the_address_of_ones_own_server_is_meant_by_its_name() -> None:
    made = chooser(default={"use": "openai", "url": "http://desk"})
    assert lead(made.choose("openai/gpt-5-mini")) == ("default", "gpt-5-mini")


def test_a_default_connector_to_another_server_is_not_taken_for_the_provider() -> None:
    made = chooser(default={"use": "openai", "url": "http://desk"})
    assert made.choose("gpt-5-mini") == ModelChoice(connector="default", model="gpt-5-mini")
    assert lead(made.choose("groq/gpt-oss")) == ("groq", "gpt-oss")


@pytest.mark.parametrize("usual", [{"preset": "openai"}, {"backend": "usual"}])
def test_to_spell_out_what_a_connector_assumes_says_nothing_more(usual: dict[str, str]) -> None:
    choice = chooser(default={"use": "openai", **usual}).choose("mini")
    assert lead(choice) == ("default", "gpt-5-mini")
    assert choice.entry == ENTRIES[0]


def test_the_users_alias_counts_whatever_the_default_connector_is() -> None:
    made = chooser(given("groq/gpt-oss", aliases=("fast",)), default={"use": "vllm"})
    assert lead(made.choose("fast")) == ("groq", "gpt-oss")
    assert lead(made.choose("oss")) == ("default", "oss")


def test_the_users_alias_leads_to_his_server_also_where_a_plugin_lists_a_model_of_that_id() -> None:
    desk = given("openai/gemma", settings={"url": "http://desk"}, aliases=("anthropic/sonnet-5",))
    assert lead(chooser(desk).choose("anthropic/sonnet-5")) == ("openai/gemma", "gemma")


def test_the_id_of_a_connector_comes_before_an_alias() -> None:
    made = chooser(given("groq/gpt-oss", aliases=("fast",)), fast={"use": "echo"})
    assert lead(made.choose("fast")) == ("fast", None)


def test_a_model_that_the_user_moved_is_looked_for_where_he_put_it() -> None:
    desk = given("openai/gemma", settings={"url": "http://desk"}, model="google/gemma", aliases=("gemma",))
    made = chooser(desk, openai={"use": "openai", "key": {"vault": "work"}}, default={"use": "openai"})
    assert lead(made.choose("openai/gemma")) == lead(made.choose("gemma")) == ("openai/gemma", "google/gemma")
    assert made.choose("openai/google/gemma") == ModelChoice(connector="openai", model="google/gemma")


def test_an_account_of_ones_own_is_used_for_all_models_of_its_provider() -> None:
    work = given("work/gpt", connector="openai", settings={"key": {"vault": "work"}}, model="gpt-5-mini")
    made = chooser(work, default={"use": "openai", "key": {"vault": "home"}})
    assert lead(made.choose("work/gpt")) == ("work", "gpt-5-mini")
    assert lead(made.choose("work/gpt-5")) == ("work", "gpt-5")
    assert lead(made.choose("gpt-5-mini")) == ("default", "gpt-5-mini")


def test_a_model_of_a_configured_connector_can_be_described() -> None:
    made = chooser(
        given("desk/big", model="llama-3.3-70b", aliases=("big",)), desk={"use": "openai", "url": "http://x"}
    )
    assert lead(made.choose("desk/big")) == lead(made.choose("big")) == ("desk", "llama-3.3-70b")


def test_the_model_in_a_connectors_settings_is_known_without_being_asked_for_by_name() -> None:
    choice = chooser(default={"use": "openai", "model": "gpt-5-mini"}).choose("default")
    assert choice == ModelChoice(connector="default", model=None, entry=ENTRIES[0])


def test_an_alias_of_two_plugins_is_refused_and_not_picked_from() -> None:
    with pytest.raises(ConfigError, match="alias 'sonnet'"):
        chooser().choose("sonnet")


@pytest.mark.parametrize("name", ["openai/gone"])
def test_a_model_that_is_not_enabled_is_refused(name: str) -> None:
    for made in (chooser(), chooser(openai={"use": "openai"}), chooser(default={"use": "openai"})):
        with pytest.raises(ConfigError, match="model 'openai/gone' is not enabled"):
            made.choose(name)


def test_of_a_provider_that_is_reached_in_two_ways_only_listed_models_are_served() -> None:
    with pytest.raises(ConfigError, match="reached in several ways, and 'z' is none"):
        chooser().choose("acme/z")


def test_a_known_provider_that_nothing_serves_is_no_model_of_the_default_connector() -> None:
    for installed, hint in ((("openai",), 'use = "openai"'), ((), "pip install sre-openai")):
        with pytest.raises(ConfigError, match="nothing here serves the models of 'azure'") as raised:
            chooser(default={"use": "vllm"}, installed=installed).choose("azure/mine")
        assert hint in (raised.value.hint or "")
        assert "default/azure/mine" in (raised.value.hint or "")


def test_a_config_made_by_hand_names_its_default_connector_too() -> None:
    config = Config.model_validate({"connectors": {"llm": {"default": {"use": "vllm"}}}})
    assert lead(chooser_of(config, installed=()).choose("mini")) == ("default", "mini")


REQUEST = LLMRequest(messages=(), temperature=0.9, options={"a": 1})


def test_parameters_of_the_entry_fill_what_a_request_leaves_open() -> None:
    params = {"temperature": 0.1, "max_tokens": 50, "stop": ("x",), "options": {"a": 2, "b": 3}, "model": "never"}
    filled = ModelChoice(connector="a", entry=ModelEntry(id="a/b", connector="a", params=params)).fill(REQUEST)
    assert filled == LLMRequest(messages=(), temperature=0.9, max_tokens=50, stop=("x",), options={"a": 1, "b": 3})


def test_a_request_without_an_entry_stays_as_it_is() -> None:
    assert ModelChoice(connector="a").fill(REQUEST) is REQUEST
    assert ModelChoice(connector="a").cost(Usage(input_tokens=1)) is None
