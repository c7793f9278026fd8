"""That missing and damaged files are told before anything is loaded, with the file and the next step."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sre_core.errors import ConfigError
from sre_smollm import SmolLMSettings
from sre_smollm.weights.checks import check_folder, weight_files
from sre_smollm.weights.sources import resolve

INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.fixture
def parts(folder: Path) -> Path:
    """The same, with its weights in two parts."""
    (folder / "model.safetensors").unlink()
    for number, name in enumerate(("a", "b"), start=1):
        save_file({name: np.ones((8, 8), np.float32)}, folder / f"model-{number:05}-of-00002.safetensors")
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return folder


def refused(folder: Path, *texts: str) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(SmolLMSettings(weights=folder))
    for text in texts:
        assert text in str(error.value)
    assert "fetch" in str(error.value.hint) or "safetensors" in str(error.value.hint)


def test_a_whole_folder_passes_and_no_network_is_loaded(folder, parts):
    check_folder(parts, repair="")
    assert [file.name for file in weight_files(parts)] == [
        f"model-0000{number}-of-00002.safetensors" for number in (1, 2)
    ]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    refused(folder, str(folder), "safetensors" if name.startswith("model") else name)


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "model.safetensors", "tokenizer_config.json", "generation_config.json"]
)
def test_an_empty_file_is_named(folder, name):
    (folder / name).write_bytes(b"")
    refused(folder, str(folder / name), "is empty")


@pytest.mark.parametrize("keep", [1, 7, 8, 9, 100, 0.5, -1])
def test_safetensors_that_were_cut_are_told_apart(folder, keep):
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    refused(folder, str(file), "is damaged")


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole + b"\0",
        lambda whole: bytes(len(whole)),
        lambda whole: b"\xff" * 8 + whole[8:],
        lambda whole: whole.replace(b"F32", b"F99", 1),
        lambda _whole: b"<html>502 Bad Gateway</html>",
        lambda _whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    ],
    ids=["longer", "zeros", "length", "type", "html", "git-lfs"],
)
def test_safetensors_that_were_changed_at_the_front_are_told_apart(folder, change):
    file = folder / "model.safetensors"
    file.write_bytes(change(file.read_bytes()))
    refused(folder, str(file), "is damaged")


def test_the_second_part_is_looked_at_too(parts):
    file = parts / "model-00002-of-00002.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    refused(parts, str(file), "is damaged")


def test_a_part_that_the_index_names_and_that_is_not_there_is_named(parts):
    (parts / "model-00002-of-00002.safetensors").unlink()
    refused(parts, "has no model-00002-of-00002.safetensors")


def test_a_link_to_a_removed_part_counts_as_missing(parts):
    (parts / "model-00002-of-00002.safetensors").unlink()
    (parts / "model-00002-of-00002.safetensors").symlink_to(parts / "gone")
    refused(parts, "has no model-00002-of-00002.safetensors")


def test_a_tensor_that_is_in_no_part_is_named(parts):
    index = json.loads((parts / INDEX).read_text())
    index["weight_map"]["c"] = "model-00001-of-00002.safetensors"
    (parts / INDEX).write_text(json.dumps(index))
    refused(parts, INDEX, "'c'")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"weight_map": {}}',
        '{"weight_map": {"a": 1}}',
        '{"weight_map": {"a": "../../x.safetensors"}}',
    ],
)
def test_a_damaged_index_is_named(parts, content):
    (parts / INDEX).write_text(content)
    refused(parts, str(parts / INDEX), "is damaged")


def test_one_whole_file_counts_more_than_an_index(parts, tiny_folder):
    shutil.copy(tiny_folder / "model.safetensors", parts)
    (parts / INDEX).write_text("{")
    assert weight_files(parts) == (parts / "model.safetensors",)
    check_folder(parts, repair="")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe{}", b"{}", b'{"model_type": 3}', b"[" * 100_000])
def test_a_damaged_config_is_named(folder, content):
    (folder / "config.json").write_bytes(content)
    refused(folder, str(folder / "config.json"), "is damaged")


@pytest.mark.parametrize(
    "change",
    [
        lambda table: {},
        lambda table: table | {"model": None},
        lambda table: table | {"model": table["model"] | {"vocab": {}}},
        lambda table: table | {"model": table["model"] | {"vocab": {"a": "1"}}},
        lambda table: table | {"model": table["model"] | {"merges": [["a", "no such"]]}},
        lambda table: table | {"model": table["model"] | {"merges": ["a"]}},
        lambda table: table | {"model": table["model"] | {"merges": [3]}},
        lambda table: table | {"added_tokens": [{"id": "1", "content": "x"}]},
    ],
)
def test_a_tokenizer_that_cannot_work_is_named(folder, change):
    file = folder / "tokenizer.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    refused(folder, str(file), "is damaged")


def test_a_tokenizer_that_was_cut_is_named(folder):
    file = folder / "tokenizer.json"
    file.write_bytes(file.read_bytes()[:-20])
    refused(folder, str(file), "it is no JSON")


def test_a_folder_in_place_of_a_file_is_told(folder):
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    refused(folder, "has no config.json")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "pytorch_model-00001-of-00002.bin"])
def test_pickles_are_refused_with_the_reason(folder, name):
    (folder / "model.safetensors").rename(folder / name)
    refused(folder, name, "runs code when it is read")


def test_a_pickle_beside_safetensors_disturbs_nobody(folder):
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    assert resolve(SmolLMSettings(weights=folder)) == folder


def test_the_real_folder_of_minilm_passes():
    folder = resolve(SmolLMSettings(model="minilm"))
    assert [file.name for file in weight_files(folder)] == ["model.safetensors"]
