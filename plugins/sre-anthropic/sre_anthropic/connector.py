"""Connector `anthropic`: requests in, the replies of Claude out."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from sre_anthropic.models import FEATURES, info
from sre_anthropic.request import build
from sre_anthropic.settings import OFFICIAL_URL, AnthropicSettings
from sre_anthropic.wire_cache import WireCache
from sre_core import logs
from sre_core.connectors.base import Settings, import_drivers
from sre_core.connectors.llm import LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from sre_anthropic.client import Client

__all__ = ["AnthropicLLM"]

log = logs.get_logger(__name__)


class AnthropicLLM(LLMConnector):
    """The models of Anthropic, and of every server that speaks its Messages API.

    Signed thoughts go back to the model with the messages that they came with. It never tries again by itself.
    """

    name = "anthropic"
    settings_type: ClassVar[type[Settings]] = AnthropicSettings
    capabilities = FEATURES

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = AnthropicSettings.model_validate(settings.model_dump())
        self._wires = WireCache()
        self._client: Client | None = None
        self._told: set[str] = set()

    async def start(self) -> None:
        """Open the pool of connections; nothing is sent.

        Raises ConfigError when the key is missing, or holds what cannot be sent.
        """
        if self._client is not None:
            return
        if not self._settings.plain_key and urlsplit(self._settings.url).hostname == urlsplit(OFFICIAL_URL).hostname:
            raise ConfigError(
                "llm connector 'anthropic' has no key",
                hint='`sre vault set anthropic` keeps one; then set key = { vault = "anthropic" }',
            )
        # The library takes a second and more.
        await import_drivers("sre_anthropic.client")
        from sre_anthropic.client import Client

        self._client = await Client.open(self._settings)

    async def stop(self) -> None:
        """Close all connections; what is under way breaks off."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _ready(self) -> "Client":
        if self._client is None:
            raise UnavailableError("llm connector 'anthropic' is not running", hint="start it first")
        return self._client

    async def ping(self) -> None:
        """Raise ConnectorError unless the server lists its models; one that has no list is healthy too."""
        try:
            await self._ready.models()
        except NotFoundError:
            log.debug("no_list_of_models")

    async def describe(self) -> Mapping[str, str]:
        """Which server, and the model that is asked when no other is named."""
        # Without what else may stand in a URL, such as a password.
        return {"server": urlsplit(self._settings.url).hostname or "", "model": self._settings.model}

    async def models(self) -> list[ModelInfo]:
        """What the server lists, the default first; only the default where it has no list."""
        default = self._settings.model
        try:
            listed = [_model(one) for one in await self._ready.models()]
        except NotFoundError:
            listed = []
        first = next((one for one in listed if one.id == default), info(default))
        return [first, *(one for one in listed if one.id != default)]

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Ask for a reply, and give it as it comes."""
        client = self._ready
        self.check(request)
        await self._wires.prepare(request.messages)
        body = build(request, self._settings, self._wires.get)
        self._tell(body.ignored)
        what = f"asking {request.model or self._settings.model!r}"
        async with aclosing(client.stream(body, what=what)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _tell(self, ignored: tuple[str, ...]) -> None:
        """Say once what is left out of requests."""
        for name in ignored:
            if name not in self._told:
                self._told.add(name)
                log.warning("sampling_ignored", connector=self.name, parameter=name)


def _model(data: Mapping[str, Any]) -> ModelInfo:
    known = info(data["id"])
    context, output = data.get("max_input_tokens"), data.get("max_tokens")
    return ModelInfo(
        id=data["id"],
        context_tokens=context if isinstance(context, int) and context > 0 else known.context_tokens,
        output_tokens=output if isinstance(output, int) and output > 0 else known.output_tokens,
    )
