"""Models: settings that become a request."""

import dataclasses

import pytest

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.config import Config
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError, NotFoundError
from sre_core.hookspecs import hookimpl
from sre_core.models import ModelEntry
from sre_core.plugins import Plugins
from sre_core.providers import MODEL_PROVIDERS
from sre_core.runtime import Runtime
from sre_sdk import Agent, Model
from sre_sdk.model import LocalProvider, ModelSettings, Provider


def test_a_model_without_settings_leaves_all_to_the_connector():
    assert Model("x").request("y") == LLMRequest(messages=(), model="y")


def test_every_setting_reaches_the_request():
    model = Model(
        "x", temperature=0.5, top_p=0.9, max_tokens=7, seed=1, stop=("a",), thinking=True, options={"top_k": 3}
    )
    assert model.request("x") == LLMRequest(
        messages=(),
        model="x",
        temperature=0.5,
        top_p=0.9,
        max_tokens=7,
        seed=1,
        stop=("a",),
        thinking=True,
        options={"top_k": 3},
    )


PROVIDERS = {name: made for name, made in vars(Model).items() if isinstance(made, Provider)}


def test_a_constructor_per_provider_makes_models_of_it():
    assert {name: made.provider for name, made in PROVIDERS.items()} == {name: name for name in PROVIDERS}
    assert Model.groq("llama-3.3-70b", temperature=0.2, stop=("x",)) == Model(
        "groq/llama-3.3-70b", temperature=0.2, stop=("x",)
    )


def test_every_provider_that_the_runtime_knows_has_a_constructor():
    assert set(PROVIDERS) == {*MODEL_PROVIDERS, "echo"}


def test_the_models_on_this_machine_need_no_name():
    assert {name for name, made in PROVIDERS.items() if isinstance(made, LocalProvider)} == {"smollm", "echo"}
    assert (Model.echo(), Model.smollm("smollm3", seed=1)) == (Model("echo"), Model("smollm/smollm3", seed=1))
    with pytest.raises(TypeError):
        Model.openai()


def test_constructors_take_the_settings_of_a_model_and_no_others():
    own = {field.name for field in dataclasses.fields(Model)} - {"name"}
    assert set(ModelSettings.__annotations__) == own
    with pytest.raises(TypeError, match="temprature"):
        Model.openai("gpt-5", temprature=1)


class Catalogue:
    """A provider with the model echo at a price, and one that it does not have."""

    asked: list[LLMRequest]

    @hookimpl
    def register_connectors(self):
        plugin = self

        class Recorder(EchoLLM):
            name = "recorder"

            async def stream(self, request):
                plugin.asked.append(request)
                named = dataclasses.replace(request, model="recorder" if request.model == "echo-1" else request.model)
                async for chunk in super().stream(named):
                    yield chunk

        return [Recorder]

    @hookimpl
    def register_models(self):
        return [
            ModelEntry(
                id="acme/echo-1", connector="recorder", input_price=1.0, output_price=2.0, params={"temperature": 0.3}
            )
        ]


@pytest.fixture
async def catalogued(tmp_path):
    plugin = Catalogue()
    plugin.asked = []
    default = {"llm": {"default": {"use": "echo"}}, "storage": {"default": {"use": "memory"}}}
    config = Config.model_validate({"data": tmp_path, "connectors": default})
    async with Runtime(config, plugins=Plugins.load(only=[], extra={"acme": plugin})) as runtime:
        yield runtime, plugin


async def test_a_model_of_the_catalogue_answers_with_its_parameters_and_its_cost(catalogued):
    runtime, plugin = catalogued
    reply = await Agent("a", model="acme/echo-1", runtime=runtime).prompt("one two three")
    assert reply == "one two three"
    assert reply.cost == pytest.approx(3 * 1e-6 + 3 * 2e-6)
    assert (plugin.asked[0].model, plugin.asked[0].temperature) == ("echo-1", 0.3)
    colder = Model("acme/echo-1", temperature=0.0)
    await Agent("a", model=colder, runtime=runtime).prompt("hi")
    assert plugin.asked[1].temperature == 0.0


async def test_the_cost_of_a_model_that_the_catalogue_does_not_have_is_not_known(catalogued):
    runtime, _ = catalogued
    assert (await Agent("a", model=Model.echo(), runtime=runtime).prompt("hi")).cost is None


async def test_a_model_that_its_provider_does_not_have_is_explained_with_near_names(catalogued):
    runtime, _ = catalogued
    with pytest.raises(NotFoundError) as raised:
        await Agent("a", model="acme/ecko-1", runtime=runtime).prompt("hi")
    assert "'ecko-1'" in raised.value.message
    assert "near names in the catalogue: 'acme/echo-1'" in raised.value.hint
    assert isinstance(raised.value.__cause__, NotFoundError)


async def test_a_constructor_of_a_provider_that_nothing_serves_says_what_to_install(catalogued):
    runtime, _ = catalogued
    with pytest.raises(ConfigError, match="nothing here serves the models of 'groq'") as raised:
        await Agent("a", model=Model.groq("x"), runtime=runtime).prompt("hi")
    assert "pip install sre-openai" in raised.value.hint
