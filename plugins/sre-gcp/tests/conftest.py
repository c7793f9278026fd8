"""Fixtures: fake-gcs-server, started once, and an account with a key and tokens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .gcs_server import Gcs, TokenServer, account_key  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcs]:
    server = Gcs(tmp_path_factory.mktemp("gcs"))
    with server.process:
        yield server


@pytest.fixture(scope="session")
def session_tokens() -> Iterator[TokenServer]:
    with TokenServer.running() as server:
        yield server


@pytest.fixture(scope="session")
def key(session_tokens: TokenServer) -> str:
    """The key of an account that gets tokens."""
    return account_key(session_tokens.url)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Makes this a machine of Google's, whose metadata are at a host and port, and which has no other credentials."""

    def move_to(host: str) -> None:
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
        # Their library reads these two when it is imported.
        monkeypatch.setattr("google.auth.compute_engine._metadata._NO_GCE_CHECK", False)
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host)
        monkeypatch.setenv("GCE_METADATA_IP", host)

    return move_to


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Google's library says that it could do more with gRPC, which it does not need here."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:Please install grpcio-status:ImportWarning"))
