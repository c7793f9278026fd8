"""What is not used is not loaded: importing us, and asking for help, stays quick."""

import subprocess
import sys

import pytest

from tests.architecture.tree import plugin_packages

HEAVY = ("torch", "transformers", "boto3", "pymilvus", "numpy", "fastapi", "aiohttp")
HEAVY += ("aiobotocore", "anthropic", "azure", "botocore", "google", "grpc", "httpx", "hvac", "pinecone", "redis")
HEAVY += ("requests",)

REPORT = f"""
import sys
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
HELP = """
import sys
from sre_cli.main import main
sys.argv = ["sre", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("---")
"""


def loaded_by(program: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", program + REPORT], capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "module", ["sre_sdk", "sre_core.runtime", "sre_core.connectors", "sre_core.builtin", "sre_core.testing.plugin"]
)
def test_importing_loads_nothing_heavy(module):
    assert loaded_by(f"import {module}") == []


@pytest.mark.parametrize("package", plugin_packages(), ids=lambda package: package.name)
def test_a_plugin_loads_nothing_heavy_until_its_connector_starts(package):
    hooks = f"""
import {package.name} as plugin
for hook in ("register_connectors", "register_components", "register_skills", "register_models"):
    getattr(plugin, hook, list)()
"""
    assert loaded_by(hooks) == []


def test_asking_for_help_loads_nothing_heavy():
    assert loaded_by(HELP) == []


def test_something_heavy_would_be_seen():
    assert loaded_by("import numpy") == ["numpy"]
