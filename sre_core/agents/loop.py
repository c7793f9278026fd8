"""The agent loop: one prompt from its first event to its last."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
from structlog.contextvars import bind_contextvars, reset_contextvars

from sre_core import logs, telemetry
from sre_core.agents.answer import Answering, complete_base
from sre_core.agents.conversation import Conversation, current_conversation
from sre_core.agents.limits import Limits
from sre_core.agents.output import OutputFormat
from sre_core.agents.reply import Reply
from sre_core.agents.reporter import Reporter
from sre_core.agents.skill_calls import SkillCalls
from sre_core.agents.turn import Sleep
from sre_core.connectors.llm import LLM, LLMRequest
from sre_core.errors import LimitExceededError, SREError
from sre_core.events import Emit, RunFailed, RunFinished, RunStarted, current_emit, discard
from sre_core.messages import MessageRole
from sre_core.skills import Skill, SkillContext
from sre_core.steps import Steps

__all__ = ["run"]

log = logs.get_logger(__name__)

_LAST_WORD = 1.0
"""Seconds that a slow reader has to take the last event of a run that was cancelled."""


async def run(
    *,
    llm: LLM,
    conversation: Conversation,
    skills: Mapping[str, Skill],
    limits: Limits,
    steps: Steps,
    emit: Emit,
    context: Callable[[], SkillContext],
    base: LLMRequest,
    behavior: str = "",
    output_type: Any = None,
    run_id: str,
    agent_id: str,
    sleep: Sleep = anyio.sleep,
) -> Reply:
    """Answer the last message of `conversation`, which grows by whole turns: a call never lacks its results.

    `base` has the model and its settings, and no messages. `context` is called when a skill wants its handles.
    Everything outside happens in steps, "turn/0" for a model turn and "turn/0/call/1" for a skill call; a model
    turn that a durable `steps` replays emits no deltas. Invalid structured output and the request to repair it do
    not enter the conversation.

    Emits RunStarted first, RunFinished or RunFailed last; an error propagates after RunFailed, and so does
    cancellation, whose code is "cancelled". Raises LimitExceededError, AccessDeniedError, ModelReplyError and the
    ConnectorErrors of the model; ConfigError when `output_type` has no JSON schema.
    """
    report = Reporter(emit, run_id=run_id, agent_id=agent_id)

    # Not a closure, whose cells would be a dozen objects more for the garbage collector, in each of many runs.
    answer = _answer(
        report,
        llm=llm,
        conversation=conversation,
        skills=skills,
        limits=limits,
        steps=steps,
        context=context,
        base=base,
        behavior=behavior,
        output_type=output_type,
        sleep=sleep,
    )
    return await _observed(answer, report, conversation)


async def _answer(
    report: Reporter,
    *,
    llm: LLM,
    conversation: Conversation,
    skills: Mapping[str, Skill],
    limits: Limits,
    steps: Steps,
    context: Callable[[], SkillContext],
    base: LLMRequest,
    behavior: str,
    output_type: Any,
    sleep: Sleep,
) -> Reply:
    prompt = next((m.text for m in reversed(conversation.messages) if m.role is MessageRole.USER), "")
    await report(RunStarted(run_id=report.run_id, agent_id=report.agent_id, prompt=prompt, model=base.model))
    output = None if output_type is None else OutputFormat(output_type)
    schema = output.schema if output is not None and "schema" in llm.capabilities else None
    answering = Answering(
        llm=llm,
        conversation=conversation,
        limits=limits,
        steps=steps,
        report=report,
        calls=SkillCalls(skills, context=context, report=report, steps=steps, limits=limits),
        base=complete_base(base, skills, limits, schema),
        behavior=behavior,
        output=output,
        sleep=sleep,
    )
    return await (answering.run() if limits.seconds is None else _within(limits.seconds, answering))


async def _observed(answer: Awaitable[Reply], report: Reporter, conversation: Conversation) -> Reply:
    """Run `answer` with its span, its log context and its last event."""
    run_id, agent_id = report.run_id, report.agent_id
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.id": agent_id,
        "gen_ai.conversation.id": conversation.id,
    }
    token = current_emit.set(report if report.is_heard else discard)
    outer = current_conversation.set(conversation)
    bound = bind_contextvars(run_id=run_id, agent_id=agent_id)
    try:
        with telemetry.Span(f"invoke_agent {agent_id}", attributes) as span:
            try:
                reply = await answer
                usage, reason = reply.usage, reply.finish_reason
                span.set({"gen_ai.usage.input_tokens": usage.input_tokens})
                span.set({"gen_ai.usage.output_tokens": usage.output_tokens})
                await report(
                    RunFinished(run_id=run_id, agent_id=agent_id, text=str(reply), finish_reason=reason, usage=usage)
                )
                return reply
            except BaseException as error:
                await _report_failure(report, error)
                raise
    finally:
        reset_contextvars(**bound)
        current_conversation.reset(outer)
        current_emit.reset(token)


async def _within(seconds: float, answering: Answering) -> Reply:
    try:
        async with asyncio.timeout(seconds) as scope:
            return await answering.run()
    except TimeoutError as error:
        # A connector's DeadlineError is a TimeoutError too.
        if not scope.expired():
            raise
        raise LimitExceededError(
            f"the run reached its limit of {seconds:g} seconds", hint="raise Limits.seconds, or ask for less at once"
        ) from error


async def _report_failure(report: Reporter, error: BaseException) -> None:
    """Emit RunFailed; whatever becomes of the event, `error` is what ends the run."""
    if isinstance(error, asyncio.CancelledError):
        code, message = "cancelled", "the run was cancelled"
    elif isinstance(error, SREError):
        code, message = error.code, error.message
    else:
        # Only the type: a foreign message may quote a secret.
        code, message = SREError.code, f"the run failed: {type(error).__name__}"
    log.info("run_failed", code=code)
    try:
        with anyio.move_on_after(_LAST_WORD, shield=True):
            await report(RunFailed(run_id=report.run_id, agent_id=report.agent_id, code=code, message=message))
    finally:
        raise error
