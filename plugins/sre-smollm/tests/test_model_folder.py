"""What a model folder says of itself, read without torch, and what is said of a damaged one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sre_core.errors import ConfigError
from sre_smollm import SmolLMSettings
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.weights.sources import resolve


def copied(folder: Path, target: Path) -> Path:
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def changed(folder: Path, name: str, **values: object) -> None:
    file = folder / name
    file.write_text(json.dumps({**(json.loads(file.read_text()) if file.exists() else {}), **values}))


def test_the_facts_of_the_small_model():
    facts = ModelFolder.read(resolve(SmolLMSettings()))
    assert (facts.architecture, facts.model_type, facts.image_text) == ("LlamaForCausalLM", "llama", False)
    assert (facts.context_tokens, facts.vocabulary, facts.ends) == (8192, 49152, {2})
    assert (facts.layers, facts.heads, facts.key_heads, facts.head_size, facts.hidden) == (30, 9, 3, 64, 576)
    assert (facts.parameters, facts.weight_bytes) == (134_515_008, 4 * 134_515_008)
    assert (facts.dtype, facts.tied) == ("float32", True)


def test_facts_equal_what_the_loaded_network_says(tiny_folder):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(str(tiny_folder))
    facts = ModelFolder.read(tiny_folder)
    assert facts.parameters == sum(weight.numel() for weight in network.parameters())
    assert facts.vocabulary == network.config.vocab_size
    assert facts.context_tokens == network.config.max_position_embeddings
    assert facts.tied == (network.lm_head.weight is network.model.embed_tokens.weight)


def test_reading_a_folder_loads_no_driver(tiny_folder):
    code = (
        "import sys; from pathlib import Path; from sre_smollm.networks.folder import ModelFolder\n"
        f"ModelFolder.read(Path({str(tiny_folder)!r}))\n"
        "sys.exit(' '.join({'numpy', 'torch', 'transformers', 'safetensors'} & set(sys.modules)) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_text_part_of_a_model_with_images_counts(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path)
    text = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(
            {
                "architectures": ["SmolVLMForConditionalGeneration"],
                "model_type": "smolvlm",
                "vision_config": {"hidden_size": 7, "num_hidden_layers": 9},
                "image_token_id": 11,
                "text_config": {**text, "max_position_embeddings": 123},
            }
        )
    )
    facts = ModelFolder.read(folder)
    assert (facts.image_text, facts.image_token, facts.model_type) == (True, 11, "smolvlm")
    assert (facts.hidden, facts.layers, facts.context_tokens) == (8, 4, 123)
    assert facts.text["model_type"] == "smollm3"


def test_all_ends_that_are_named_count(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path)
    changed(folder, "config.json", eos_token_id=5)
    changed(folder, "generation_config.json", eos_token_id=[6, 7])
    assert ModelFolder.read(folder).ends == {5, 6, 7}
    changed(folder, "config.json", eos_token_id=None)
    (folder / "generation_config.json").unlink()
    assert ModelFolder.read(folder).ends == set()


def test_only_the_parts_that_an_index_names_are_counted(tiny_folder, tmp_path):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(str(tiny_folder))
    network.save_pretrained(str(tmp_path), max_shard_size="8KB")
    (tmp_path / "consolidated.safetensors").write_bytes((tiny_folder / "model.safetensors").read_bytes())
    facts = ModelFolder.read(tmp_path)
    assert len(facts.weights) > 1
    assert facts.parameters == ModelFolder.read(tiny_folder).parameters


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b""),
        ("config.json", b"[]"),
        ("config.json", b"\xff\xfe"),
        ("config.json", b'{"vocab_size": "many"}'),
        ("config.json", b'{"vocab_size": -1}'),
        ("config.json", b'{"eos_token_id": [1, "x"]}'),
        ("config.json", b'{"architectures": 3}'),
        ("config.json", b'{"text_config": 3}'),
        ("generation_config.json", b"{"),
        ("generation_config.json", b'{"eos_token_id": "x"}'),
        ("model.safetensors", b""),
        ("model.safetensors", b"\xff" * 100),
        ("model.safetensors", b"\2\0\0\0\0\0\0\0[]"),
        ("model.safetensors", b"\7\0\0\0\0\0\0\0" + b'{"a":3}'),
        ("model.safetensors.index.json", b"{}"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": 3}}'),
    ],
)
def test_a_damaged_file_is_named(tiny_folder, tmp_path, name, content):
    folder = copied(tiny_folder, tmp_path)
    (folder / name).write_bytes(content)
    with pytest.raises(ConfigError, match=f"/{name}' cannot be read"):
        ModelFolder.read(folder)


def test_cut_weights_are_told_without_reading_them(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1])
    with pytest.raises(ConfigError, match=f"it has {len(whole) - 1} bytes and should have {len(whole)}"):
        ModelFolder.read(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_told(tiny_folder, tmp_path, name):
    folder = copied(tiny_folder, tmp_path)
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=r"there is no .*config|has no \*\.safetensors"):
        ModelFolder.read(folder)
