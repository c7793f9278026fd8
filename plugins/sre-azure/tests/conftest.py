"""Fixtures: Azurite, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .azurite import Azurite  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    server = Azurite(tmp_path_factory.mktemp("azurite"))
    with server.process:
        yield server


@pytest.fixture
def container(azurite: Azurite) -> str:
    """A new container."""
    return azurite.container()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Azurite]:
    """A server of the test's own, to be stopped and killed."""
    server = Azurite(tmp_path)
    with server.process:
        yield server
