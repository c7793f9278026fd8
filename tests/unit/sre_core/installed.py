"""Real distributions, made while a test runs: a module, and the metadata that an installer would write."""

import sys
import uuid
from pathlib import Path

import pytest

HEADER = """
from sre_core.connectors import CacheConnector, Settings
from sre_core.errors import NotFoundError
from sre_core.hookspecs import hookimpl


class Acme(CacheConnector):
    "Forgets everything."
    name = "acme"

    async def get(self, key): return None
    async def set(self, key, value, *, ttl=None): pass
    async def delete(self, key): pass
    async def expires_in(self, key): raise NotFoundError(key)

"""

CONNECTORS = """
@hookimpl
def register_connectors():
    return [{}]
"""


class Installer:
    """Installs plugins into a folder on `sys.path`; `modules` are forgotten afterwards."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.modules: list[str] = []
        monkeypatch.syspath_prepend(str(folder))

    def install(self, name: str, source: str, *, target: str = "{module}", version: str = "1.2.3") -> str:
        """Install a plugin and return the name of its distribution, which its module shares."""
        module = f"{name.replace('-', '_')}_{uuid.uuid4().hex}"
        self.modules.append(module)
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[sre]\n{name} = {target.format(module=module)}\n")
        return module

    def good(self, name: str = "good", *, connector: str | None = None) -> str:
        """Install a plugin that offers a cache of the plugin's own name."""
        source = HEADER.replace('"acme"', repr(connector or name)) + CONNECTORS.format("Acme")
        return self.install(name, source)

    def forget(self) -> None:
        """Remove what was imported."""
        for module in self.modules:
            sys.modules.pop(module, None)
