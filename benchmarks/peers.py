"""The peers: installed into an environment of their own, so that they never touch the project's."""

import os
import subprocess
import venv
from pathlib import Path

__all__ = ["FOLDER", "PACKAGES", "ROOT", "install", "peer_python"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-peers"
PACKAGES = ("agno", "openai")


def install() -> None:
    """Make the environment, from the package index that pip is configured for."""
    venv.create(FOLDER, with_pip=True)
    subprocess.run([str(_python()), "-m", "pip", "install", "-q", "--upgrade", *PACKAGES], check=True)


def peer_python() -> Path | None:
    """The interpreter of the peers; None when they are not installed."""
    chosen = os.environ.get("BENCH_PEER_PYTHON")
    python = Path(chosen) if chosen else _python()
    return python if python.exists() else None


def _python() -> Path:
    return FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
