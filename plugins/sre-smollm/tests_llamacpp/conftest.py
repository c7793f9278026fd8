"""Fixtures: the real small model in llama.cpp, loaded once."""

from pathlib import Path

import llama_cpp
import pytest

from sre_smollm import SmolLMSettings
from sre_smollm.networks import llamacpp_loading
from sre_smollm.networks.llamacpp_network import LlamaCppNetwork
from sre_smollm.weights.sources import locate

MEMORY_BYTES = 100 * 2**20


class Words:
    """Text to tokens and back, as the GGUF file says."""

    def __init__(self, file: Path) -> None:
        self._llama = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)

    def ids(self, text: str) -> list[int]:
        return self._llama.tokenize(text.encode(), add_bos=False, special=True)

    def text(self, ids: list[int]) -> str:
        return self._llama.detokenize(ids).decode(errors="replace")


@pytest.fixture(scope="session")
def file() -> Path:
    return locate(SmolLMSettings(model="smollm2-135m"))


@pytest.fixture(scope="session")
def words(file: Path) -> Words:
    return Words(file)


@pytest.fixture(scope="session")
def network(file: Path):
    made = llamacpp_loading.load(file, memory_bytes=MEMORY_BYTES, threads=1)
    yield made
    made.close()


@pytest.fixture
def small(file: Path):
    """Room for 256 tokens only."""
    made: LlamaCppNetwork = llamacpp_loading.load(file, memory_bytes=256 * 23040, threads=1)
    assert made.info.token_bytes == 23040
    yield made
    made.close()


@pytest.fixture(scope="session")
def story(words: Words) -> list[int]:
    """Some 500 tokens that make sense, no two passages alike."""
    places = ("Paris", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Rome", "Kyoto", "Accra", "Hanoi", "Bern", "Riga")
    lines = [
        f"On day {day} we travelled from {places[day % 12]} to {places[(day * 5 + 1) % 12]} and saw {day * 3} ships."
        for day in range(1, 31)
    ]
    found = words.ids(" ".join(lines))
    assert len(found) > 450
    return found
