"""The contracts that plugins write, each beside the handle that users hold."""

from sre_core.connectors.base import Connector, Service, Settings, import_drivers
from sre_core.connectors.cache import Cache, CacheConnector
from sre_core.connectors.handle import Handle
from sre_core.connectors.http_errors import error_for_status, retry_after_seconds, without_secrets
from sre_core.connectors.llm import (
    LLM,
    CallDelta,
    Completion,
    GeneratedImages,
    ImageRequest,
    LLMChunk,
    LLMConnector,
    LLMRequest,
    ModelInfo,
)
from sre_core.connectors.slot import Slot
from sre_core.connectors.storage import NEW, ObjectInfo, Storage, StorageConnector
from sre_core.connectors.vault import Vault, VaultConnector
from sre_core.connectors.vectors import (
    CollectionInfo,
    Comparison,
    Condition,
    Match,
    Metric,
    Scalar,
    VectorConnector,
    VectorRecord,
    Vectors,
)

__all__ = [
    "LLM",
    "NEW",
    "Cache",
    "CacheConnector",
    "CallDelta",
    "CollectionInfo",
    "Comparison",
    "Completion",
    "Condition",
    "Connector",
    "GeneratedImages",
    "Handle",
    "ImageRequest",
    "LLMChunk",
    "LLMConnector",
    "LLMRequest",
    "Match",
    "Metric",
    "ModelInfo",
    "ObjectInfo",
    "Scalar",
    "Service",
    "Settings",
    "Slot",
    "Storage",
    "StorageConnector",
    "Vault",
    "VaultConnector",
    "VectorConnector",
    "VectorRecord",
    "Vectors",
    "error_for_status",
    "import_drivers",
    "retry_after_seconds",
    "without_secrets",
]
