"""What all tests share: the asyncio backend, no network, and Ctrl-C."""

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

UNIT = Path(__file__).parent / "unit"


def pytest_configure() -> None:
    # Workers of pytest-xdist ignore Ctrl-C, and so would all processes that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def skip(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass at once for the event loop: a test of time need neither wait nor hurry."""
    loop = asyncio.get_running_loop()
    real, skipped = loop.time, 0.0

    def skip(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    monkeypatch.setattr(loop, "time", lambda: real() + skipped)
    return skip


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that connects to another machine, and a unit test that connects at all."""
    unit = request.node.path.is_relative_to(UNIT)

    def guarded(name: str) -> Any:
        connect = getattr(socket.socket, name)

        def guard(self: socket.socket, address: Any) -> Any:
            if self.family != getattr(socket, "AF_UNIX", None):
                if unit:
                    pytest.fail(f"a unit test connects to {address!r}; such a test belongs in tests/integration")
                if not _is_loopback(address[0]):
                    pytest.fail(f"a test connects to {address!r}; tests talk to this machine only")
            return connect(self, address)

        return guard

    # At the socket itself, so that no library and no event loop gets around it.
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(name))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
