"""The skill calls of one turn: check, run together, and turn whatever happens into results."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sre_core import logs
from sre_core.agents.limits import Limits
from sre_core.agents.reporter import Reporter
from sre_core.errors import AccessDeniedError, LimitExceededError, SkillError, SREError
from sre_core.events import SkillCalled, SkillReturned
from sre_core.messages import Message, SkillCall
from sre_core.skills import Skill, SkillContext, result_text
from sre_core.steps import Steps

__all__ = ["SkillCalls", "unique_calls"]

log = logs.get_logger(__name__)


def unique_calls(calls: Sequence[SkillCall], taken: set[str]) -> tuple[SkillCall, ...]:
    """The calls with ids that none of them shares with another or with `taken`, which grows by theirs.

    Some models number their calls from 0 in every turn, some repeat one id, some send none.
    """
    unique = []
    for call in calls:
        id = base = call.id or "call"  # noqa: A001
        number = 2
        while id in taken:
            id = f"{base}_{number}"  # noqa: A001
            number += 1
        taken.add(id)
        unique.append(call if id == call.id else replace(call, id=id))
    return tuple(unique)


class SkillCalls:
    """Runs the skills that a model asks for, within the limits of one run."""

    def __init__(
        self,
        skills: Mapping[str, Skill],
        *,
        context: Callable[[], SkillContext],
        report: Reporter,
        steps: Steps,
        limits: Limits,
    ) -> None:
        """`context` is called when a skill wants one: most runs need no handles."""
        self._skills = skills
        self._context = context
        self._report = report
        self._steps = steps
        self._limits = limits
        self.made: list[SkillCall] = []

    async def run(self, turn: int, calls: Sequence[SkillCall], *, cut: bool) -> list[Message]:
        """The results, in the order of the calls. `cut` says that the model's reply ended in mid-air.

        A skill that fails gives an error result. AccessDeniedError and LimitExceededError end the run, and so
        does cancellation; then the other calls are cancelled and awaited first.
        """
        self.made += calls
        if len(self.made) > self._limits.skill_calls:
            raise LimitExceededError(
                f"the run reached its limit of {self._limits.skill_calls} skill calls: "
                f"the model asked for call {len(self.made)}",
                hint="raise Limits.skill_calls, or let a skill do more at once",
            )
        if len(calls) == 1:
            return [await self._one(f"turn/{turn}/call/0", calls[0], cut=cut)]
        slots = asyncio.Semaphore(self._limits.parallel_calls)

        async def one(index: int, call: SkillCall) -> Message:
            async with slots:
                return await self._one(f"turn/{turn}/call/{index}", call, cut=cut)

        # Not a task group: it would wrap the error that ends the run in an ExceptionGroup.
        tasks = [asyncio.create_task(one(index, call)) for index, call in enumerate(calls)]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, key: str, call: SkillCall, *, cut: bool) -> Message:
        report = self._report
        run_id, agent_id = report.run_id, report.agent_id
        await report(
            SkillCalled(run_id=run_id, agent_id=agent_id, call_id=call.id, name=call.name, arguments=call.arguments)
        )
        step = _Timed(lambda: self._execute(call, cut=cut))
        text, is_error = await self._steps.run(key, step)
        if is_error:
            log.info("skill_failed", skill=call.name, call_id=call.id)
        await report(
            SkillReturned(
                run_id=run_id,
                agent_id=agent_id,
                call_id=call.id,
                name=call.name,
                result=text,
                is_error=is_error,
                seconds=step.seconds,
            )
        )
        return Message.result(call, text, is_error=is_error)

    async def _execute(self, call: SkillCall, *, cut: bool) -> tuple[str, bool]:
        try:
            skill = self._find(call.name)
            arguments = _arguments(call, skill, cut=cut)
        except SkillError as error:
            return _describe(call.name, error), True
        context = None
        if skill.takes_context:
            # Outside of what the model is told: a connector that is missing is the operator's to install.
            context = replace(self._context(), run_id=self._report.run_id, call_id=call.id, emit=self._report)
        try:
            return result_text(skill.name, await skill.call(arguments, context)), False
        except (AccessDeniedError, LimitExceededError):
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # Nobody asked this task to stop: the skill waited for something that was cancelled elsewhere.
            if task is not None and not task.cancelling():
                return f"skill {call.name!r} failed: what it waited for was cancelled", True
            raise
        except Exception as error:  # a skill is foreign code, and the model can go on without it
            _raise_fatal(error)
            log.debug("skill_raised", skill=call.name, call_id=call.id, exc_info=error)
            return _describe(call.name, error), True

    def _find(self, name: str) -> Skill:
        if name in self._skills:
            return self._skills[name]
        known = ", ".join(self._skills)
        raise SkillError(
            f"there is no skill {name!r}", hint=f"the skills are: {known}" if known else "there are no skills at all"
        )


class _Timed:
    """A step that knows how long it took; one that was replayed took no time."""

    __slots__ = ("_run", "seconds")

    def __init__(self, run: Callable[[], Awaitable[tuple[str, bool]]]) -> None:
        self._run = run
        self.seconds = 0.0

    async def __call__(self) -> tuple[str, bool]:
        began = time.perf_counter()
        try:
            return await self._run()
        finally:
            self.seconds = time.perf_counter() - began


def _arguments(call: SkillCall, skill: Skill, *, cut: bool) -> dict[str, Any]:
    known = ", ".join(skill.parameters.get("properties", ())) or "none"
    # Some models send nothing at all where a skill takes nothing.
    text = call.arguments.strip() or ("" if cut else "{}")
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError) as error:
        if cut:
            raise SkillError(
                f"the call of {call.name!r} was cut off before its end", hint="send other, or shorter, arguments"
            ) from error
        raise SkillError(
            f"the arguments of {call.name!r} are not valid JSON: {error}",
            hint=f"send one JSON object; its keys are: {known}",
        ) from error
    if not isinstance(arguments, dict):
        raise SkillError(
            f"the arguments of {call.name!r} are not a JSON object: {text:.80}", hint=f"its keys are: {known}"
        )
    return arguments


def _raise_fatal(error: Exception) -> None:
    """Raise the error that ends a run if a skill's own task group has wrapped it."""
    if not isinstance(error, ExceptionGroup):
        return
    for inner in error.exceptions:
        if isinstance(inner, (AccessDeniedError, LimitExceededError)):
            raise inner from error
        _raise_fatal(inner)


def _describe(name: str, error: Exception) -> str:
    """What the model reads: our own errors speak for themselves, foreign ones need their type."""
    if isinstance(error, SREError):
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return f"skill {name!r} failed: {type(error).__name__}: {error}"
