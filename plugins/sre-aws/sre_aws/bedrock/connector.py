"""Connector `bedrock`: requests in, the replies of models on Amazon Bedrock out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from sre_aws.bedrock.models import info
from sre_aws.bedrock.request import build
from sre_aws.bedrock.settings import BedrockSettings
from sre_aws.bedrock.traits import family
from sre_aws.bedrock.wire_cache import WireCache
from sre_core import logs
from sre_core.connectors.base import Settings, import_drivers
from sre_core.connectors.llm import LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from sre_aws.bedrock.client import Bedrock

__all__ = ["BedrockLLM"]

log = logs.get_logger(__name__)


class BedrockLLM(LLMConnector):
    """The models on Amazon Bedrock, through its Converse API; embeddings by Titan and Cohere.

    What a model can do is its own matter: the service refuses what it cannot. Signed thoughts go back to the model with
    the messages that they came with. It never tries again by itself, if not told to.
    """

    name = "bedrock"
    settings_type: ClassVar[type[Settings]] = BedrockSettings
    capabilities = frozenset({"audio", "documents", "embed", "images", "reasoning", "schema", "tools", "video"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = BedrockSettings.model_validate(settings.model_dump())
        self._wires = WireCache()
        self._client: Bedrock | None = None
        self._told: set[str] = set()

    async def start(self) -> None:
        """Find credentials and region; asks AWS nothing. Raises UnauthenticatedError, ConfigError."""
        await self.stop()
        await import_drivers("sre_aws.bedrock.client")
        from sre_aws.bedrock.client import Bedrock

        self._client = Bedrock(self._settings)
        await self._client.open()

    async def stop(self) -> None:
        """Close all connections; what is under way breaks off."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _ready(self) -> "Bedrock":
        if self._client is None:
            raise UnavailableError("llm connector 'bedrock' is not running", hint="start it first")
        return self._client

    async def ping(self) -> None:
        """Raise ConnectorError unless AWS knows who is asking."""
        await self._ready.check()

    async def describe(self) -> Mapping[str, str]:
        """The model that is asked when no other is named, and where."""
        given = self._settings
        place = given.url or given.region or "the region of the profile or the environment"
        return {"model": given.model or "none; each request has to name one", "region": place}

    async def models(self) -> list[ModelInfo]:
        """What is to be had in the region, the default first; only the default where nobody may list them."""
        try:
            listed = [_known(model.id) for model in await self._ready.models()]
        except UnauthenticatedError:
            if self._settings.model is None:
                raise
            listed = []
        default = self._settings.model
        if default is None:
            return listed
        return [_known(default), *(model for model in listed if model.id != default)]

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """One vector per text, by `embedding_model` if none is named. Raises NotFoundError for makers unknown."""
        client = self._ready
        if not texts:
            return []
        return await client.embed(texts, model=model or self._settings.embedding_model)

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Ask for a reply, and give it as it comes."""
        client = self._ready
        self.check(request)
        model = request.model or self._settings.model
        if model is None:
            raise ConfigError(
                "neither the request nor the connector 'bedrock' names a model",
                hint='set model = "..." under [connectors.llm.<id>]',
            )
        call = build(request, self._settings, model, partial(self._wires.get, family=family(model)))
        self._tell(call.ignored)
        async with aclosing(client.stream(call, model=model)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _tell(self, ignored: tuple[str, ...]) -> None:
        """Say once what is left out of requests."""
        for name in ignored:
            if name not in self._told:
                self._told.add(name)
                log.warning("sampling_ignored", connector=self.name, parameter=name)


def _known(model: str) -> ModelInfo:
    return replace(info(model), id=model)
