"""Connector `smollm`: requests in, the reply of a model on this machine out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import ClassVar

from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, NotFoundError, UnavailableError
from sre_smollm.engine import Engine
from sre_smollm.reply import Plan, reply
from sre_smollm.settings import SmolLMSettings
from sre_smollm.template import Template
from sre_smollm.weights import KNOWN, canonical

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
        self._template: Template | None = None

    async def start(self) -> None:
        """Load the weights; a GGUF file is converted first, once.

        Raises NotFoundError when the weights are not on this machine and may not be downloaded, ConfigError
        when they are damaged.
        """
        await self._engine.start()
        self._template = Template(self._engine.model, system_prompt=self._settings.system_prompt)

    async def stop(self) -> None:
        """Stop what is being written and free the memory."""
        self._template = None
        await self._engine.stop()

    async def ping(self) -> None:
        """Raise UnavailableError unless the model is loaded."""
        self._started()

    async def models(self) -> list[ModelInfo]:
        """The configured model; its context is known once it runs."""
        return [ModelInfo(id=self._model_id(), context_tokens=self._context(), output_tokens=self._settings.max_tokens)]

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """Tokens of each text."""
        template = self._started()
        self._check_model(model)
        return await asyncio.to_thread(lambda: [len(template.tokens(text)) for text in texts])

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Write a reply. Usage counts the prompt that the reply was written from, not the choice of a skill."""
        plan = self._plan(request)
        async with aclosing(self._engine.run(partial(reply, plan=plan))) as chunks:
            async for chunk in chunks:
                yield chunk

    def _plan(self, request: LLMRequest) -> Plan:
        template = self._started()
        self._check_model(request.model)
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
            capability = file.media_type.split("/")[0]
            raise self.unsupported({"image": "images"}.get(capability, capability))
        thinking = self._settings.thinking if request.thinking is None else request.thinking
        return Plan(
            request=request,
            template=template,
            max_tokens=request.max_tokens or self._settings.max_tokens,
            thinking=thinking and template.thinks,
            likelihood=self._likelihood(template),
        )

    def _likelihood(self, template: Template) -> bool:
        if self._settings.choice != "auto":
            return self._settings.choice == "likelihood"
        return not template.native or self._engine.model.parameters < _LARGE

    def _started(self) -> Template:
        if self._template is None:
            raise UnavailableError("the on-device model is not running", hint="start its connector first")
        return self._template

    def _model_id(self) -> str:
        name = canonical(self._settings.model)
        return Path(name).stem if self._is_path(name) else name

    def _is_path(self, name: str) -> bool:
        return name not in {known.name for known in KNOWN} and Path(name).expanduser().exists()

    def _check_model(self, model: str | None) -> None:
        if model is None:
            return
        own = self._model_id()
        if canonical(model) not in {own, canonical(self._settings.model)}:
            raise NotFoundError(
                f"the connector 'smollm' serves {own!r}, not {model!r}",
                hint=f"ask for {own!r}, or configure another connector with model = {model!r}",
            )

    def _context(self) -> int | None:
        if self._template is not None:
            return self._engine.model.context_tokens
        known = {one.name: one.context_tokens for one in KNOWN}
        return self._settings.context_tokens or known.get(self._model_id())
