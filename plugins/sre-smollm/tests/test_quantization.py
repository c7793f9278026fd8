"""Weights of eight and four bits: the products are right, and the small model is hardly worse with them."""

import math
from pathlib import Path

import pytest

from sre_smollm import SmolLMSettings
from sre_smollm.networks.base import Network, Row
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.transformers_network import Placement, load
from sre_smollm.weights.sources import resolve

from .tiny_networks import save_tiny  # noqa: TID252

WINDOWS, TOKENS = 8, 256
TEXT = Path(__file__).parents[3] / "docs"


def text_ids(folder: Path) -> list[int]:
    from tokenizers import Tokenizer

    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(TEXT.rglob("*.md")))
    return Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text[:40_000]).ids[: WINDOWS * TOKENS]


def perplexity(network: Network, ids: list[int]) -> float:
    import torch

    losses = []
    for start in range(0, len(ids), TOKENS):
        window = ids[start : start + TOKENS]
        cache = network.cache()
        (scores,) = network.forward([Row(cache=cache, ids=window, keep=len(window))])
        cache.close()
        losses.append(torch.nn.functional.cross_entropy(torch.from_numpy(scores[:-1]), torch.tensor(window[1:])).item())
    return math.exp(sum(losses) / len(losses))


@pytest.mark.parametrize("kind", ["Int8Linear", "Int4Linear"])
def test_products_are_those_of_the_rounded_weights(kind, monkeypatch):
    import torch

    from sre_smollm.networks import weight_only

    torch.manual_seed(0)
    weight, bias = torch.randn(128, 96), torch.randn(128)
    x = torch.randn(2, 5, 96).bfloat16()
    layer = getattr(weight_only, kind)(weight, bias)
    exact = torch.nn.functional.linear(x.float(), weight, bias)
    # A step is at most a fifteenth of what 32 normal numbers span, or a 127th of the largest.
    near = 0.2 if kind == "Int4Linear" else 0.02
    assert float((layer(x).float() - exact).std() / exact.std()) < near
    # Versions of torch without the products compute the same.
    monkeypatch.setattr(weight_only, "products", lambda _name: None)
    other = getattr(weight_only, kind)(weight, bias)
    assert float((layer(x).float() - other(x).float()).abs().max()) < 0.02 * float(exact.abs().max())


@pytest.mark.parametrize("kind", ["int8", "int4"])
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_every_kind_of_linear_layer_is_replaced(kind, name, tmp_path):
    import torch
    from transformers.pytorch_utils import Conv1D

    network = load(save_tiny(name, tmp_path), Placement(device="cpu", quantization=kind, read_threads=1))
    kinds = [type(layer) for layer in network.model.modules()]
    assert torch.nn.Linear not in kinds
    assert Conv1D not in kinds
    assert network.info.weights == kind
    (scores,) = network.forward([Row(cache=network.cache(), ids=[3, 4, 5])])
    assert scores.shape == (1, network.info.vocabulary)


@pytest.mark.slow
def test_the_small_model_is_hardly_worse_with_fewer_bits():
    folder = ModelFolder.read(resolve(SmolLMSettings()))
    ids = text_ids(folder.path)
    exact = load(folder, Placement(device="cpu", dtype="float32", read_threads=1))
    right = perplexity(exact, ids)
    exact.close()
    assert len(ids) == WINDOWS * TOKENS
    for placement in (
        Placement(device="cpu", dtype="bfloat16", read_threads=1),
        Placement(device="cpu", quantization="int8", read_threads=1),
        Placement(device="cpu", quantization="int4", read_threads=1),
    ):
        network = load(folder, placement)
        ratio = perplexity(network, ids) / right
        network.close()
        assert ratio <= 1.02, network.info.weights
