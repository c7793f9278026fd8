"""Connector `google`: Gemini models through the Gemini API or Vertex AI."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from sre_core import logs
from sre_core.connectors.base import Settings, import_drivers
from sre_core.connectors.llm import GeneratedImages, ImageRequest, LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConnectorError, UnavailableError
from sre_core.messages import Usage
from sre_google.contents import PartsCache
from sre_google.images import Drawing, image_body, named
from sre_google.models import info
from sre_google.request import Target, check_files, request_body
from sre_google.response import ReplyReader
from sre_google.settings import GoogleSettings
from sre_google.together import together

if TYPE_CHECKING:
    from google.genai.types import Model

    from sre_google.client import GoogleClient

__all__ = ["GoogleLLM"]

log = logs.get_logger(__name__)

_AT_ONCE = 16
# So many bytes of files take long enough to encode that other tasks would notice.
_SLOW_BYTES = 1 << 20
_METHODS = frozenset({"generateContent", "embedContent"})


class GoogleLLM(LLMConnector):
    """Google's models: through the Gemini API with a key, or through Vertex AI with a project's credentials.

    It tries nothing again by itself, but for one thing: where Vertex AI refuses an access token, it asks for a new one.
    """

    name = "google"
    settings_type: ClassVar[type[Settings]] = GoogleSettings
    capabilities = frozenset(
        {
            "audio",
            "count-tokens",
            "documents",
            "embed",
            "image-generation",
            "images",
            "reasoning",
            "schema",
            "tools",
            "video",
        }
    )

    def __init__(self, settings: Settings) -> None:
        """Remember the settings."""
        super().__init__(settings)
        self._settings = GoogleSettings.model_validate(settings.model_dump())
        if not self._settings.count_tokens:
            self.capabilities = self.capabilities - {"count-tokens"}  # type: ignore[misc]
        self._client: GoogleClient | None = None
        self._parts = PartsCache()

    async def start(self) -> None:
        """Open the client. Asks no server, but for credentials of this machine.

        Raises ConfigError when key, credentials or project are missing or wrong, UnauthenticatedError when the machine
        has no credentials of its own.
        """
        if self._client is not None:
            return
        await import_drivers("sre_google.client")
        from sre_google.client import open_client

        self._client = await open_client(self._settings)
        log.info("google_ready", backend=self._settings.backend, model=self._settings.model)

    async def stop(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _ready(self) -> "GoogleClient":
        if self._client is None:
            raise UnavailableError("the connector 'google' is not running", hint="start it first")
        return self._client

    async def ping(self) -> None:
        """List one model: shows that the server is there and lets us in."""
        await self._ready.models(at_most=1)

    async def describe(self) -> Mapping[str, str]:
        """Which API and which models."""
        settings = self._settings
        place = {"url": settings.place} if settings.place else {}
        return {"backend": settings.backend, "model": settings.model, **place}

    async def models(self) -> list[ModelInfo]:
        """What the server lists, after the configured model; only that one before the start."""
        first = info(self._settings.model)
        if self._client is None:
            return [first]
        found = {first.id: first}
        for model in await self._client.models():
            entry = _listed(model)
            if entry is not None:
                found[entry.id] = entry
        return list(found.values())

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Generate. What was thought comes as summaries, and only where it is asked for."""
        client = self._ready
        self.check(request)
        settings = self._settings
        target = Target(backend=settings.backend, model=request.model or settings.model)
        size = check_files((message.files for message in request.messages), settings.file_bytes)
        build = partial(request_body, request, target, self._parts, level=settings.thinking_level)
        body = await asyncio.to_thread(build) if size > _SLOW_BYTES else build()
        reply = ReplyReader(target, earlier_calls=sum(len(message.skill_calls) for message in request.messages))
        try:
            async with aclosing(client.stream(target.model, body)) as pieces:
                async for piece in pieces:
                    for chunk in reply.read(piece):
                        yield chunk
        except ConnectorError:
            # What breaks off after the model's last word broke nothing.
            if not reply.finished:
                raise
        yield reply.end()

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """One vector per text, of length 1. Texts that are too long for the model are cut there by Google."""
        client, batch = self._ready, self._settings.embedding_batch
        name = model or self._settings.embedding_model
        found: list[list[float]] = []
        for start in range(0, len(texts), batch):
            found += await client.embed(name, texts[start : start + batch])
        return [_unit(vector) for vector in found]

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """Tokens of each text, which costs a request for each; none for an empty one."""
        if "count-tokens" not in self.capabilities:
            raise self.unsupported("count-tokens")
        client, name = self._ready, model or self._settings.model
        said = [text for text in texts if text]
        counts = iter(await together([partial(client.count_tokens, name, text) for text in said], at_once=_AT_ONCE))
        return [next(counts) if text else 0 for text in texts]

    async def generate_images(self, request: ImageRequest) -> GeneratedImages:
        """Make images, each by a request of its own.

        Images that a filter holds back are missing, unless all are: that is a ConnectorError.
        """
        check_files([request.images], self._settings.file_bytes)
        draw = partial(self._draw, self._ready, request.model or self._settings.image_model, image_body(request))
        drawings = await together([draw] * request.count, at_once=_AT_ONCE)
        images = [image for drawing in drawings for image in drawing.images]
        failed = [drawing for drawing in drawings if not drawing.images]
        if failed and (not images or not all(drawing.withheld for drawing in failed)):
            raise failed[0].failure()
        return GeneratedImages(images=named(images), usage=sum((one.usage for one in drawings), Usage()))

    async def _draw(self, client: "GoogleClient", model: str, body: dict[str, Any]) -> Drawing:
        drawing = Drawing(model)
        async with aclosing(client.stream(model, body)) as pieces:
            async for piece in pieces:
                drawing.read(piece)
        return drawing


def _listed(model: "Model") -> ModelInfo | None:
    """A model of the server's list; None for one that only does what we have no call for, such as speaking."""
    name = (model.name or "").rsplit("/", 1)[-1]
    methods = set(model.supported_actions or ())
    if not name or (methods and not methods & _METHODS):
        return None
    known = info(name)
    return ModelInfo(
        id=name,
        context_tokens=model.input_token_limit or known.context_tokens,
        output_tokens=model.output_token_limit or known.output_tokens,
    )


def _unit(vector: list[float]) -> list[float]:
    """Of length 1, which Google's shortened vectors are not."""
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector] if length else vector
