"""A whole reply, step by step: prompt, choice of a skill, text, thinking and calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.connectors.stop_filter import StopFilter
from sre_core.errors import UnsupportedError
from sre_core.messages import FinishReason, SkillSpec, Usage
from sre_smollm.engine.engine import Emit
from sre_smollm.engine.reading import Steps
from sre_smollm.vision.expansion import expanded
from sre_smollm.vision.gallery import Picture
from sre_smollm.writing.detokenizer import Detokenizer
from sre_smollm.writing.generation import Sampler, Sampling, Writer
from sre_smollm.writing.plain_call import fits, plain_call
from sre_smollm.writing.toolcalls import WrittenCall, call_chunk, write_calls
from sre_smollm.writing.tools import Score, Tools

__all__ = ["Choose", "Plan", "reply"]

Choose = Callable[[Score], Steps[SkillSpec | None]]
"""Finds the skill to call by how likely texts are; None to answer in text."""
# Calls of one reply at most.
_CALLS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a request means for this model: its defaults are filled in.

    `choose` finds the skill before anything is written: always where there is a schema for the text, which leaves no
    room for free tags, else only if `beforehand`. `narrow` may give a skill parameters that fit this request alone;
    what they accept, those of the skill must accept too. `plain` makes a prompt for the arguments of a skill that was
    chosen beforehand, in place of the chat. `pictures` are those of all files of the request, in order;
    the plan holds them as long as a reply is written.
    """

    request: LLMRequest
    max_tokens: int
    thinking: bool
    pictures: tuple[Picture, ...] = ()
    choose: Choose | None = None
    beforehand: bool = False
    narrow: Callable[[SkillSpec], SkillSpec] | None = None
    plain: Callable[[SkillSpec], str] | None = None

    def sampler(self) -> Sampler:
        """Picks tokens as the request asks for."""
        request = self.request
        return Sampler(Sampling(temperature=request.temperature, top_p=request.top_p, seed=request.seed))


def reply(tools: Tools, plan: Plan, emit: Emit[LLMChunk]) -> Steps[None]:
    """Write a reply and emit its chunks.

    Its usage counts the prompt that it was written from, of which `cached_tokens` were not computed; the reads of a
    choice before it count in the statistics of the engine alone, since they are no part of the conversation. Raises
    ConnectorError when the prompt does not fit the model.
    """
    request = plan.request
    skills = () if request.skill_choice == "none" else request.skills
    if skills and plan.choose is not None and (plan.beforehand or request.output_schema is not None):
        chosen = yield from plan.choose(tools.score)
        if chosen is not None and plan.plain is not None:
            narrow = plan.narrow(chosen) if plan.narrow is not None else chosen
            skill = narrow if fits(tools, narrow) else chosen
            yield from plain_call(tools, emit, skill, plan.plain(skill), plan.sampler(), max_tokens=plan.max_tokens)
            return
        if chosen is not None:
            yield from _Reply(tools, plan, emit, (chosen,), thinking=False).call()
            return
        skills = ()
    if skills and request.skill_choice == "required":
        yield from _Reply(tools, plan, emit, skills, thinking=False).call()
    elif request.output_schema is not None:
        yield from _Reply(tools, plan, emit, thinking=False).structured()
    else:
        yield from _Reply(tools, plan, emit, skills, thinking=plan.thinking).free()


class _Reply:
    """One prompt and what is written after it."""

    def __init__(
        self, tools: Tools, plan: Plan, emit: Emit[LLMChunk], skills: Sequence[SkillSpec] = (), *, thinking: bool
    ) -> None:
        request = plan.request
        self._tools = tools
        self._plan = plan
        self._emit = emit
        self._skills = tuple(skills)
        self._form = tools.template.call_form
        prompt = tools.template.prompt(request.messages, skills=self._skills, thinking=thinking)
        self._prompt = expanded(prompt, plan.pictures) if prompt.files else prompt
        limit = min(plan.max_tokens, tools.room(len(self._prompt.ids)))
        self._writer = Writer(self._prompt.ids, plan.sampler(), ends=tools.ends, limit=limit)
        self._reasoning = 0
        self._calls: list[WrittenCall] = []

    def _finish(self, reason: FinishReason) -> None:
        usage = Usage(
            input_tokens=len(self._prompt.ids),
            output_tokens=self._writer.written,
            cached_tokens=min(self._writer.sequence.cached, len(self._prompt.ids)),
            reasoning_tokens=self._reasoning,
        )
        self._emit(LLMChunk(usage=usage, finish_reason=reason))

    def _ended(self) -> FinishReason:
        return FinishReason.STOP if self._writer.ended else FinishReason.LENGTH

    def _text(self, text: str, *, thinking: bool = False) -> None:
        if text:
            self._emit(LLMChunk(thinking=text) if thinking else LLMChunk(text=text))

    def _dictate(self, text: str) -> None:
        self._writer.dictate(self._tools.template.tokens(text))

    def _skip_thinking(self) -> None:
        """Close the thinking that the prompt has opened."""
        tags = self._tools.template.tags
        if self._prompt.inside_thinking and tags is not None:
            self._dictate(f"\n{tags.close}\n\n")

    def call(self) -> Steps[None]:
        """Exactly one call, or nothing and LENGTH."""
        self._skip_thinking()
        self._dictate(self._form.open)
        calls = yield from self._write_calls(most=1)
        for call in calls[:1]:
            self._emit(call_chunk(call, 0))
        self._finish(FinishReason.SKILL_CALLS if calls else FinishReason.LENGTH)

    def structured(self) -> Steps[None]:
        """JSON text that fits the request's schema; cut short, it ends with LENGTH."""
        assert self._plan.request.output_schema is not None  # noqa: S101 -- checked by the caller
        constraint = self._tools.grammars.schema(self._plan.request.output_schema, what="the output")
        self._skip_thinking()
        text = Detokenizer(self._tools.template.bytes_of)
        while tokens := (yield from self._writer.write(constraint)):
            self._text("".join(text.push(token) for token in tokens))
        self._finish(self._ended())

    def free(self) -> Steps[None]:
        """Text, with thinking between its tags and calls after theirs."""
        tags = self._tools.template.tags if self._prompt.thinking else None
        marks = (*self._plan.request.stop, *((self._form.tag,) if self._skills else ()))
        detokenizer = Detokenizer(self._tools.template.bytes_of)
        thinking = tags is not None and self._prompt.inside_thinking
        # Thinking may only stand at the start; later its tag is text.
        opens = tags is not None and not thinking
        sieve = _sieve(tags.close) if tags is not None and thinking else _sieve(*((tags.open,) if tags else ()), *marks)
        fresh = False
        while tokens := (yield from self._writer.write()):
            (token,) = tokens
            self._reasoning += thinking
            text = detokenizer.push(token)
            if fresh:
                # The line breaks between thinking and text belong to neither.
                text = text.lstrip("\n")
                fresh = not text
            while True:
                self._text(sieve.push(text), thinking=thinking)
                if not sieve.found:
                    break
                mark, text = sieve.found, sieve.rest
                if tags is not None and opens and mark == tags.open:
                    thinking, opens, sieve = True, False, _sieve(tags.close)
                elif thinking:
                    thinking, sieve, text = False, _sieve(*marks), text.lstrip("\n")
                    fresh = not text
                elif self._skills and mark == self._form.tag:
                    yield from self._calling(token, text)
                    return
                else:
                    self._finish(FinishReason.STOP)
                    return
        self._text(sieve.flush(), thinking=thinking)
        self._finish(self._ended())

    def _calling(self, token: int, rest: str) -> Steps[None]:
        """Calls, one after the other, from the first opening tag on; `rest` is what `token` holds after it."""
        if rest:
            # The grammar starts right after the tag, so a token that reaches further is written anew.
            whole = self._tools.template.bytes_of(token).decode(errors="ignore")
            self._writer.take_back()
            self._dictate(whole.removesuffix(rest))
        while True:
            self._dictate(self._form.open.partition(self._form.tag)[2])
            calls = yield from self._write_calls(most=_CALLS)
            fresh = [call for call in calls if call not in self._calls]
            for call in fresh:
                self._emit(call_chunk(call, len(self._calls)))
                self._calls.append(call)
            if not calls:
                self._finish(FinishReason.LENGTH)
                return
            if not fresh or len(self._calls) >= _CALLS:
                break
            self._dictate(self._form.close)
            if not (yield from self._another()):
                break
        self._finish(FinishReason.SKILL_CALLS)

    def _another(self) -> Steps[bool]:
        """Whether the model opens one more call, after blanks at most."""
        text = ""
        detokenizer = Detokenizer(self._tools.template.bytes_of)
        while tokens := (yield from self._writer.write()):
            text += "".join(detokenizer.push(token) for token in tokens)
            if text.strip() == self._form.tag:
                return True
            if not self._form.tag.startswith(text.strip()):
                return False
        return False

    def _write_calls(self, *, most: int) -> Steps[list[WrittenCall]]:
        skills = self._skills
        if self._plan.narrow is not None:
            try:
                return (
                    yield from write_calls(
                        self._tools, self._writer, [self._plan.narrow(skill) for skill in skills], most=most
                    )
                )
            except UnsupportedError:
                # What was made for this request is no grammar; the schema of the skill may be one.
                pass
        return (yield from write_calls(self._tools, self._writer, skills, most=most))


def _sieve(*marks: str) -> StopFilter:
    return StopFilter(marks)
