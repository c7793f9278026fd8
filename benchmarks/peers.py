"""The peers: installed into an environment of their own, so that they never touch the project's."""

import os
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

__all__ = ["FOLDER", "LOCAL_PACKAGES", "PACKAGES", "ROOT", "install", "peer_python"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-peers"
PACKAGES = ("agno", "openai")
LOCAL_PACKAGES = ("accelerate", "smolagents", "torch", "transformers")


def install(packages: Sequence[str] = PACKAGES) -> None:
    """Make the environment, or add to it, from the package index that pip is configured for."""
    venv.create(FOLDER, with_pip=True)
    pins = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([str(_python()), "-m", "pip", "install", "-q", "--upgrade", *pins, *packages], check=True)


def peer_python() -> Path | None:
    """The interpreter of the peers; None when they are not installed."""
    chosen = os.environ.get("BENCH_PEER_PYTHON")
    python = Path(chosen) if chosen else _python()
    return python if python.exists() else None


def _python() -> Path:
    return FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
