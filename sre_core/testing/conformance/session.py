"""One run of pytest inside the process: a kit, a connector, no file, and nothing of the user's own pytest."""

import os
import re
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sre_core.connectors.base import Connector, Service
from sre_core.errors import PluginError, SREError
from sre_core.testing.conformance.suite import Failure, Report

__all__ = ["kit_of", "run"]

_KITS = {
    Service.LLM: "LLMConformance",
    Service.STORAGE: "StorageConformance",
    Service.VECTORS: "VectorConformance",
    Service.CACHE: "CacheConformance",
    Service.VAULT: "VaultConformance",
}
_FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
# They write files or output, or look for garbage that is not the connector's.
_UNUSED = ("cacheprovider", "faulthandler", "terminal", "threadexception", "unraisableexception")


def kit_of(service: Service) -> type[Any]:
    """The kit of a kind of connectors."""
    module = import_module(f"sre_core.testing.conformance.{service.value}")
    kit: type[Any] = getattr(module, _KITS[service])
    return kit


def run(kit: Callable[[], type[Any]], make: Callable[[], Connector] | None = None) -> Report:
    """Run the tests of the class that `kit` returns; with `make`, on the connectors that this returns.

    `kit` is called when pytest rewrites assertions already, so that a kit imported by it explains its failures.
    """
    plugin = _Collector(kit, make)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="sre-check-") as folder, _without(_FOREIGN):
        pytest.main(_arguments(Path(folder)), plugins=["anyio", plugin])
    if not plugin.passed and not plugin.failed:
        raise PluginError("the conformance kit did not run", hint="; ".join(plugin.problems) or None)
    return Report(passed=tuple(plugin.passed), failed=tuple(plugin.failed), seconds=time.perf_counter() - began)


def _arguments(folder: Path) -> list[str]:
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n")
    return [
        *("-c", str(settings), "--rootdir", str(folder), "--basetemp", str(folder / "work")),
        *("--disable-plugin-autoload", "--noconftest", "--import-mode=importlib", "--capture=sys"),
        *(word for name in _UNUSED for word in ("-p", f"no:{name}")),
        __file__,
    ]


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Hides variables that would add the user's own options to this run."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


class _Collector:
    """A pytest plugin that offers the kit as the only module, and keeps the outcomes."""

    def __init__(self, kit: Callable[[], type[Any]], make: Callable[[], Connector] | None) -> None:
        self._kit = kit
        self._make = make
        self.passed: list[str] = []
        self.failed: list[Failure] = []
        self.problems: list[str] = []

    def pytest_configure(self) -> None:
        """Have assertions in the kits explain themselves."""
        pytest.register_assert_rewrite("sre_core.testing.conformance")

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module:
        """Stand in for the file that pytest was started with."""
        module = _Module.from_parent(parent, path=module_path)
        module.load = self._load
        return module

    def _load(self) -> ModuleType:
        kit, make = self._kit(), self._make
        if make is not None:
            kit = type(kit.__name__, (kit,), {"make": lambda _self: make()})
        module = ModuleType("conformance")
        module.__dict__[f"Test{kit.__name__}"] = kit
        return module

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a kit could not be read."""
        if report.failed:
            self.problems.append(report.longreprtext)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Keep the outcome of a test, of its preparation, or of its clean-up."""
        report: pytest.TestReport = yield  # type: ignore[assignment]
        rule = re.sub(r"\[(.*)\]$", r" (\1)", item.name.removeprefix("test_").replace("_", " "))
        if call.excinfo is not None and not report.skipped:
            self.passed = [kept for kept in self.passed if kept != rule]
            self.failed.append(Failure(test=item.name, rule=rule, message=_message(call.excinfo.value)))
        elif call.when == "call":
            self.passed.append(rule)
        return report  # type: ignore[return-value]


class _Module(pytest.Module):
    load: Callable[[], ModuleType]

    def _getobj(self) -> ModuleType:
        return self.load()


def _message(error: BaseException) -> str:
    """What happened, without the text of a foreign error: that may quote a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if isinstance(error, AssertionError):
        return str(error).strip() or f"not so: {frame.line}"
    if isinstance(error, pytest.fail.Exception):
        # From the kits themselves, as when nothing was raised where an error was due.
        return str(error)
    if isinstance(error, SREError):
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
