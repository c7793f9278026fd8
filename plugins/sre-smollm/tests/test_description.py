"""What the connector tells `sre doctor` of itself, before its start and after."""

from pathlib import Path

import pytest

from sre_core.errors import NotFoundError
from sre_smollm import SmolLM, SmolLMSettings


@pytest.fixture(autouse=True)
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def is_there(folder: str, file: str) -> bool:
    return Path(folder, file).is_file()


async def told(**settings: object) -> dict[str, str]:
    return dict(await SmolLM(SmolLMSettings(**settings)).describe())


async def test_the_default_is_told_with_its_reasons_before_it_is_loaded():
    found = await told()
    assert list(found) == ["model", "weights", "engine", "embeddings"]
    assert found["model"].startswith("smollm2-135m: the small default, since smollm3 is not on this machine")
    file, _, folder = found["weights"].partition(", converted in ")
    assert Path(file).suffix == ".gguf"
    assert is_there(folder, "model.safetensors")
    assert found["engine"].startswith("compiled, int8 weights, int4 where they are that now; auto picks it: ")
    assert is_there(found["embeddings"].removeprefix("minilm in "), "config.json")


async def test_once_it_runs_the_weights_are_told_for_certain(smollm):
    assert (await smollm.describe())["engine"].startswith("compiled, int4 weights on cpu; auto picks it: ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "transformers, bfloat16 or float32 weights; auto picks it: the compiled network cannot run"),
        ({"engine": "transformers"}, "transformers, bfloat16 or float32 weights; asked for"),
        ({"dtype": "float32"}, "transformers, float32 weights; auto picks it: exact weights were asked for"),
        ({"quantization": "int8"}, "transformers, int8 weights; auto picks it: the compiled network cannot run"),
        ({"engine": "llamacpp"}, "llamacpp, weights as they are in the file; asked for"),
    ],
)
async def test_the_engine_is_told_with_its_weights_and_the_reason(tiny_folder, settings, words):
    found = await told(model=str(tiny_folder), **settings)
    assert found["engine"].startswith(words)
    assert (found["model"], found["weights"]) == (tiny_folder.name, str(tiny_folder))


async def test_an_embedding_model_that_is_not_here_is_told_with_what_to_do(tiny_folder):
    found = await told(model=str(tiny_folder), embedding_model="owner/name", allow_download=True)
    assert found["embeddings"].startswith("the embedding model 'owner/name' is not on this machine; skills are")
    assert "sre pull owner/name" in found["embeddings"]


async def test_weights_that_are_not_here_are_not_downloaded():
    with pytest.raises(NotFoundError, match="'smollm3' are not on this machine"):
        await told(model="smollm3", allow_download=True)
