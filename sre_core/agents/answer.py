"""Answering: turn after turn of a model, with the skills it asks for, until there is a reply."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.output import OutputFormat
from sre_core.agents.reply import Reply
from sre_core.agents.reporter import Reporter
from sre_core.agents.skill_calls import SkillCalls, unique_calls
from sre_core.agents.turn import Sleep, model_turn
from sre_core.agents.window import MESSAGE_TOKENS
from sre_core.connectors.llm import LLM, Completion, LLMRequest
from sre_core.errors import LimitExceededError, ModelReplyError
from sre_core.events import UsageReported
from sre_core.messages import FinishReason, Message, Usage
from sre_core.skills import Skill
from sre_core.steps import Steps

__all__ = ["Answering", "complete_base"]


class Answering:
    """One run, while it goes on. It must be deterministic, given the results of its steps."""

    def __init__(
        self,
        *,
        llm: LLM,
        conversation: Conversation,
        limits: Limits,
        steps: Steps,
        report: Reporter,
        calls: SkillCalls,
        base: LLMRequest,
        behavior: str,
        output: OutputFormat | None,
        sleep: Sleep,
    ) -> None:
        self._llm = llm
        self._conversation = conversation
        self._limits = limits
        self._steps = steps
        self._report = report
        self._calls = calls
        self._base = base
        self._output = output
        self._sleep = sleep
        if output is not None and base.output_schema is None:
            behavior = f"{behavior}\n\n{output.instructions}".lstrip()
        # One object for the whole run: connectors may keep the wire form of a message that they have seen.
        self._system = (Message.system(behavior),) if behavior else ()
        self._repair: tuple[Message, ...] = ()
        self._reserved: int | None = None
        self._taken: set[str] | None = None
        self._added: list[Message] = []
        self._usage = Usage()

    async def run(self) -> Reply:
        """Turns until the model answers. Raises LimitExceededError, ModelReplyError and what a turn raises."""
        for turn in range(self._limits.turns):
            completion = await self._turn(turn)
            self._spend(completion)
            if completion.message.skill_calls:
                await self._use_skills(turn, completion)
            else:
                reply = self._finish(completion)
                if reply is not None:
                    return reply
        raise LimitExceededError(
            f"the run reached its limit of {self._limits.turns} model turns without an answer",
            hint="raise Limits.turns, or ask for less at once",
        )

    async def _turn(self, turn: int) -> Completion:
        completion = await self._steps.run(f"turn/{turn}", self._ask)
        report = self._report
        await report(
            UsageReported(
                run_id=report.run_id, agent_id=report.agent_id, usage=completion.usage, model=self._base.model
            )
        )
        return completion

    async def _ask(self) -> Completion:
        request = replace(self._base, messages=await self._messages())
        if self._repair and request.skills:
            request = replace(request, skill_choice="none")
        return await model_turn(
            llm=self._llm,
            request=request,
            report=self._report,
            retries=self._limits.retries,
            sleep=self._sleep,
        )

    async def _messages(self) -> tuple[Message, ...]:
        conversation, limit = self._conversation, self._limits.window_tokens
        if limit is None:
            return (*self._system, *conversation.messages, *self._repair)
        counts = conversation.counts(self._llm, self._base.model)
        if self._reserved is None:
            schema = json.dumps(self._base.output_schema) if self._base.output_schema else ""
            system = self._system[0].text if self._system else ""
            self._reserved = await counts.text(system) + MESSAGE_TOKENS + await counts.text(schema)
            self._reserved += await counts.specs(self._base.skills)
        reserved = self._reserved
        for message in self._repair:
            reserved += await counts.text(message.text) + MESSAGE_TOKENS
        kept = conversation.window(limit, await counts.messages(conversation.messages), reserved=reserved)
        return (*self._system, *kept, *self._repair)

    def _spend(self, completion: Completion) -> None:
        self._usage += completion.usage
        limit = self._limits.tokens
        if limit is None or self._usage.total_tokens <= limit:
            return
        if completion.message.text and not completion.message.skill_calls and self._output is None:
            # It is paid for, and whole.
            self._add(completion.message)
        raise LimitExceededError(
            f"the run used {self._usage.total_tokens} tokens, and its limit is {limit}",
            hint="raise Limits.tokens, or shorten the conversation with Limits.window_tokens",
        )

    async def _use_skills(self, turn: int, completion: Completion) -> None:
        if self._repair:
            raise ModelReplyError(
                "the model called skills where it was asked to repair its output", hint="try another model"
            )
        if self._taken is None:
            self._taken = {call.id for message in self._conversation.messages for call in message.skill_calls}
        calls = unique_calls(completion.message.skill_calls, self._taken)
        message = completion.message
        if calls != message.skill_calls:
            message = replace(message, skill_calls=calls)
        # A filter ends a reply where it likes, as the limit of output tokens does.
        cut = completion.finish_reason in {FinishReason.LENGTH, FinishReason.CONTENT_FILTER}
        results = await self._calls.run(turn, calls, cut=cut)
        self._add(message, *results)

    def _finish(self, completion: Completion) -> Reply | None:
        """The reply; None when its output has to be repaired first."""
        text = completion.message.text
        if self._output is None:
            if not text.strip():
                raise _empty(completion)
            return self._reply(completion, None)
        try:
            output = self._output.read(text)
        except ValueError as error:
            if self._repair:
                raise ModelReplyError(
                    f"the model's output does not match, also after one repair: {error}",
                    hint="simplify output_type, or try another model",
                ) from error
            request = f"That answer cannot be used: {error}\nAnswer again, with nothing but the corrected JSON."
            self._repair = (*((completion.message,) if text else ()), Message.user(request))
            return None
        return self._reply(completion, output)

    def _reply(self, completion: Completion, output: Any) -> Reply:
        self._add(completion.message)
        return Reply(
            completion.message.text,
            usage=self._usage,
            messages=tuple(self._added),
            skill_calls=tuple(self._calls.made),
            finish_reason=completion.finish_reason,
            model=self._base.model,
            output=output,
        )

    def _add(self, *messages: Message) -> None:
        self._conversation.append(*messages)
        self._added += messages


def complete_base(
    base: LLMRequest, skills: Mapping[str, Skill], limits: Limits, schema: Mapping[str, Any] | None
) -> LLMRequest:
    """`base` with what stays the same in all turns of a run: skills, output schema and the bound on output."""
    if not skills and not base.skills and schema is None and limits.output_tokens is None:
        return base
    bounds = [bound for bound in (base.max_tokens, limits.output_tokens) if bound is not None]
    return replace(
        base,
        skills=tuple(skill.spec for skill in skills.values()),
        output_schema=base.output_schema if schema is None else schema,
        max_tokens=min(bounds, default=None),
    )


def _empty(completion: Completion) -> ModelReplyError:
    match completion.finish_reason:
        case FinishReason.LENGTH:
            why, hint = "it spent all its output tokens before it said anything", "raise Limits.output_tokens"
        case FinishReason.CONTENT_FILTER:
            why, hint = "its provider's content filter held the reply back", "change the prompt"
        case _:
            why = "it only thought" if completion.thinking else "it neither wrote text nor called a skill"
            hint = "try again, or another model"
    return ModelReplyError(f"the model's reply is empty: {why}", hint=hint)
