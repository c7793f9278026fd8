"""Connector `openai`: requests in, the replies of a server that speaks OpenAI's API out."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from sre_core import logs
from sre_core.connectors.base import Settings, import_drivers
from sre_core.connectors.llm import (
    GeneratedImages,
    ImageRequest,
    LLMChunk,
    LLMConnector,
    LLMRequest,
    ModelInfo,
)
from sre_core.connectors.stop_filter import StopFilter
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnavailableError
from sre_core.messages import File, FinishReason, Usage
from sre_openai.credentials import headers_of, secrets_of
from sre_openai.dialect import Dialect, Reader
from sre_openai.embeddings import embedding_fields, vectors
from sre_openai.endpoints import Endpoints
from sre_openai.failures import reply_failure
from sre_openai.files import is_text
from sre_openai.images import image_fields, image_media_type, image_parts
from sre_openai.listing import ModelList, listed, with_default
from sre_openai.presets import PRESETS
from sre_openai.reply_error import ReplyError
from sre_openai.settings import ApiName, OpenAISettings
from sre_openai.usage import usage_of

if TYPE_CHECKING:
    from sre_openai.client import Client

__all__ = ["OpenAILLM"]

log = logs.get_logger(__name__)

_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class OpenAILLM(LLMConnector):
    """The models of OpenAI, of Azure, and of every server that speaks OpenAI's chat completions or Responses.

    What it can do is a matter of the server: each connector declares what its preset says, or its settings. It never
    tries again by itself.
    """

    name = "openai"
    settings_type: ClassVar[type[Settings]] = OpenAISettings
    capabilities = frozenset(
        {"audio", "documents", "embed", "image-generation", "images", "reasoning", "schema", "tools"}
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = given = OpenAISettings.model_validate(settings.model_dump())
        self._preset = PRESETS[given.preset or ("compatible" if given.url else "openai")]
        api: ApiName = "chat" if self._preset.name == "azure" and given.api_version else self._preset.api
        self._api: ApiName = given.api or api
        self._default = given.model or self._preset.model
        declared = self._preset.capabilities if given.capabilities is None else given.capabilities
        # What it can do is a matter of its settings, so it is the instance that declares it.
        self.capabilities = declared - ({"audio"} if self._api == "responses" else frozenset())  # type: ignore[misc]
        self._client: Client | None = None

    async def start(self) -> None:
        """Open the pool of connections; nothing is sent. Raises ConfigError when the key or the URL is missing."""
        if self._client is not None:
            return
        await import_drivers("sre_openai.client")
        from sre_openai.client import Client

        given, preset = self._settings, self._preset
        self._endpoints = Endpoints.of(given, preset)
        self._dialect = Dialect(
            self._api,
            preset,
            place=self._endpoints.place,
            effort=given.effort,
            image_detail=given.image_detail,
        )
        self._models = ModelList(self._list)
        self._client = Client(given, headers=headers_of(given, preset), secrets=secrets_of(given))

    async def stop(self) -> None:
        """Close all connections; what is under way breaks off."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _ready(self) -> "Client":
        if self._client is None:
            raise UnavailableError("llm connector 'openai' is not running", hint="start it first")
        return self._client

    async def ping(self) -> None:
        """Raise ConnectorError unless the server lists its models; one that has no list is healthy too."""
        try:
            await self._list()
        except NotFoundError:
            log.debug("no_list_of_models", place=self._endpoints.place)

    async def describe(self) -> Mapping[str, str]:
        """Which server, through which API, and the model that is asked when no other is named."""
        endpoints = Endpoints.of(self._settings, self._preset)
        headers_of(self._settings, self._preset)
        return {
            "server": f"{self._preset.title} at {endpoints.place}",
            "api": "chat completions" if self._api == "chat" else "Responses",
            "model": self._default or "the first that the server lists",
        }

    async def models(self) -> list[ModelInfo]:
        """What the server lists, asked once as long as it has what is asked for, or what the settings name.

        The default is the first.
        """
        return with_default(await self._known(), self._default)

    def check(self, request: LLMRequest) -> None:
        """Raise UnsupportedError if `request` needs what is not declared. Text files are sent as text anywhere."""
        if "documents" not in self.capabilities and any(message.files for message in request.messages):
            bare = [
                replace(message, files=tuple(file for file in message.files if not is_text(file)))
                for message in request.messages
            ]
            request = replace(request, messages=tuple(bare))
        super().check(request)

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Ask for a reply, and give it as it comes.

        Where a server cannot be told where to stop, it is left alone at the first stop sequence; then nothing is known
        of the usage.
        """
        client = self._ready
        self.check(request)
        if request.thinking is False and "reasoning" not in self.capabilities:
            request = replace(request, thinking=None)
        model = request.model or self._default
        if model is None or self._preset.any_model:
            model = await self._model(model)
        body, told = await self._dialect.body(request, model)
        reader = self._dialect.reader()
        stops = StopFilter(request.stop) if request.stop else None
        what = self._what(f"asking {model!r}")
        with self._models:
            async with client.reply(
                self._endpoints.url(self._dialect.path, model), body, what=what, model=model
            ) as reply:
                while not reader.done and (events := await reply.next()):
                    for chunk in self._read(reader, events, what, model):
                        if stops is None or not chunk.text:
                            yield chunk
                        elif text := stops.push(chunk.text):
                            yield replace(chunk, text=text)
                    if stops is not None and stops.found and not told:
                        yield LLMChunk(finish_reason=FinishReason.STOP)
                        return
                if not reply.at_end:
                    await reply.drain()
        for chunk in self._last(reader, stops, what, model):
            yield chunk

    def _read(self, reader: Reader, events: list[bytes], what: str, model: str) -> list[LLMChunk]:
        try:
            return reader.read(events)
        except ReplyError as error:
            raise self._reported(error, what, model) from None
        except _MALFORMED as error:
            raise _garbled(what) from error

    def _last(self, reader: Reader, stops: StopFilter | None, what: str, model: str) -> list[LLMChunk]:
        """What follows when the stream is over. Raises UnavailableError when it was cut."""
        try:
            chunks, last = reader.rest(), reader.end()
        except ReplyError as error:
            raise self._reported(error, what, model) from None
        except _MALFORMED as error:
            raise _garbled(what) from error
        if last is None:
            raise UnavailableError(f"{what}: the server broke its reply off", hint="try again")
        if stops is not None:
            if text := stops.flush():
                chunks.append(LLMChunk(text=text))
            if stops.found and last.finish_reason is FinishReason.LENGTH:
                last = replace(last, finish_reason=FinishReason.STOP)
        return [*chunks, last]

    def _reported(self, error: ReplyError, what: str, model: str) -> ConnectorError:
        return reply_failure(error.error, what=what, model=model, secrets=secrets_of(self._settings))

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """One vector per text, all of one length; many texts are sent in several requests, one after the other."""
        client = self._ready
        if "embed" not in self.capabilities:
            raise self.unsupported("embed")
        given, found = self._settings, list[list[float]]()
        model = await self._model(model or given.embedding_model or self._preset.embedding_model)
        what = self._what(f"embedding with {model!r}")
        for start in range(0, len(texts), given.embedding_batch):
            batch = texts[start : start + given.embedding_batch]
            fields = embedding_fields(batch, self._preset, model=model, dimensions=given.embedding_dimensions)
            url = self._endpoints.url("embeddings", model)
            with self._models:
                data = await client.json("POST", url, what=what, model=model, body=json.dumps(fields).encode())
            try:
                found += vectors(data, len(batch))
            except _MALFORMED as error:
                raise ConnectorError(f"{what}: the server's answer holds no vectors for the texts") from error
        return found

    async def generate_images(self, request: ImageRequest) -> GeneratedImages:
        """Make images, or change those of the request. Raises UnsupportedError where images cannot be changed."""
        client, preset = self._ready, self._preset
        if "image-generation" not in self.capabilities:
            raise self.unsupported("image-generation")
        model = request.model or self._settings.image_model or preset.image_model
        if model is None:
            raise ConfigError("no model for images is named", hint="set `image_model`, or name one in the request")
        if request.images and not preset.image_edits:
            raise self.unsupported("images to make images from")
        fields = image_fields(request, preset, model=model)
        what = self._what(f"making images with {model!r}")
        if request.images:
            # Only now, since it needs aiohttp.
            from sre_openai.image_form import image_form

            url, form = self._endpoints.url("images/edits", model), image_form(fields, request.images)
            data = await client.json("POST", url, what=what, model=model, form=form)
        else:
            url = self._endpoints.url("images/generations", model)
            data = await client.json("POST", url, what=what, model=model, body=json.dumps(fields).encode())
        try:
            parts = image_parts(data)
        except _MALFORMED as error:
            raise ConnectorError(f"{what}: the server's answer holds no images") from error
        files = [await self._file(part, number, data, what) for number, part in enumerate(parts, start=1)]
        return GeneratedImages(images=tuple(files), usage=usage_of(data.get("usage")) or Usage())

    async def _file(self, part: bytes | str, number: int, reply: Mapping[str, Any], what: str) -> File:
        content = part if isinstance(part, bytes) else await self._ready.download(part, what=what)
        kind = image_media_type(content, reply)
        suffix = kind.partition("/")[2].partition("+")[0]
        return File(name=f"image-{number}.{suffix}", media_type=kind, data=content)

    async def _model(self, model: str | None) -> str:
        """The model to ask. Raises NotFoundError for one that a server which takes any name does not have."""
        model = model or self._default
        if model is not None and not self._preset.any_model:
            return model
        if model is None and self._preset.needs_key:
            raise ConfigError(
                f"llm connector 'openai' with the preset {self._preset.name!r} needs a `model`",
                hint="of azure, the name of your deployment",
            )
        known = await self._known(model)
        if model is None:
            if not known:
                raise NotFoundError(
                    f"{self._endpoints.place} lists no models", hint="set `model`, or load one in the server"
                )
            return known[0].id
        if known and model not in {info.id for info in known}:
            raise NotFoundError(
                f"{self._endpoints.place} has no model {model!r}", hint=f"it has: {', '.join(m.id for m in known[:9])}"
            )
        return model

    async def _known(self, wanted: str | None = None) -> list[ModelInfo]:
        """The models that there are, empty where the server has no list."""
        if self._settings.models:
            return [ModelInfo(id=name) for name in self._settings.models]
        return await self._models.get(wanted)

    async def _list(self) -> list[ModelInfo]:
        what = self._what("listing models")
        data = await self._ready.json("GET", self._endpoints.url("models"), what=what)
        try:
            return listed(data)
        except _MALFORMED as error:
            raise ConnectorError(f"{what}: the server's answer is no list of models") from error

    def _what(self, doing: str) -> str:
        return f"{doing} at {self._endpoints.place}"


def _garbled(what: str) -> ConnectorError:
    return ConnectorError(f"{what}: the server sent an event that is not of the protocol")
