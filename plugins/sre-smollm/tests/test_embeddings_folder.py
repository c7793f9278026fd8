"""Other sentence-transformers folders, tiny and random: poolings, layers, prompts, and what is wrong with a folder."""

import json

import numpy as np
import pytest

from sre_core.errors import ConfigError
from sre_smollm.embeddings.embedder import Embedder
from sre_smollm.embeddings.encoder import Encoder
from sre_smollm.embeddings.options import EmbeddingOptions

from .tiny_sentences import modules, save_sentences, states, write  # noqa: TID252 -- the folder of tests is no package

TEXT = "the sea is deep and night falls"
MODES = ("cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")


def encoded(folder, *texts):
    encoder = Encoder(folder, EmbeddingOptions(threads=1))
    return encoder.vectors([encoder.tokens(text) for text in texts])


def asked(*modes):
    return {f"pooling_mode_{mode}": mode in modes for mode in MODES}


def expected(found, mode):
    weights = np.arange(1, len(found) + 1)[:, None]
    return {
        "cls_token": lambda: found[0],
        "max_tokens": lambda: found.max(0),
        "mean_tokens": lambda: found.mean(0),
        "mean_sqrt_len_tokens": lambda: found.sum(0) / np.sqrt(len(found)),
        "weightedmean_tokens": lambda: (found * weights).sum(0) / weights.sum(),
        "lasttoken": lambda: found[-1],
    }[mode]()


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
@pytest.mark.parametrize("mode", MODES)
def test_each_pooling_is_what_it_says(tmp_path, architecture, mode):
    folder = save_sentences(tmp_path / "m", pooling=asked(mode), architecture=architecture)
    texts = [TEXT, "sea", "", "a b c " * 5]
    found = encoded(folder, *texts)
    for text, vector in zip(texts, found, strict=True):
        assert np.abs(vector - expected(states(folder, text), mode)).max() < 1e-5


def test_several_poolings_stand_side_by_side_in_their_own_order(tmp_path):
    folder = save_sentences(tmp_path / "m", pooling=asked("mean_tokens", "cls_token"))
    hidden = states(folder, TEXT)
    assert np.abs(encoded(folder, TEXT)[0] - np.concatenate([hidden[0], hidden.mean(0)])).max() < 1e-5


def test_a_pooling_may_be_named_in_one_word(tmp_path):
    folder = save_sentences(tmp_path / "m", pooling={"pooling_mode": "max"})
    assert np.abs(encoded(folder, TEXT)[0] - states(folder, TEXT).max(0)).max() < 1e-5


def test_the_limit_of_the_folder_cuts_a_text_and_that_of_the_tokenizer_does_not(tmp_path):
    folder = save_sentences(tmp_path / "m", limit=8)
    long, cut = encoded(folder, "the sea " * 3000, "the sea " * 3)
    assert np.abs(long - cut).max() < 1e-6
    assert np.abs(long - states(folder, "the sea " * 50, limit=8).mean(0)).max() < 1e-5


def test_dense_layers_and_normalising_follow_in_their_order(tmp_path):
    from safetensors.numpy import save_file

    folder = save_sentences(tmp_path / "m")
    numbers = np.random.default_rng(0)
    weight, bias = (numbers.normal(size=size).astype(np.float32) for size in ((8, 16), (8,)))
    dense = {"in_features": 16, "out_features": 8, "bias": True}
    write(folder / "2_Dense" / "config.json", dense | {"activation_function": "torch.nn.modules.activation.Tanh"})
    save_file({"linear.weight": weight, "linear.bias": bias}, folder / "2_Dense" / "model.safetensors")
    modules(folder, "Transformer", "1_Pooling:Pooling", "2_Dense:Dense", "3_Normalize:Normalize")
    made = np.tanh(states(folder, TEXT).mean(0) @ weight.T + bias)
    (found,) = encoded(folder, TEXT)
    assert np.abs(found - made / np.linalg.norm(made)).max() < 1e-5


@pytest.mark.parametrize("include", [True, False])
def test_a_default_prompt_stands_before_a_text_and_may_be_left_out_of_the_mean(tmp_path, include):
    folder = save_sentences(tmp_path / "m", pooling={"include_prompt": include})
    settings = {"prompts": {"search": "query: "}, "default_prompt_name": "search"}
    write(folder / "config_sentence_transformers.json", settings)
    hidden = states(folder, "query: the sea")
    # [CLS] query : the sea [SEP]
    assert len(hidden) == 6
    assert np.abs(encoded(folder, "the sea")[0] - hidden[0 if include else 3 :].mean(0)).max() < 1e-5


def test_weights_in_half_precision_and_in_parts_are_read(tmp_path):
    import torch
    from transformers import AutoModel

    folder = save_sentences(tmp_path / "m")
    whole = encoded(folder, TEXT)
    network = AutoModel.from_pretrained(str(folder), dtype=torch.bfloat16)
    (folder / "model.safetensors").unlink()
    network.save_pretrained(str(folder), max_shard_size="2KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert np.abs(encoded(folder, TEXT) - whole).max() < 0.2
    assert np.abs(encoded(folder, TEXT)[0] - states(folder, TEXT).mean(0)).max() < 1e-5


def test_a_file_that_was_cut_is_damaged(tmp_path):
    folder = save_sentences(tmp_path / "m")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ConfigError, match=r"model\.safetensors' is damaged"):
        Embedder(EmbeddingOptions(model=str(folder))).encode([TEXT])


def test_a_tensor_that_is_missing_is_named(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = save_sentences(tmp_path / "m")
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("encoder.layer.1.output.dense.weight")
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ConfigError, match=r"'encoder\.layer\.1\.output\.dense\.weight' is missing"):
        encoded(folder, TEXT)


@pytest.mark.parametrize("name", ["modules.json", "tokenizer.json", "config.json", "1_Pooling/config.json"])
@pytest.mark.parametrize("damage", ["absent", "cut", "list of nothing known"])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path, name, damage):
    folder = save_sentences(tmp_path / "m")
    file = folder / name
    if damage == "absent":
        file.unlink()
    elif damage == "cut":
        file.write_text(file.read_text()[:-5])
    else:
        file.write_text(json.dumps([1, 2]))
    with pytest.raises(ConfigError) as caught:
        encoded(folder, TEXT)
    assert name.rpartition("/")[2] in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("Pooling", "Normalize"), "begin with"),
        (("Transformer", "1_Pooling:Pooling", "2:LSTM"), "'LSTM', which is not known"),
        (("Transformer", "1_Pooling:Pooling", "2:my_code.Thing"), "code of its own"),
        (("Transformer", "../outside:Pooling"), "leaves the model folder"),
    ],
)
def test_a_module_that_is_not_known_is_refused(tmp_path, names, told):
    folder = save_sentences(tmp_path / "m")
    modules(folder, *names)
    with pytest.raises(ConfigError, match=told):
        encoded(folder, TEXT)


@pytest.mark.parametrize("pooling", [{"pooling_mode": "median"}, {"pooling_mode_best_tokens": True}, asked()])
def test_a_pooling_that_is_not_known_is_refused(tmp_path, pooling):
    folder = save_sentences(tmp_path / "m", pooling=pooling)
    with pytest.raises(ConfigError, match="asks for the pooling"):
        encoded(folder, TEXT)


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    folder = save_sentences(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    write(folder / "config.json", config | {"vocab_size": 7})
    with pytest.raises(ConfigError, match="the network knows 7"):
        encoded(folder, TEXT)


def test_a_network_that_transformers_does_not_know_is_told(tmp_path):
    folder = save_sentences(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    write(folder / "config.json", config | {"model_type": "no-such-network"})
    with pytest.raises(ConfigError, match="cannot be loaded"):
        encoded(folder, TEXT)


def test_a_device_that_does_not_exist_is_told(tmp_path):
    folder = save_sentences(tmp_path / "m")
    with pytest.raises(ConfigError, match="device 'abacus'"):
        Encoder(folder, EmbeddingOptions(device="abacus"))
