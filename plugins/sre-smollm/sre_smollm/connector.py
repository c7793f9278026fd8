"""Connector `smollm`: requests in, the reply of a model on this machine out."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from sre_core import logs
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, NotFoundError, UnavailableError, UnsupportedError
from sre_core.events import ModelTimed, current_emit
from sre_core.messages import MessageRole, SkillSpec
from sre_smollm.description import describe
from sre_smollm.embeddings.embedder import Embedder
from sre_smollm.embeddings.options import EmbeddingOptions
from sre_smollm.embeddings.places import present
from sre_smollm.engine.engine import Engine
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.stats import EngineStats
from sre_smollm.local_model import LocalModel, TextSide, find_model, model_id
from sre_smollm.prompts.choice import choose
from sre_smollm.prompts.grounding import ground
from sre_smollm.prompts.worked_examples import arguments_prompt
from sre_smollm.requests import check_sense, plain_request
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.known import canonical, known_model
from sre_smollm.weights.sources import picked
from sre_smollm.writing.grammar import Grammars
from sre_smollm.writing.reply import Choose, Plan, reply
from sre_smollm.writing.tools import Tools

__all__ = ["SmolLM"]

log = logs.get_logger(__name__)

_LARGE = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What a started connector has."""

    name: str
    model: LocalModel
    engine: Engine
    tools: Tools
    embedder: Embedder
    routes: bool
    """Whether the embedder helps to choose skills: it need not be on this machine."""
    preparing: asyncio.Future[None]


class SmolLM(LLMConnector):
    """A language model on this machine, SmolLM3 or SmolLM2 if not told otherwise.

    Requests are worked on together, and prompts that begin alike are read once. Audio and options are not taken. A
    request's `stop` does not apply to skill calls and to text under an output schema.
    """

    name = "smollm"
    settings_type: ClassVar[type[Settings]] = SmolLMSettings
    capabilities = frozenset({"tools", "schema", "reasoning", "images", "embed", "count-tokens"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = SmolLMSettings.model_validate(settings.model_dump())
        self._running: _Running | None = None

    async def start(self) -> None:
        """Load the weights; a GGUF file is converted first, once.

        Raises NotFoundError when the weights are not on this machine and may not be downloaded, ConfigError
        when they are damaged, or when `thinking` is set for a model that cannot think, UnsupportedError when the
        engine that is set cannot run the model.
        """
        if self._running is not None:
            return
        self._settings = await asyncio.to_thread(picked, self._settings)
        options = _embedding(self._settings)
        routes = await asyncio.to_thread(present, options)
        name = await asyncio.to_thread(model_id, self._settings)
        model = await asyncio.to_thread(find_model, self._settings)
        engine = Engine(model.open, limits=_limits(self._settings), unload_after=self._settings.unload_after)
        try:
            text, _ = await asyncio.gather(asyncio.to_thread(model.text_side), engine.start())
            self._declare(model, text)
            await engine.warm()
        except BaseException:
            await engine.stop()
            raise
        self._running = _Running(
            name=name,
            model=model,
            engine=engine,
            tools=text.tools(engine.info, model.context_tokens),
            embedder=Embedder(options),
            routes=routes,
            # The first call of a skill would wait for it, the first answer need not.
            preparing=asyncio.ensure_future(asyncio.to_thread(_prepare, text.grammars)),
        )
        log.info("model_ready", model=self._model_id(), engine=engine.info.name, weights=engine.info.weights)

    def _declare(self, model: LocalModel, text: TextSide) -> None:
        # Whether a model thinks or sees is a matter of its weights, so it is the instance that declares it.
        if model.sight is None or text.template.image is None:
            self.capabilities = self.capabilities - {"images"}  # type: ignore[misc]
        if not text.template.thinks:
            self.capabilities = self.capabilities - {"reasoning"}  # type: ignore[misc]
            if self._settings.thinking is True:
                raise ConfigError(f"the model {self._model_id()!r} cannot think", hint="set thinking = false")

    async def stop(self) -> None:
        """Stop what is being written and free the memory."""
        running, self._running = self._running, None
        if running is not None:
            # If it is done, it may be of another event loop, which is over.
            preparing = () if running.preparing.done() else (running.preparing,)
            await asyncio.gather(running.engine.stop(), running.embedder.stop(), *preparing)

    @property
    def _ready(self) -> _Running:
        if self._running is None:
            raise UnavailableError("the on-device model is not running", hint="start its connector first")
        return self._running

    @property
    def engine(self) -> Engine:
        """What computes. Raises UnavailableError when the connector does not run."""
        return self._ready.engine

    @property
    def stats(self) -> EngineStats:
        """What the engine has done since its weights were loaded. Raises UnavailableError when it does not run."""
        return self._ready.engine.stats()

    async def ping(self) -> None:
        """Raise UnavailableError unless the connector runs."""
        _ = self._ready

    async def describe(self) -> Mapping[str, str]:
        """Which model, where its weights are, what computes it and why, and where the embedding model is.

        Loads nothing; a GGUF file that was never used is converted. Raises as `start` does.
        """
        given = SmolLMSettings.model_validate(self.settings.model_dump())
        info = self._running.engine.info if self._running is not None else None
        options = replace(_embedding(given), allow_download=False)
        return await asyncio.to_thread(partial(describe, given, options, info=info))

    async def models(self) -> list[ModelInfo]:
        """The configured model; its context and the place of its weights are known once it runs."""
        running, limit = self._running, self._settings.max_tokens
        place = str(running.model.folder.path) if running is not None else None
        return [ModelInfo(id=self._model_id(), context_tokens=self._context(), output_tokens=limit, place=place)]

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """Tokens of each text."""
        template = self._ready.tools.template
        self._check_model(model)
        return await asyncio.to_thread(lambda: [len(template.tokens(text)) for text in texts])

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """One vector per text, by `embedding_model`; 384 numbers of length 1 with MiniLM.

        Raises NotFoundError when that model is not on this machine.
        """
        own = self._settings.embedding_model
        if model is not None and canonical(model) not in {canonical(own), self._model_id()}:
            raise NotFoundError(f"the connector 'smollm' embeds with {own!r}, not {model!r}", hint=f"ask for {own!r}")
        return await self._ready.embedder.embed(texts)

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Write a reply. Usage counts the prompt that the reply was written from, not the choice of a skill."""
        running, began, first, pieces = self._ready, time.perf_counter(), None, 0
        # Long texts, skills and pictures take their time, so none of them is looked at on the loop.
        plan = await asyncio.to_thread(self._plan, running, request)
        work = partial(reply, running.tools, plan)
        async with aclosing(running.engine.run(work, key=str(logs.bound().get("agent_id", "")))) as chunks:
            async for chunk in chunks:
                first = first or time.perf_counter()
                if chunk.finish_reason is None:
                    pieces += 1
                else:
                    # A call comes in one piece, which tells nothing of the time between its tokens.
                    wrote = time.perf_counter() - first if pieces > 1 else None
                    await self._report(running, chunk, first - began, wrote)
                yield chunk

    async def _report(self, running: _Running, last: LLMChunk, waited: float, wrote: float | None) -> None:
        """Tell those who listen how fast it was."""
        emit, usage = current_emit.get(), last.usage
        if emit is None or usage is None:
            return
        await emit(
            ModelTimed(
                model=running.name,
                first_token_seconds=waited,
                tokens_per_second=(usage.output_tokens - 1) / wrote if wrote and usage.output_tokens > 1 else None,
                usage=usage,
                queue_length=running.engine.stats().waiting,
            )
        )

    def _plan(self, running: _Running, request: LLMRequest) -> Plan:
        """What a request means for the model. Slow: call it in a thread."""
        tools, settings = running.tools, self._settings
        self._check_model(request.model)
        files = [file for message in request.messages for file in message.files]
        if files:
            running.model.check_images()
        self.check(request)
        check_sense(request)
        request = plain_request(request)
        wanted = request.thinking if request.thinking is not None else settings.thinking
        thinking = tools.template.thinks and tools.template.wants_thinking(
            request.messages, None if wanted == "auto" else wanted
        )
        small = not tools.template.native or running.model.folder.parameters < _LARGE
        apart = tools.template.tokenizer.apart
        told = [one for one in request.messages if one.role in {MessageRole.USER, MessageRole.SKILL}]
        words = "\n".join(apart(one.text) for one in told)
        return Plan(
            request=request,
            max_tokens=request.max_tokens or settings.max_tokens,
            thinking=thinking,
            pictures=running.model.sight.look(files) if files and running.model.sight is not None else (),
            choose=self._choose(running, request),
            beforehand=small if settings.choice == "auto" else settings.choice == "likelihood",
            # What an image says is not among the words.
            narrow=partial(_narrowed, words) if small and not files else None,
            # It knows no history, so it is for requests that stand on their own.
            plain=(lambda skill: apart(arguments_prompt(skill, words)))
            if small and not files and len(told) == 1 and told[0].role is MessageRole.USER
            else None,
        )

    def _choose(self, running: _Running, request: LLMRequest) -> Choose:
        template = running.tools.template
        return lambda score: choose(
            request,
            score,
            tokens=lambda text: template.tokens(template.tokenizer.apart(text)),
            embed=running.embedder.encode if running.routes else None,
            restraint=self._settings.restraint,
        )

    def _model_id(self) -> str:
        return self._running.name if self._running is not None else model_id(self._settings)

    def _check_model(self, model: str | None) -> None:
        own = self._model_id()
        if model is not None and canonical(model) not in {own, canonical(self._settings.model)}:
            raise NotFoundError(
                f"the connector 'smollm' serves {own!r}, not {model!r}",
                hint=f"ask for {own!r}, or configure another connector with model = {model!r}",
            )

    def _context(self) -> int | None:
        if self._running is not None:
            return self._running.model.context_tokens
        known = known_model(self._model_id())
        return self._settings.context_tokens or (known.context_tokens if known is not None else None)


def _prepare(grammars: Grammars) -> None:
    try:
        grammars.prepare()
    except UnsupportedError as error:
        # Whoever needs a grammar is told as well; a reply in text needs none.
        log.warning("grammars_not_prepared", reason=str(error))


def _limits(settings: SmolLMSettings) -> Limits:
    return Limits(batch=settings.batch, queue=settings.queue, cache_bytes=settings.cache_bytes)


def _embedding(settings: SmolLMSettings) -> EmbeddingOptions:
    return EmbeddingOptions(
        model=settings.embedding_model,
        allow_download=settings.allow_download,
        device=settings.embedding_device,
        threads=settings.threads,
        cache_bytes=settings.embedding_cache_bytes,
    )


def _narrowed(words: str, skill: SkillSpec) -> SkillSpec:
    return replace(skill, parameters=ground(skill.parameters, words, name=skill.name))
