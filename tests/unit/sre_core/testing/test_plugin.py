"""Tests of what a plugin author's own pytest gets from this package."""

import subprocess
import sys
from pathlib import Path

TESTS = """
from sre_core.builtin.memory_cache import MemoryCache, MemoryCacheSettings
from sre_core.testing.conformance import CacheConformance


class TestMine(CacheConformance):
    def make(self):
        return MemoryCache(MemoryCacheSettings())
"""

WRONG = f"""{TESTS.replace("return MemoryCache", "return Wrong")}

class Wrong(MemoryCache):
    async def get(self, key):
        return b"other"
"""

CONFTEST = """
import pytest


@pytest.fixture(scope="session")
async def server(anyio_backend):
    yield "started once"


@pytest.fixture(autouse=True)
def uses(server):
    assert server == "started once"
"""


def pytest_in(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_mine.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "stop or ping"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_a_kit_runs_without_any_setting_of_pytest(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, TESTS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


def test_a_kit_explains_what_it_compared(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, WRONG)
    assert done.returncode == 1
    assert "assert b'other' == b'" in done.stdout


def test_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys; import pytest; before = set(sys.modules); import sre_core.testing.plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "['sre_core', 'sre_core.testing', 'sre_core.testing.plugin']"
