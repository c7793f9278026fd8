"""A whole reply on the engine's thread: prompt, choice of a skill, text, thinking and calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.errors import ConnectorError
from sre_core.messages import FinishReason, SkillSpec, Usage
from sre_smollm.engine.engine import Worker
from sre_smollm.prompts.choice import choose
from sre_smollm.prompts.template import CALL_CLOSE, CALL_OPEN
from sre_smollm.writing.detokenizer import Detokenizer, StopFilter
from sre_smollm.writing.generation import Sampler, Sampling, Writer
from sre_smollm.writing.toolcalls import WrittenCall, call_chunk, write_call

__all__ = ["Plan", "reply"]

_THINK_OPEN = "<think>"
_THINK_CLOSE = "</think>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a request means for this model: its defaults are filled in."""

    request: LLMRequest
    max_tokens: int
    thinking: bool
    likelihood: bool


def reply(worker: Worker, plan: Plan) -> Iterator[LLMChunk]:
    """The chunks of a reply. Raises Cancelled, and ConnectorError when the prompt does not fit the model."""
    request = plan.request
    skills = () if request.skill_choice == "none" else request.skills
    # A schema for the text leaves no room for free tags, so then the skill is chosen beforehand as well.
    if not skills or plan.likelihood or request.output_schema is not None:
        chosen = choose(worker, request) if skills else None
        if chosen is not None:
            yield from _call(worker, plan, (chosen,))
        elif request.output_schema is not None:
            yield from _Reply(worker, plan).structured()
        else:
            yield from _Reply(worker, plan).free()
    elif request.skill_choice == "required":
        yield from _call(worker, plan, skills)
    else:
        yield from _Reply(worker, plan, skills).free()


def _call(worker: Worker, plan: Plan, skills: Sequence[SkillSpec]) -> Iterator[LLMChunk]:
    yield from _Reply(worker, plan, skills, thinking=False).call()


class _Reply:
    """One prompt and what is written after it."""

    def __init__(
        self, worker: Worker, plan: Plan, skills: Sequence[SkillSpec] = (), *, thinking: bool | None = None
    ) -> None:
        request = plan.request
        self._worker = worker
        self._plan = plan
        self._skills = tuple(skills)
        self._thinking = plan.thinking and request.output_schema is None if thinking is None else thinking
        prompt = worker.template.prompt(request.messages, skills=self._skills, thinking=self._thinking)
        self._prompt = list(prompt.ids)
        room = worker.model.context_tokens - len(self._prompt)
        if room <= 0:
            raise ConnectorError(
                f"the prompt has {len(self._prompt)} tokens, the model's context {worker.model.context_tokens}",
                hint="shorten the conversation (limits.window_tokens), or use a model with a longer context",
            )
        sequence = worker.sequence()
        sequence.read(self._prompt)
        sampling = Sampling(temperature=request.temperature, top_p=request.top_p, seed=request.seed)
        self._writer = Writer(sequence, Sampler(sampling), ends=worker.model.ends, limit=min(plan.max_tokens, room))
        self._reasoning = 0
        self._calls: list[WrittenCall] = []

    def _finish(self, reason: FinishReason) -> LLMChunk:
        usage = Usage(
            input_tokens=len(self._prompt), output_tokens=self._writer.written, reasoning_tokens=self._reasoning
        )
        return LLMChunk(usage=usage, finish_reason=reason)

    def call(self) -> Iterator[LLMChunk]:
        """Exactly one call, or nothing and LENGTH."""
        if self._writer.left > 0:
            self._writer.dictate(self._worker.template.tokens(f"{CALL_OPEN}\n"))
        call = write_call(self._worker, self._writer, self._skills)
        if call is None:
            yield self._finish(FinishReason.LENGTH)
            return
        yield call_chunk(call, 0)
        yield self._finish(FinishReason.SKILL_CALLS)

    def structured(self) -> Iterator[LLMChunk]:
        """JSON text that fits the request's schema; cut short, it ends with LENGTH."""
        assert self._plan.request.output_schema is not None  # noqa: S101 -- checked by the caller
        constraint = self._worker.grammars.schema(self._plan.request.output_schema, what="the output")
        text = Detokenizer(self._worker.grammars.bytes_of)
        for token in self._writer.write(constraint):
            if shown := text.push(token):
                yield LLMChunk(text=shown)
        yield self._finish(FinishReason.STOP if self._writer.ended else FinishReason.LENGTH)

    def free(self) -> Iterator[LLMChunk]:
        """Text, with thinking between its tags and calls after theirs."""
        marks = (*self._plan.request.stop, *((CALL_OPEN,) if self._skills else ()))
        detokenizer = Detokenizer(self._worker.grammars.bytes_of)
        thinks = self._worker.template.thinks
        # Thinking may only stand at the start; later its tag is text.
        sieve = StopFilter((_THINK_OPEN, *marks) if thinks else marks)
        thinking = fresh = False
        for token in self._writer.write():
            self._reasoning += thinking
            text = detokenizer.push(token)
            if fresh:
                # The line breaks between thinking and text belong to neither.
                text = text.lstrip("\n")
                fresh = not text
            while True:
                shown = sieve.push(text)
                if shown:
                    yield LLMChunk(thinking=shown) if thinking else LLMChunk(text=shown)
                if not sieve.found:
                    break
                mark, text = sieve.found, sieve.rest
                if mark == _THINK_OPEN and thinks:
                    thinking, thinks, sieve = True, False, StopFilter((_THINK_CLOSE,))
                elif thinking:
                    thinking, sieve, text = False, StopFilter(marks), text.lstrip("\n")
                    fresh = not text
                elif mark == CALL_OPEN and self._skills:
                    yield from self._calling(token, text)
                    return
                else:
                    yield self._finish(FinishReason.STOP)
                    return
        if held := sieve.flush():
            yield LLMChunk(thinking=held) if thinking else LLMChunk(text=held)
        yield self._finish(FinishReason.STOP if self._writer.ended else FinishReason.LENGTH)

    def _calling(self, token: int, rest: str) -> Iterator[LLMChunk]:
        """Calls, one after the other, from the first opening tag on; `rest` is what `token` holds after it."""
        tokens = self._worker.template.tokens
        if rest:
            # The grammar starts right after the tag, so a token that reaches further is written anew.
            whole = self._worker.grammars.bytes_of(token).decode(errors="ignore")
            self._writer.take_back()
            self._writer.dictate(tokens(whole.removesuffix(rest)))
        self._writer.dictate(tokens("\n"))
        while True:
            call = write_call(self._worker, self._writer, self._skills)
            if call is None:
                yield self._finish(FinishReason.LENGTH)
                return
            if call in self._calls:
                break
            yield call_chunk(call, len(self._calls))
            self._calls.append(call)
            self._writer.dictate(tokens(f"\n{CALL_CLOSE}"))
            if not self._another():
                break
        yield self._finish(FinishReason.SKILL_CALLS)

    def _another(self) -> bool:
        """Whether the model opens one more call, after blanks at most."""
        text = ""
        detokenizer = Detokenizer(self._worker.grammars.bytes_of)
        for token in self._writer.write():
            text += detokenizer.push(token)
            if text.strip() == CALL_OPEN:
                self._writer.dictate(self._worker.template.tokens("\n"))
                return True
            if not CALL_OPEN.startswith(text.strip()):
                return False
        return False
