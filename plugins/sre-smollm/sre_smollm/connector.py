"""Connector `smollm`: requests in, the reply of a model on this machine out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import ClassVar

from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, NotFoundError
from sre_smollm.engine.engine import Engine
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import KNOWN, canonical
from sre_smollm.writing.reply import Plan, reply

__all__ = ["SmolLM"]

_LARGE = 1_000_000_000


class SmolLM(LLMConnector):
    """A language model on this machine, by default SmolLM2-135M-Instruct.

    One reply is written at a time; others wait in the order in which they came. Images, audio and options
    are not taken. A request's `stop` does not apply to skill calls and to text under an output schema.
    """

    name = "smollm"
    settings_type: ClassVar[type[Settings]] = SmolLMSettings
    capabilities = frozenset({"tools", "schema", "reasoning", "count-tokens"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = SmolLMSettings.model_validate(settings.model_dump())
        self._engine = Engine(self._settings)
        if canonical(self._settings.model) == KNOWN[0].name and self._settings.weights is None:
            self._drop_reasoning()

    def _drop_reasoning(self) -> None:
        # Whether a model thinks is a matter of its weights, so it is the instance that declares it.
        self.capabilities = self.capabilities - {"reasoning"}  # type: ignore[misc]

    async def start(self) -> None:
        """Load the weights; a GGUF file is converted first, once.

        Raises NotFoundError when the weights are not on this machine and may not be downloaded, ConfigError
        when they are damaged, or when `thinking` is set for a model that cannot think.
        """
        await self._engine.start()
        if not self._engine.loaded.template.thinks:
            self._drop_reasoning()
            if self._settings.thinking:
                raise ConfigError(f"the model {self._model_id()!r} cannot think", hint="set thinking = false")

    async def stop(self) -> None:
        """Stop what is being written and free the memory."""
        await self._engine.stop()

    async def ping(self) -> None:
        """Raise UnavailableError unless the model is loaded."""
        _ = self._engine.loaded

    async def models(self) -> list[ModelInfo]:
        """The configured model; its context and the place of its weights are known once it runs."""
        place = str(self._engine.loaded.model.folder) if self._engine.started else None
        limit = self._settings.max_tokens
        return [ModelInfo(id=self._model_id(), context_tokens=self._context(), output_tokens=limit, place=place)]

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """Tokens of each text."""
        template = self._engine.loaded.template
        self._check_model(model)
        return await asyncio.to_thread(lambda: [len(template.tokens(text)) for text in texts])

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Write a reply. Usage counts the prompt that the reply was written from, not the choice of a skill."""
        plan = self._plan(request)
        async with aclosing(self._engine.run(partial(reply, plan=plan))) as chunks:
            async for chunk in chunks:
                yield chunk

    def _plan(self, request: LLMRequest) -> Plan:
        loaded = self._engine.loaded
        self._check_model(request.model)
        self._check(request)
        if request.thinking and not loaded.template.thinks:
            raise self.unsupported("reasoning")
        thinking = self._settings.thinking if request.thinking is None else request.thinking
        choice = self._settings.choice
        small = not loaded.template.native or loaded.model.parameters < _LARGE
        return Plan(
            request=request,
            max_tokens=request.max_tokens or self._settings.max_tokens,
            thinking=thinking,
            likelihood=small if choice == "auto" else choice == "likelihood",
        )

    def _check(self, request: LLMRequest) -> None:
        """Raises ConfigError for what makes no sense, UnsupportedError for files."""
        if request.options:
            raise ConfigError(
                f"the connector 'smollm' has no option {sorted(request.options)[0]!r}",
                hint="it takes no options; its settings are in sre.toml under [connectors.llm.<id>]",
            )
        if request.skill_choice == "required" and not request.skills:
            raise ConfigError("skill_choice 'required' needs at least one skill", hint="pass skills=(...)")
        if request.max_tokens is not None and request.max_tokens < 1:
            raise ConfigError(f"max_tokens = {request.max_tokens} leaves no room for a reply", hint="use 1 or more")
        for file in (file for message in request.messages for file in message.files):
            kind = file.media_type.split("/")[0]
            raise self.unsupported({"image": "images"}.get(kind, kind))

    def _model_id(self) -> str:
        name = canonical(self._settings.model)
        known = any(one.name == name for one in KNOWN)
        return name if known or not Path(name).expanduser().exists() else Path(name).stem

    def _check_model(self, model: str | None) -> None:
        own = self._model_id()
        if model is not None and canonical(model) not in {own, canonical(self._settings.model)}:
            raise NotFoundError(
                f"the connector 'smollm' serves {own!r}, not {model!r}",
                hint=f"ask for {own!r}, or configure another connector with model = {model!r}",
            )

    def _context(self) -> int | None:
        if self._engine.started:
            return self._engine.loaded.model.context_tokens
        known = {one.name: one.context_tokens for one in KNOWN}
        return self._settings.context_tokens or known.get(self._model_id())
