"""Fixtures: the real small model, started once, and a tiny random SmolLM3 made on the spot."""

import threading
from pathlib import Path

import pytest

from sre_smollm import SmolLM, SmolLMSettings
from sre_smollm.engine.engine import Loaded, Worker
from sre_smollm.networks.model import Model, load
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.writing.grammar import Grammars

from .tiny_smollm3 import save_tiny_smollm3  # noqa: TID252 -- the folder of tests is no package


class Script:
    """Makes a network say `text` after a prompt of so many tokens, then end its turn.

    A hook on the real network: cache, masks, template and parsing stay the true ones.
    """

    def __init__(self, model, prompt: int, text: str) -> None:
        self._said = [*model.tokenizer.encode(text, add_special_tokens=False), model.tokenizer.eos_token_id]
        self._prompt = prompt
        self._handle = model.network.register_forward_hook(self._force, with_kwargs=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._handle.remove()

    def _force(self, _network, _args, kwargs, output):
        place = kwargs["past_key_values"].get_seq_length() - self._prompt
        token = self._said[min(max(place, 0), len(self._said) - 1)]
        output.logits[0, -1, :] = -10.0
        output.logits[0, -1, token] = 10.0
        return output


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
async def smollm(anyio_backend):
    connector = SmolLM(SmolLMSettings(max_tokens=64))
    await connector.start()
    yield connector
    await connector.stop()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-smollm3")
    save_tiny_smollm3(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder: Path) -> Model:
    return load(tiny_folder, SmolLMSettings(dtype="float32"))


@pytest.fixture
def tiny_worker(tiny_model: Model) -> Worker:
    loaded = Loaded(
        model=tiny_model, grammars=Grammars(tiny_model), template=Template(Tokenizer.load(tiny_model.folder))
    )
    return Worker(loaded, SmolLMSettings(), threading.Event())


@pytest.fixture
def script() -> type[Script]:
    return Script
