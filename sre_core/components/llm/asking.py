"""Asking a model for a node: the reply is streamed, and what the model cannot be told is left out."""

import re
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from sre_core import logs
from sre_core.components.context import ComponentContext, ModelUse
from sre_core.connectors.llm import Completion, LLMChunk, LLMRequest, fold
from sre_core.errors import ComponentError, ConfigError, ConnectorError, UnsupportedError
from sre_core.events import TextDelta, ThinkingDelta, UsageReported
from sre_core.messages import FinishReason

__all__ = ["ask", "cut_short", "is_echo", "refused_option"]

log = logs.get_logger(__name__)

_FIELDS = frozenset({"temperature", "top_p", "stop"})
_CUT = {
    FinishReason.LENGTH: "it reached the largest number of tokens",
    FinishReason.CONTENT_FILTER: "a filter of the provider stopped it",
    FinishReason.SKILL_CALLS: "the model wanted to call a skill, and has none here",
}


def is_echo(use: ModelUse) -> bool:
    """Whether the model repeats its prompt; then nothing may be added to it, and files mean nothing."""
    return use.llm.connector_name == "echo"


async def ask(
    use: ModelUse, request: LLMRequest, context: ComponentContext, *, passthrough: bool = False
) -> Completion:
    """Ask, and wait for the whole reply; with `passthrough` its text is emitted while it comes.

    Files carry parameters that many models do not take: temperature, top_p, stop and the options that `request` has
    beyond those of `use` are left out when the connector, or its provider, refuses them. Raises ComponentError for an
    empty reply, and what the model raises.
    """
    may_go = {*_FIELDS, *request.options} - set(use.request.options)
    while True:
        chunks: list[LLMChunk] = []
        try:
            await _collect(use, request, context, chunks, passthrough=passthrough)
            break
        except (ConfigError, ConnectorError) as error:
            name = None if chunks else refused_option(error, may_go)
            if name is None:
                raise
            log.debug("model_parameter_left_out", parameter=name, model=request.model, reason=error.message)
            may_go.discard(name)
            request = _without(request, name, use.request)
    completion = fold(chunks)
    await context.emit(
        UsageReported(run_id=context.run_id, agent_id=context.agent.id, usage=completion.usage, model=use.request.model)
    )
    if not completion.message.text:
        why = f": {_CUT[completion.finish_reason]}" if completion.finish_reason in _CUT else ""
        raise ComponentError(
            f"the model {request.model or 'default'!r} gave an empty reply{why}",
            hint="try again, allow more tokens, or change the prompt",
        )
    return completion


def cut_short(completion: Completion) -> str | None:
    """Why a reply is not whole, in words; None when it is."""
    why = _CUT.get(completion.finish_reason)
    return None if why is None else f"the reply is not whole: {why}"


def refused_option(error: ConfigError | ConnectorError, names: Iterable[str]) -> str | None:
    """Which of these parameters a connector, or its provider, says it does not take, if it is one of them."""
    if isinstance(error, ConnectorError) and type(error) not in {ConnectorError, UnsupportedError}:
        # Something else went wrong: no such model, no access, too many requests.
        return None
    return next((name for name in sorted(names) if re.search(_mention(name), error.message)), None)


def _mention(name: str) -> str:
    # "stop" is a word, too.
    return r"['\"`]stop['\"`]" if name == "stop" else rf"\b{re.escape(name)}\b"


async def _collect(
    use: ModelUse, request: LLMRequest, context: ComponentContext, chunks: list[LLMChunk], *, passthrough: bool
) -> None:
    run_id, agent_id = context.run_id, context.agent.id
    async with aclosing(use.llm.stream(request)) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            if passthrough and chunk.thinking:
                await context.emit(ThinkingDelta(run_id=run_id, agent_id=agent_id, text=chunk.thinking))
            if passthrough and chunk.text:
                await context.emit(TextDelta(run_id=run_id, agent_id=agent_id, text=chunk.text))


def _without(request: LLMRequest, name: str, base: LLMRequest) -> LLMRequest:
    if name in request.options:
        rest: Mapping[str, Any] = {key: value for key, value in request.options.items() if key != name}
        return replace(request, options=rest)
    usual: dict[str, Any] = {name: getattr(base, name)}
    return replace(request, **usual)
