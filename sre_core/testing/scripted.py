"""A language model that says what a test tells it to say, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from sre_core.connectors.base import Connector, Settings
from sre_core.connectors.llm import CallDelta, LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, ConnectorError, NotFoundError
from sre_core.hookspecs import hookimpl
from sre_core.messages import FinishReason, Message, Usage

__all__ = ["Pause", "ScriptedLLM", "ScriptedPlugin", "ScriptedReply"]

EVERYTHING = frozenset({"audio", "count-tokens", "images", "reasoning", "schema", "tools"})


class Pause:
    """A place in a reply where the model waits, for tests of cancellation and of things that happen meanwhile."""

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self.resume = anyio.Event()


Piece: TypeAlias = str | LLMChunk | Pause | BaseException
ScriptedReply: TypeAlias = str | Message | BaseException | Sequence[Piece] | Callable[[LLMRequest], "ScriptedReply"]
"""What one call gives.

- text: it comes in two or more chunks, then usage and finish reason;
- an assistant message: its text, then its skill calls in pieces;
- an exception: raised at once;
- a list: played as it stands, so its last piece should be a chunk with a finish reason. A `str` in it is a chunk
  of text, a `Pause` waits, an exception is raised;
- a function of the request that returns one of these.
"""


class ScriptedLLM(LLMConnector):
    """Gives the replies of a script, one for each call, in order.

        llm = ScriptedLLM("Hello.", Message.assistant(skill_calls=(call,)), RateLimitedError("slow down"))
        plugins = Plugins.load(extra={"scripted": llm.as_plugin()})  # installs a connector "scripted"

    `requests` holds what was asked, `running` how many replies are being given now. With `repeat` the script
    begins again when it has ended. Tokens are words.
    """

    name = "scripted"
    capabilities = EVERYTHING

    def __init__(
        self,
        *replies: ScriptedReply,
        capabilities: Iterable[str] = EVERYTHING,
        models: Sequence[str] = ("scripted",),
        options: Iterable[str] = (),
        repeat: bool = False,
    ) -> None:
        super().__init__(Settings())
        self.requests: list[LLMRequest] = []
        self.running = 0
        self.capabilities = frozenset(capabilities)  # type: ignore[misc]  # each script declares its own
        self._replies = replies
        self._models = tuple(models)
        self._options = frozenset(options)
        self._repeat = repeat

    @property
    def request(self) -> LLMRequest:
        """The last request. Raises IndexError if there was none."""
        return self.requests[-1]

    def as_plugin(self) -> "ScriptedPlugin":
        """A plugin whose one connector plays this script, in as many runtimes as use it."""
        return ScriptedPlugin(self.connector_type())

    def connector_type(self) -> type[LLMConnector]:
        """A connector class for a runtime to instantiate; all instances play this one script."""
        script = self

        class Scripted(LLMConnector):
            """Plays a script that a test holds."""

            name = script.name
            capabilities = script.capabilities

            def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
                return script.stream(request)

            async def models(self) -> list[ModelInfo]:
                return await script.models()

            async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
                return await script.embed(texts, model=model)

            async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
                return await script.count_tokens(texts, model=model)

        return Scripted

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Give the next reply. Raises ConnectorError when there is none left."""
        self._check_model(request.model)
        self.check(request)
        for option in request.options:
            if option not in self._options:
                raise ConfigError(f"the scripted model knows no option {option!r}")
        number = len(self.requests)
        self.requests.append(request)
        pieces = _pieces(self._reply(number), request)
        self.running += 1
        try:
            for piece in pieces:
                await asyncio.sleep(0)
                if isinstance(piece, BaseException):
                    raise piece
                if isinstance(piece, Pause):
                    piece.reached.set()
                    await piece.resume.wait()
                    continue
                yield LLMChunk(text=piece) if isinstance(piece, str) else piece
        finally:
            self.running -= 1

    async def models(self) -> list[ModelInfo]:
        """The models that it was made with."""
        return [ModelInfo(id=model) for model in self._models]

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """The number of words of each text."""
        if "count-tokens" not in self.capabilities:
            raise self.unsupported("count-tokens")
        self._check_model(model)
        return [len(text.split()) for text in texts]

    def _check_model(self, model: str | None) -> None:
        if model is not None and model not in self._models:
            raise NotFoundError(f"the scripted model has no model {model!r}", hint=f"it has {', '.join(self._models)}")

    def _reply(self, number: int) -> ScriptedReply:
        if self._replies and (self._repeat or number < len(self._replies)):
            return self._replies[number % len(self._replies)]
        raise ConnectorError(
            f"the script has {len(self._replies)} replies, and was asked for number {number + 1}",
            hint="add replies, or see in `requests` who asks so often",
        )


@dataclass(frozen=True, slots=True)
class ScriptedPlugin:
    """A plugin that offers one connector."""

    connector: type[Connector]

    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        """The connector."""
        return [self.connector]


def _pieces(reply: ScriptedReply, request: LLMRequest) -> Sequence[Piece]:
    if isinstance(reply, str):
        return _message(Message.assistant(reply), request)
    if isinstance(reply, Message):
        return _message(reply, request)
    if isinstance(reply, BaseException):
        return [reply]
    if isinstance(reply, Sequence):
        return reply
    return _pieces(reply(request), request)


def _message(message: Message, request: LLMRequest) -> list[Piece]:
    chunks = [LLMChunk(text=part) for part in _halves(message.text)]
    for index, call in enumerate(message.skill_calls):
        chunks.append(LLMChunk(call=CallDelta(index=index, id=call.id, name=call.name)))
        chunks += [LLMChunk(call=CallDelta(index=index, arguments=part)) for part in _halves(call.arguments)]
    said = len(message.text.split()) + sum(len(call.arguments.split()) for call in message.skill_calls)
    usage = Usage(input_tokens=sum(len(m.text.split()) for m in request.messages), output_tokens=said)
    finish = FinishReason.SKILL_CALLS if message.skill_calls else FinishReason.STOP
    return [*chunks, LLMChunk(usage=usage, finish_reason=finish)]


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]
