"""Weights are packed as the description of the tiles says, within the error that their bits allow, part by part."""

import json
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import Row
from sre_smollm.networks.compiled.packing import eight_bits, four_bits, pack
from sre_smollm.networks.compiled.tensors import TensorFile, write_tensors

from .tiny_compiled import compiled, distance, expected, save, unpacked  # noqa: TID252

HEAD = "model.embed_tokens.weight"
LAYER = "model.layers.1.mlp.down_proj.weight"


def packed_matrix(folder, rows: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    write_tensors(folder / "one", {"x": ("U8", tiles.shape)}, [tiles])
    return unpacked(TensorFile(folder / "one"), "x", rows.shape[1])


def random_rows(rows: int = 48, columns: int = 96) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((rows, columns)).astype(np.float32)


def test_eight_bits_are_off_by_half_a_step_at_most(tmp_path):
    rows = random_rows()
    rows[3, 32:64] = 0
    found = packed_matrix(tmp_path, rows, eight_bits(rows))
    steps = np.abs(rows.reshape(48, 3, 32)).max(-1) / 127
    # The scale is a float16, itself off by up to 2**-11, of up to 127 steps.
    bound = np.repeat(steps * (0.5 + 127 * 2**-11), 32, axis=1)
    assert (np.abs(found - rows) <= bound * 1.001).all()
    assert (found[3, 32:64] == 0).all()


def test_four_bits_are_off_by_half_a_step_at_most(tmp_path):
    rows = random_rows()
    found = packed_matrix(tmp_path, rows, four_bits(rows))
    blocks = rows.reshape(48, 3, 32)
    low, high = blocks.min(-1), blocks.max(-1)
    bound = np.repeat((high - low) / 15 * (0.5 + 15 * 2**-11) + np.abs(low) * 2**-11, 32, axis=1)
    assert (np.abs(found - rows) <= bound * 1.001).all()


def test_weights_of_four_bits_stay_what_they_are(tmp_path):
    chance = np.random.default_rng(5)
    scale = chance.uniform(0.01, 0.1, (48, 3, 1)).astype(np.float16).astype(np.float32)
    low = -chance.uniform(0.1, 1.0, (48, 3, 1)).astype(np.float16).astype(np.float32)
    numbers = chance.integers(0, 16, (48, 3, 32))
    numbers[..., 0], numbers[..., 1] = 0, 15
    rows = (numbers * scale + low).astype(np.float32).reshape(48, 96)
    found = packed_matrix(tmp_path, rows, four_bits(rows))
    assert np.abs(found - rows).max() < 1e-6


@pytest.mark.parametrize(("precision", "bits"), [("int8", 8), ("int4", 4), ("auto", 8)])
def test_the_precision_is_that_of_the_layers_and_never_of_the_head(precision, bits, tmp_path):
    folder = save(tmp_path, "smollm3")
    pack(tmp_path, tmp_path / "packed", precision)
    places = TensorFile(tmp_path / "packed").places
    # The last tile of the 99 rows is filled up.
    assert places[HEAD].shape == (7, 3 * 544)
    assert places[LAYER].shape == (6, 5 * (544 if bits == 8 else 320))
    assert places["model.norm.weight"].kind == "F32"
    assert min(place.offset for place in places.values()) % 64 == 0
    assert compiled(folder, tmp_path / "packed").info.weights == f"int{bits}"


def test_auto_finds_layers_that_have_four_bits_already(tmp_path):
    folder = save(tmp_path, "smollm3")
    pack(tmp_path, tmp_path / "four", "int4")
    four = TensorFile(tmp_path / "four")
    weights = load_file(tmp_path / "model.safetensors")
    for name, place in four.places.items():
        if place.shape[-1] % 320 == 0 and len(place.shape) == 2:
            weights[name] = unpacked(four, name, weights[name].shape[1])
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    pack(tmp_path, tmp_path / "auto", "auto")
    auto = TensorFile(tmp_path / "auto")
    assert compiled(folder, tmp_path / "auto").info.weights == "int4"
    for name in four.places:
        assert auto.places[name].shape == four.places[name].shape
    assert np.abs(unpacked(auto, LAYER, 160) - unpacked(four, LAYER, 160)).max() < 1e-6


@pytest.mark.parametrize(
    ("dtype", "changes"), [("bfloat16", {}), ("float16", {}), ("bfloat16", {"max_shard_size": "100KB"})]
)
def test_weights_of_other_kinds_and_in_several_files_are_read(dtype, changes, tmp_path):
    folder = save(tmp_path, "llama, untied", dtype=dtype, **changes)
    assert len(folder.weights) > 1 if changes else len(folder.weights) == 1
    network = compiled(folder, tmp_path / "packed", "int8")
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(tmp_path), dtype=torch.float32)
    asked = [5, 17, 3, 60, 98, 4, 33] * 5
    (found,) = network.forward([Row(cache=network.cache(), ids=asked, keep=35)])
    assert distance(found, expected(model, asked)) < 0.1


def test_the_file_is_what_safetensors_reads(tmp_path):
    save(tmp_path, "smollm3")
    pack(tmp_path, tmp_path / "packed", "auto")
    ours = TensorFile(tmp_path / "packed")
    theirs = load_file(tmp_path / "packed")
    assert set(ours.places) == set(theirs)
    for name, place in ours.places.items():
        assert theirs[name].tobytes() == ours.data[place.offset : place.offset + place.size].tobytes()


def test_packing_never_holds_more_than_a_part_of_the_weights(tmp_path):
    matrices = {f"model.layers.{layer}.extra.weight": ("F32", (4096, 2048)) for layer in range(6)}
    save(tmp_path, "smollm3")
    write_tensors(tmp_path / "big", matrices, (np.ones(shape, np.float32) for _, shape in matrices.values()))
    weights = load_file(tmp_path / "model.safetensors") | load_file(tmp_path / "big")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "big").unlink()
    del weights
    tracemalloc.start()
    pack(tmp_path, tmp_path / "packed", "int8")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "packed").stat().st_size > 50_000_000
    assert most < 45_000_000


def test_a_missing_tensor_is_told_before_anything_is_written(tmp_path):
    save(tmp_path, "smollm3")
    weights = load_file(tmp_path / "model.safetensors")
    del weights[LAYER]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match=f"has no tensor '{LAYER}'"):
        pack(tmp_path, tmp_path / "packed", "auto")
    assert not (tmp_path / "packed").exists()


def test_numbers_of_another_kind_are_told(tmp_path):
    save(tmp_path, "smollm3")
    file = tmp_path / "model.safetensors"
    raw = file.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    header[LAYER]["dtype"] = "F8_E4M3"
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + size :])
    with pytest.raises(UnsupportedError, match="is of the kind 'F8_E4M3'"):
        pack(tmp_path, tmp_path / "packed", "auto")
