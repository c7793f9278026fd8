"""What `sre create` makes can be installed, runs, and passes its own tests."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

Sre = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A new environment that also sees what is installed here, so that nothing is fetched."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    here = sysconfig.get_path("purelib")
    (site / "outer.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Sre:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "PYTEST_", "COV_"))}
    # Whatever else is installed where the tests run shall not decide over them.
    environ |= {"XDG_DATA_HOME": str(tmp_path / "data"), "NO_COLOR": "1", "SRE_PLUGINS": "acme"}

    def run(*arguments: str, folder: Path = tmp_path, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(python), *arguments],
            cwd=folder,
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


def _install(project: Path, python: Path) -> None:
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(project)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_created_agent_installs_runs_and_passes_its_tests(run: Sre, python: Path, tmp_path: Path) -> None:
    made = run("-m", "sre_cli", "create", "my-notes", "--model", "echo")
    assert made.returncode == 0, made.stderr
    project = tmp_path / "my-notes"
    answered = run("-m", "sre_cli", "run", "agent.py:agent", "hi", folder=project)
    assert (answered.returncode, answered.stdout.strip()) == (0, "hi"), answered.stderr
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=project)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    _install(project, python)


def test_a_created_plugin_installs_is_found_and_keeps_the_rules(run: Sre, python: Path, tmp_path: Path) -> None:
    made = run("-m", "sre_cli", "create", "acme", "--template", "plugin")
    assert made.returncode == 0, made.stderr
    _install(tmp_path / "acme", python)
    listed = run("-m", "sre_cli", "plugins", "list", "--strict")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "storage:acme" in listed.stdout
    checked = run("-m", "sre_cli", "plugins", "check", "storage:acme")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path / "acme")
    assert tested.returncode == 0, tested.stdout + tested.stderr
