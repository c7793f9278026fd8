"""Imports go downward only: between the packages, between the rooms of the core, and from the plugins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, plugin_packages


def lint(*options: str, path: tuple[Path, ...] = (), folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", *options]
    # Plain text in long lines, whatever is set where the tests run.
    kept = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    environment = kept | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *path))), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def plugin_contracts(packages: list[str]) -> str:
    lines = ["[importlinter]", "root_packages =", *(f"    {name}" for name in [*packages, *PACKAGES])]
    for name in packages:
        others = [other for other in (*packages, "sre_sdk", "sre_cli") if other != name]
        lines += [f"[importlinter:contract:{name}]", f"name = {name} stands on the core alone", "type = forbidden"]
        lines += ["allow_indirect_imports = true", f"source_modules = {name}", "forbidden_modules ="]
        lines += [f"    {other}" for other in others]
    lines += ["[importlinter:contract:back]", "name = We import no plugin", "type = forbidden"]
    lines += ["source_modules =", *(f"    {name}" for name in PACKAGES)]
    lines += ["forbidden_modules =", *(f"    {name}" for name in packages)]
    return "\n".join(lines) + "\n"


def test_the_packages_and_the_rooms_import_downward():
    result = lint("--config", "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_plugins_import_the_core_alone_and_nobody_imports_them(tmp_path):
    packages = plugin_packages()
    assert packages
    (tmp_path / "contracts.ini").write_text(plugin_contracts([package.name for package in packages]))
    result = lint("--config", str(tmp_path / "contracts.ini"), path=tuple(package.parent for package in packages))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("forbidden", ["sre_sdk", "sre_cli.main", "acme_two"])
def test_a_plugin_that_imports_more_would_be_found(tmp_path, forbidden):
    for name, source in (("acme_one", f"import {forbidden}\n"), ("acme_two", "import sre_core.errors\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
    (tmp_path / "contracts.ini").write_text(plugin_contracts(["acme_one", "acme_two"]))
    result = lint("--config", str(tmp_path / "contracts.ini"), path=(tmp_path,))
    assert result.returncode == 1
    assert "acme_one stands on the core alone BROKEN" in result.stdout
    assert "acme_two stands on the core alone KEPT" in result.stdout
