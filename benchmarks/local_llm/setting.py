"""What the scenarios work with: the model and its files, which sides there are, and their processes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.local_llm.texts import Texts
from benchmarks.peers import ROOT, peer_python
from benchmarks.workers import Workers
from sre_smollm.local_model import LocalModel, find_model
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import picked

__all__ = ["QUIET", "SIDES", "Setting", "column"]

SIDES = ("auto", "torch", "f32", "bf16", "llama.cpp", "smolagents", "limit", "free")
_ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
QUIET = {"HF_HUBQUIET": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
_LLAMACPP = ROOT / ".venv-llamacpp"
_PLACES = "benchmarks.local_llm.sides"


class Setting:
    """One run. `quick` takes few and small samples: enough to see that all works, not to judge."""

    def __init__(
        self, *, quick: bool, turns: int | None = None, model: str = "smollm2-135m", calls: Path | None = None
    ) -> None:
        self.quick = quick
        self._turns = turns
        self.calls = calls
        self._model = model
        self.smolagents = _having("smolagents", peer_python())
        self.llamacpp = _having("llama_cpp", peer_python(), _LLAMACPP / "bin" / "python")

    @cached_property
    def local(self) -> LocalModel:
        """The model; converted when it never was before."""
        return find_model(picked(SmolLMSettings(model=self._model)))

    @cached_property
    def texts(self) -> Texts:
        """Texts of measured length."""
        return Texts(self.local.folder.path)

    def rounds(self, many: int) -> int:
        """How often all sides take their turn: `many` times, unless the user said how often."""
        return self._turns or (1 if self.quick else many)

    def size(self, full: int, quick: int) -> int:
        """A length that is smaller in a quick run."""
        return quick if self.quick else full

    def settings(self, engine: str, *, one_thread: bool = True, **changes: Any) -> str:
        """Settings of the connector, as JSON for a side."""
        threads = {"threads": 1} if one_thread else {}
        exact = {"dtype": "float32"} if engine == "transformers" else {}
        return SmolLMSettings(model=self._model, engine=engine, **threads, **exact, **changes).model_dump_json()

    def connectors(
        self, workers: Workers, names: Sequence[str] = ("auto", "torch"), *, one_thread: bool = True
    ) -> None:
        """Start our connector with the engine that it takes by itself, and with transformers."""
        for name in names:
            settings = self.settings("auto" if name == "auto" else "transformers", one_thread=one_thread)
            self._start(workers, name, sys.executable, "connector", settings, one_thread=one_thread)

    def networks(self, workers: Workers, names: Sequence[str] = ("auto", "torch")) -> None:
        """Start our networks, without the engine around them."""
        for name in names:
            settings = self.settings("auto" if name == "auto" else "transformers")
            self._start(workers, name, sys.executable, "network", settings)

    def plain(self, workers: Workers, names: Sequence[str] = ("f32", "bf16"), *, one_thread: bool = True) -> None:
        """Start plain transformers."""
        kinds = {"f32": "float32", "bf16": "bfloat16"}
        for name in names:
            folder = str(self.local.folder.path)
            self._start(workers, name, sys.executable, "plain", folder, kinds[name], one_thread=one_thread)

    def peers(self, workers: Workers, names: Sequence[str]) -> None:
        """Start those of `names` that are installed: `llama.cpp` and `smolagents`."""
        if "llama.cpp" in names and self.llamacpp is not None and self.local.place.is_file():
            self._start(workers, "llama.cpp", self.llamacpp, "with_llamacpp", str(self.local.place))
        if "smolagents" in names and self.smolagents is not None:
            self._start(workers, "smolagents", self.smolagents, "with_smolagents", str(self.local.folder.path))

    def limits(self, workers: Workers) -> None:
        """Start what measures the machine itself."""
        self._start(workers, "limit", sys.executable, "limits")

    def _start(
        self, workers: Workers, side: str, python: str | Path, module: str, *arguments: str, one_thread: bool = True
    ) -> None:
        variables = QUIET | (_ONE if one_thread else {})
        workers.start(side, python, f"{_PLACES}.{module}", *arguments, variables=variables)


def column(found: Sequence[dict[str, dict[str, Any]]], value: Any) -> dict[str, list[float]]:
    """What `value` makes of each answer, for each side, round by round."""
    return {side: [float(value(answers[side])) for answers in found] for side in found[0]} if found else {}


def _having(module: str, *pythons: Path | None) -> Path | None:
    """The first of the interpreters that can import `module`."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    for python in pythons:
        if python is not None and python.exists() and os.access(python, os.X_OK):
            done = subprocess.run([str(python), "-c", code], check=False, capture_output=True)
            if done.returncode == 0:
                return python
    return None
