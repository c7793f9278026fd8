"""Which model makes vectors: the one that is named, else the local one, else the agent's own connector's."""

import pytest

from sre_core.components.rag.embedder import choose_embedder, is_same_model
from sre_core.errors import ConfigError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.rag.embedders import connector, plugins_with


async def test_a_named_model_is_taken():
    async with bench(plugins=plugins_with(connector("smollm"), connector("remote"))) as b:
        assert choose_embedder("remote/embed-3", b.context).name == "remote/embed-3"
        assert choose_embedder("remote", b.context).name == "remote"


async def test_the_local_model_comes_first():
    async with bench(plugins=plugins_with(connector("smollm", length=3))) as b:
        embedder = choose_embedder("", b.context)
        assert embedder.name == "smollm"
        assert [len(vector) for vector in await embedder.embed(["a", "b"])] == [3, 3]


async def test_the_local_model_is_taken_with_the_settings_that_it_is_configured_with():
    config = {"connectors": {"llm": {"default": {"use": "smollm"}}}}
    async with bench(plugins=plugins_with(connector("smollm")), model="default", config=config) as b:
        assert choose_embedder("", b.context).name == "smollm"


async def test_without_a_local_model_the_agent_s_connector_embeds_with_its_own_model():
    seen = []

    async def before(texts):
        seen.append(texts)

    async with bench(plugins=plugins_with(connector("remote", before=before)), model="remote/gpt-9") as b:
        embedder = choose_embedder("", b.context)
        assert embedder.name == "remote"
        await embedder.embed(["a"])
    assert seen == [["a"]]


async def test_a_connector_that_only_bears_the_local_one_s_name_is_not_taken_for_it():
    config = {"connectors": {"llm": {"default": {"use": "echo"}, "smollm": {"use": "remote"}}}}
    async with bench(plugins=plugins_with(connector("remote")), config=config) as b:
        assert choose_embedder("", b.context).name == "echo"


@pytest.mark.parametrize("model", ["mute", "default"])
async def test_without_any_model_it_is_an_error_that_says_what_to_install(model):
    # "smollm" is what the configuration asks for, and is not installed.
    config = {"connectors": {"llm": {"default": {"use": "smollm"}}}}
    async with bench(plugins=plugins_with(connector("mute", embeds=False)), model=model, config=config) as b:
        with pytest.raises(ConfigError, match="no model") as caught:
            choose_embedder("", b.context)
    assert "pip install sre-smollm" in str(caught.value.hint)


async def test_a_named_model_that_makes_no_vectors_is_an_error():
    async with bench(plugins=plugins_with(connector("mute", embeds=False))) as b:
        with pytest.raises(ConfigError, match=r"'mute'.*no vectors"):
            choose_embedder("mute/x", b.context)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("smollm", "smollm", True),
        ("smollm", "smollm/minilm", True),
        ("openai/a", "openai/b", False),
        ("openai", "smollm", False),
        ("a/b/c", "a/b/c", True),
        ("a/b/c", "a/b/d", False),
    ],
)
def test_a_connector_alone_may_mean_any_of_its_models(one, other, expected):
    assert is_same_model(one, other) is expected
    assert is_same_model(other, one) is expected
