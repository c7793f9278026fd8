"""Fixtures: the real small model, started once, and a tiny random SmolLM3 made on the spot."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sre_smollm.engine.job import Job
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.scheduler import Scheduler
from sre_smollm.networks.base import KVCache, Network, Row
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.transformers_network import Placement, load
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.writing.grammar import Grammars
from sre_smollm.writing.tools import Tools

from .engine_work import Watched  # noqa: TID252
from .tiny_networks import greedy, save_tiny  # noqa: TID252
from .tiny_smollm3 import save_tiny_smollm3  # noqa: TID252 -- the folder of tests is no package


def pytest_configure() -> None:
    # Workers of pytest-xdist ignore Ctrl-C, and so would all processes that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Scripted(Network):
    """A real network that is made to say `ids` after a prompt of so many tokens, and then ends its turn.

    Only its scores are changed: caches, masks, template and parsing stay the true ones.
    """

    name = "scripted"

    def __init__(self, network: Network, *, prompt: int, ids: Sequence[int]) -> None:
        self._network = network
        self._prompt = prompt
        self._ids = ids
        self.info = network.info

    def cache(self) -> KVCache:
        return self._network.cache()

    def forward(self, rows: Sequence[Row]):
        found = self._network.forward(rows)
        for row, scores in zip(rows, found, strict=True):
            if len(scores):
                place = row.cache.length - self._prompt
                scores[-1] = -10.0
                scores[-1][self._ids[min(max(place, 0), len(self._ids) - 1)]] = 10.0
        return found

    def close(self) -> None:
        """The network belongs to others."""


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
async def smollm(anyio_backend):
    from sre_smollm import SmolLM, SmolLMSettings

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
def tiny_network(tiny_folder: Path) -> Network:
    return load(ModelFolder.read(tiny_folder), Placement(device="cpu", dtype="float32", read_threads=1))


@pytest.fixture(scope="session")
def tiny_tools(tiny_folder: Path, tiny_network: Network) -> Tools:
    tokenizer = Tokenizer.load(tiny_folder)
    return Tools(
        template=Template(tokenizer),
        grammars=Grammars(tokenizer),
        info=tiny_network.info,
        ends=tokenizer.ends,
    )


@pytest.fixture(scope="session")
def lively_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return save_tiny("smollm3", tmp_path_factory.mktemp("lively"))


@pytest.fixture(scope="session")
def lively(lively_folder: ModelFolder) -> Network:
    """A network whose weights are so far apart that what it writes depends on all that it has read."""
    return load(lively_folder, Placement(device="cpu", dtype="float32", read_threads=1))


@pytest.fixture(scope="session")
def alone(lively_folder: ModelFolder):
    """What the plain `generate` of transformers writes after a prompt."""
    known: dict[tuple[int, ...], list[int]] = {}

    def alone(prompt: Sequence[int], count: int) -> list[int]:
        key = tuple(prompt)
        if len(known.get(key, ())) < count:
            (known[key],) = greedy(lively_folder.path, [prompt], count)
        return known[key][:count]

    return alone


@pytest.fixture
def watched(lively: Network) -> Watched:
    return Watched(lively)


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def play():
    """Runs work on a network, all of it together, and gives what each emitted, or raises the first error."""

    def play(network: Network, *works: Callable, limits: Limits | None = None) -> list[list]:
        scheduler = Scheduler(network, limits or Limits())
        emitted: list[list] = [[] for _ in works]
        errors: list[Exception] = []
        for work, items in zip(works, emitted, strict=True):
            scheduler.submit(
                Job(
                    lambda work=work, items=items: work(items.append),
                    over=lambda error: errors.append(error) if error is not None else None,
                )
            )
        while scheduler.step():
            pass
        scheduler.close()
        if errors:
            raise errors[0]
        return emitted

    return play
