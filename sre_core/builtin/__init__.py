"""The connectors that every installation has, registered by the same hook as any plugin's."""

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.builtin.env_vault import EnvVault
from sre_core.builtin.file_vault import FileVault
from sre_core.builtin.local_storage import LocalStorage
from sre_core.builtin.local_vault import LocalVault
from sre_core.builtin.memory_cache import MemoryCache
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.builtin.memory_vectors import MemoryVectors
from sre_core.builtin.smythos_vault import SmythOSVault
from sre_core.builtin.sqlite_cache import SqliteCache
from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_core.models.entry import ModelEntry

__all__ = [
    "EchoLLM",
    "EnvVault",
    "FileVault",
    "LocalStorage",
    "LocalVault",
    "MemoryCache",
    "MemoryStorage",
    "MemoryVectors",
    "SmythOSVault",
    "SqliteCache",
    "register_connectors",
    "register_models",
]


@hookimpl
def register_connectors() -> list[type[Connector]]:
    """All of them."""
    return [
        EchoLLM,
        EnvVault,
        FileVault,
        LocalStorage,
        LocalVault,
        MemoryCache,
        MemoryStorage,
        MemoryVectors,
        SmythOSVault,
        SqliteCache,
    ]


@hookimpl
def register_models() -> list[ModelEntry]:
    """The one that needs no weights."""
    features = EchoLLM.capabilities
    return [ModelEntry(id="echo/echo", connector="echo", features=features, input_price=0, output_price=0)]
