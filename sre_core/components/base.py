"""Components: the nodes that workflows are made of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel

from sre_core.access.candidate import Candidate
from sre_core.connectors import LLM, Cache, Storage, Vault, Vectors
from sre_core.events import Emit, discard
from sre_core.steps import DirectSteps, Steps

__all__ = ["Component", "ComponentContext"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentContext:
    """What a component works with: the handles of the agent that it runs for."""

    candidate: Candidate
    llm: LLM
    storage: Storage
    vectors: Vectors
    cache: Cache
    vault: Vault
    emit: Emit = discard
    steps: Steps = field(default_factory=DirectSteps)


class Component(ABC):
    """One kind of node. `name` is the type that workflow files use, `settings_type` what a node of it holds."""

    name: ClassVar[str]
    settings_type: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, settings: BaseModel) -> None:
        self.settings = settings

    @abstractmethod
    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Turn inputs into outputs. An output that is absent does not fire its links; None does."""
