"""Language models: what a plugin writes (LLMConnector) and what a user holds (LLM)."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from sre_core.access.acl import Access
from sre_core.access.resource import Resource
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.handle import Handle
from sre_core.connectors.operation import collect
from sre_core.errors import ConfigError, ModelReplyError, UnsupportedError
from sre_core.messages import File, FinishReason, Message, ProviderState, SkillCall, SkillSpec, Usage

__all__ = [
    "LLM",
    "CallDelta",
    "Completion",
    "GeneratedImages",
    "ImageRequest",
    "LLMChunk",
    "LLMConnector",
    "LLMRequest",
    "ModelInfo",
    "fold",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMRequest:
    """One call of a model.

    `model` None means the connector's default. `skill_choice` "auto" lets the model choose, "required" makes it
    call a skill, "none" forbids it. `output_schema` (JSON schema) needs the capability "schema"; together with
    `skills` it binds the text of the answer, and the model may still call a skill first. `options` are for one
    connector only: it refuses those that it does not know with a ConfigError.
    """

    messages: tuple[Message, ...]
    model: str | None = None
    skills: tuple[SkillSpec, ...] = ()
    skill_choice: Literal["auto", "required", "none"] = "auto"
    output_schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    thinking: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDelta:
    """A piece of a skill call. Pieces of one call share `index`; `id` and `name` come with the first."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMChunk:
    """A piece of a reply. The last chunk, and only it, has `finish_reason`; `usage` and `state` come once.

    `state` is what the connector needs with the message in later requests; few do.
    """

    text: str = ""
    thinking: str = ""
    call: CallDelta | None = None
    usage: Usage | None = None
    state: ProviderState | None = None
    finish_reason: FinishReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole reply: chunks, folded."""

    message: Message
    thinking: str = ""
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason = FinishReason.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One call of a model that makes images.

    `images` are to be changed, or looked at, as the prompt says. `size` is the model's own word, as "1024x1024".
    `model` and `options` are as in LLMRequest.
    """

    prompt: str
    model: str | None = None
    count: int = 1
    size: str | None = None
    images: tuple[File, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedImages:
    """The images that a model made; the provider may make fewer than were asked for, never none."""

    images: tuple[File, ...]
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model that a connector serves; sizes in tokens, None where unknown.

    `place` says where its weights lie, if that is on this machine.
    """

    id: str
    context_tokens: int | None = None
    output_tokens: int | None = None
    place: str | None = None


_MODELS = Resource((Service.LLM.value,))
_MEDIA = {"image": "images", "audio": "audio", "video": "video"}


class LLMConnector(Connector):
    """A language model, or a service that has some.

    Capabilities: "tools", "schema", "reasoning", "images", "audio", "video", "documents", "embed",
    "image-generation", "count-tokens". A request that needs one that is not declared raises UnsupportedError.
    """

    service = Service.LLM

    @abstractmethod
    def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Generate. Closing the generator early stops the model and frees what the call held.

        Raises NotFoundError for an unknown model, RateLimitedError, UnavailableError, UnauthenticatedError.
        """

    @abstractmethod
    async def models(self) -> list[ModelInfo]:
        """The models that can be asked for; the first is the default. Must not download anything."""

    def check(self, request: LLMRequest) -> None:
        """Raise UnsupportedError if `request` needs a capability that is not declared. For `stream` to begin with."""
        has = self.capabilities
        if request.skills and "tools" not in has:
            raise self.unsupported("tools")
        if request.output_schema is not None and "schema" not in has:
            raise self.unsupported("schema")
        if request.thinking and "reasoning" not in has:
            raise self.unsupported("reasoning")
        for message in request.messages:
            for file in message.files:
                capability = _MEDIA.get(file.media_type.partition("/")[0], "documents")
                if capability not in self.capabilities:
                    missing = self.unsupported(capability)
                    raise UnsupportedError(
                        f"{missing.message}, which the file {file.name!r} ({file.media_type}) needs", hint=missing.hint
                    )

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """One vector per text, all of one length. Capability "embed"."""
        raise self.unsupported("embed")

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """Tokens of each text as the model's own tokenizer cuts it. Capability "count-tokens"."""
        raise self.unsupported("count-tokens")

    async def generate_images(self, request: ImageRequest) -> GeneratedImages:
        """Make images. Capability "image-generation". Raises what `stream` raises."""
        raise self.unsupported("image-generation")


class LLM(Handle):
    """The models of one connector, as one candidate may use them. Each model is a resource, `llm/<model>`."""

    service = Service.LLM

    @property
    def _connector(self) -> LLMConnector:
        return self._slot.connector  # type: ignore[return-value]  # the runtime pairs slots with handles by service

    def resource(self, path: str = "") -> Resource:
        """`llm/<model>`; `llm/<connector>` for the connector's default model. Models lie in no home."""
        return _MODELS.child(path or self._slot.name)

    def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Generate, piece by piece. Use it inside `contextlib.aclosing`. Needs READ on the model."""
        checked = self._checked(request)
        return self._stream("stream", Access.READ, checked.model or "", partial(self._begin, checked))

    async def complete(self, request: LLMRequest) -> Completion:
        """Generate, and wait for the whole reply. Needs READ; raises ModelReplyError when the stream was cut short."""
        checked = self._checked(request)
        operation = self._operation("stream", Access.READ, checked.model or "")
        return fold(await collect(operation, partial(self._begin, checked)))

    def _checked(self, request: LLMRequest) -> LLMRequest:
        """The request with the model's name as it is checked, not one that only looks like it."""
        model = self._model(request.model)
        return request if model == request.model else replace(request, model=model)

    def _begin(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        return self._connector.stream(request)

    async def models(self) -> list[ModelInfo]:
        """The models that the candidate may use; the first is the default."""
        async with self._operation("models", Access.READ, ""):
            found = await self._connector.models()
        return [model for model in found if await self._sees(model.id)]

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """One vector per text, all of one length. Capability "embed"; needs READ on the model."""
        async with self._operation("embed", Access.READ, model or ""):
            return await self._connector.embed(texts, model=self._model(model))

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """Tokens of each text. Capability "count-tokens"; needs READ on the model."""
        async with self._operation("count_tokens", Access.READ, model or ""):
            return await self._connector.count_tokens(texts, model=self._model(model))

    async def generate_images(self, request: ImageRequest) -> GeneratedImages:
        """Make images. Capability "image-generation"; needs READ on the model.

        Raises ConfigError when fewer than one image is asked for.
        """
        if request.count < 1:
            raise ConfigError(f"illegal count {request.count!r}", hint="ask for one image or more")
        model = self._model(request.model)
        async with self._operation("generate_images", Access.READ, model or ""):
            return await self._connector.generate_images(replace(request, model=model))

    def _model(self, model: str | None) -> str | None:
        """A model's name as it is checked; None for the connector's default."""
        return self._key(model) if model else None


def fold(chunks: Sequence[LLMChunk]) -> Completion:
    """Put the pieces of a reply together. Raises ModelReplyError if the last one has no finish reason."""
    if not chunks or chunks[-1].finish_reason is None:
        raise ModelReplyError("the model's reply was cut: its stream ended without a finish reason", hint="try again")
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[CallDelta] = []
    usage: Usage | None = None
    state: ProviderState | None = None
    for chunk in chunks:
        if chunk.text:
            texts.append(chunk.text)
        if chunk.thinking:
            thoughts.append(chunk.thinking)
        if chunk.call is not None:
            calls.append(chunk.call)
        if chunk.usage is not None:
            usage = chunk.usage if usage is None else usage + chunk.usage
        state = chunk.state or state
    return Completion(
        message=Message.assistant("".join(texts), skill_calls=_whole(calls) if calls else (), state=state),
        thinking="".join(thoughts),
        usage=usage or Usage(),
        finish_reason=chunks[-1].finish_reason,
    )


def _whole(pieces: Sequence[CallDelta]) -> tuple[SkillCall, ...]:
    """The calls that the pieces make, in order of their index."""
    calls: dict[int, list[CallDelta]] = {}
    for piece in pieces:
        calls.setdefault(piece.index, []).append(piece)
    return tuple(
        SkillCall(
            id=next((piece.id for piece in call if piece.id), f"call_{index}"),
            name=next((piece.name for piece in call if piece.name), ""),
            arguments="".join(piece.arguments for piece in call),
        )
        for index, call in sorted(calls.items())
    )
