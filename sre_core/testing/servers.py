"""Real servers for tests: found or reported as missing, started on free ports, stopped, killed and started again."""

import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import pytest

__all__ = ["REQUIRED", "ServerProcess", "find_server", "free_port", "need_package", "wait_for_port"]

REQUIRED = "REQUIRE_SERVERS"
"""The environment variable that turns a missing server from a skipped test into a failed one, as CI wants it."""

_POLL = 0.02
_PORTS = 20_000, 32_768  # below those for outgoing connections, on all common systems
_given = deque[int](maxlen=1000)


def find_server(program: str, *, hint: str, folders: Sequence[Path] = ()) -> str:
    """The path of a server's program, looked for in `folders` and then on the PATH.

    Where it is missing the test is skipped, and the reason names the program and `hint`, how to get it; with
    `REQUIRE_SERVERS` in the environment the test fails instead.
    """
    path = os.pathsep.join([*(str(folder) for folder in folders), os.environ.get("PATH", os.defpath)])
    found = shutil.which(program, path=path)
    if found is None:
        _lack(f"the server {program!r} is not installed; {hint}")
    return found


def need_package(module: str, *, hint: str) -> None:
    """Return if a package is installed without which there is no server to test with.

    Else it skips or fails, as `find_server` does; `hint` tells what the package is for, or how to get it.
    """
    if importlib.util.find_spec(module) is None:
        _lack(f"the package {module!r} is not installed; {hint}")


def _lack(missing: str) -> NoReturn:
    if os.environ.get(REQUIRED):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now, and that this process was not given a short while ago.

    The system would give one of those that it also takes for outgoing connections, of which tests make thousands: one
    of them could have it before the server does.
    """
    while True:
        port = random.randrange(*_PORTS)  # noqa: S311 -- no secret
        if port in _given:
            continue
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            _given.append(port)
            return port


def wait_for_port(port: int, *, seconds: float = 30.0, alive: Callable[[], bool] = lambda: True) -> None:
    """Return once somebody accepts connections on this port of loopback.

    Raises TimeoutError after `seconds`, and ChildProcessError as soon as `alive` says no.
    """
    until = time.monotonic() + seconds
    while True:
        if _listens(port):
            return
        if not alive():
            raise ChildProcessError(f"the server for port {port} ended before it accepted connections")
        if time.monotonic() > until:
            raise TimeoutError(f"nobody accepts connections on port {port} after {seconds:g} s")
        time.sleep(_POLL)


class ServerProcess:
    """A server in a process of its own, from `with` to its end. Its output goes to `log`, a file in `folder`.

    `start`, `stop` and `kill` may follow each other at will, so that a test can see a server die and come back, and
    `freeze` and `thaw`, so that it can see one hang.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        port: int,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        patience: float = 60.0,
    ) -> None:
        """`port` is the one that `command` makes the server listen on; `patience` bounds its start, in seconds."""
        self.port = port
        self.folder = folder
        self.log = folder / "server.log"
        self._command = [str(word) for word in command]
        self._environment = {**os.environ, **(environment or {})}
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and return once connections are accepted.

        Raises RuntimeError that ends with the server's output; also when it runs, or its port is taken.
        """
        if self.running:
            raise RuntimeError(f"{self._command[0]} runs already")
        if _listens(self.port):
            raise RuntimeError(f"{self._command[0]} cannot start: another program listens on port {self.port}")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- a test names its own server
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for the tests, which stop their servers themselves.
                start_new_session=True,
            )
        try:
            wait_for_port(self.port, seconds=self._patience, alive=lambda: self.running)
        except (TimeoutError, ChildProcessError) as error:
            self.kill()
            said = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self._command[0]} did not start: {error}\n{said}") from error
        except BaseException:
            # The test is interrupted, and nobody else knows of the process.
            self.kill()
            raise

    def stop(self) -> None:
        """Ask the process to end, and kill it if it does not within ten seconds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: connections stay open and new ones are accepted, and nothing is answered."""
        if self._process is not None:
            _signal_group(self._process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            _signal_group(self._process, signal.SIGCONT)

    def restart(self) -> None:
        """Kill and start."""
        self.kill()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _signal_group(process, how)
        _signal_group(process, signal.SIGCONT)  # a frozen one ends only then
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _signal_group(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    """To the server and to what it started itself, as `npm` and shell scripts do."""
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        process.send_signal(how)
