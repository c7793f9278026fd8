"""A folder with a project in it, and imports that are undone after each test."""

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SETTINGS = """
[connectors.llm.default]
use = "echo"

[connectors.vault.default]
use = "file"
path = ".sre/vault"
key_file = "vault.key"
"""

AGENT = '''
from sre_sdk import Agent

agent = Agent("Tester", id="tester")


@agent.skill
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose model is echo, as the current folder."""
    for name in [name for name in os.environ if name.startswith("SRE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "sre.toml").write_text(SETTINGS)
    (tmp_path / "vault.key").write_bytes(base64.b64encode(bytes(range(32))))
    (tmp_path / "vault.key").chmod(0o600)
    (tmp_path / "agent.py").write_text(AGENT)
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
