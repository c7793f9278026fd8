"""Each rule of every language model, and one that breaks it."""

import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors import CallDelta, Connector, LLMChunk, ModelInfo, Service, Settings
from sre_core.errors import ConfigError, NotFoundError, RateLimitedError, UnavailableError
from sre_core.messages import FinishReason, MessageRole, Usage
from sre_core.testing.conformance.llm import LLMRateLimitConformance
from tests.unit.sre_core.testing.conformance.llm_twins import RULES, Bare, Changed, Gifted, broken_rules
from tests.unit.sre_core.testing.conformance.test_llm_media_twins import TWINS as MEDIA_TWINS
from tests.unit.sre_core.testing.conformance.twins import failing


class ReadsForeignState(Changed):
    def before(self, request):
        for message in request.messages:
            if message.state is not None:
                json.loads(message.state.data)
        return request


class Duck(Connector):
    """Only looks like a language model."""

    service = Service.LLM
    name = "duck"
    capabilities = EchoLLM.capabilities

    def __init__(self, settings):
        super().__init__(settings)
        self._echo = EchoLLM(settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._echo, name)


class CallsWhatNobodyOffered(Changed):
    def after(self, request, chunks):
        call = LLMChunk(call=CallDelta(index=0, id="1", name="search", arguments="{}"))
        return chunks if request.skills else [call, *chunks]


class FinishesEveryChunk(Changed):
    def after(self, request, chunks):
        return [replace(chunk, finish_reason=chunks[-1].finish_reason) for chunk in chunks]


class CountsTwice(Changed):
    def after(self, request, chunks):
        return [LLMChunk(usage=Usage()), *chunks]


class CountsNothing(Changed):
    def after(self, request, chunks):
        return [replace(chunk, usage=None) for chunk in chunks]


class RefusesInstructions(Changed):
    def before(self, request):
        if any(message.role is MessageRole.SYSTEM for message in request.messages):
            raise ConfigError("no instructions, please")
        return request


class IgnoresMaxTokens(Changed):
    def before(self, request):
        return replace(request, max_tokens=None)


class SaysStopWhenItWasCut(Changed):
    def after(self, request, chunks):
        cut = chunks[-1].finish_reason is FinishReason.LENGTH
        return [*chunks[:-1], replace(chunks[-1], finish_reason=FinishReason.STOP)] if cut else chunks


class IgnoresStopSequences(Changed):
    def before(self, request):
        return replace(request, stop=())


class IncludesTheStopSequence(Changed):
    def after(self, request, chunks):
        return [LLMChunk(text=request.stop[0]), *chunks] if request.stop else chunks


class StopsOnlyAtWholeChunks(Changed):
    def before(self, request):
        return replace(request, stop=())

    def after(self, request, chunks):
        ends = [number for number, chunk in enumerate(chunks) if chunk.text.strip() in request.stop]
        return [*chunks[: ends[0]], chunks[-1]] if ends else chunks


class IgnoresOptions(Changed):
    def before(self, request):
        return replace(request, options={})


class NamesAModelTwice(EchoLLM):
    async def models(self):
        return [*await super().models(), *await super().models()]


class DoesNotKnowItsOwnModel(EchoLLM):
    async def models(self):
        return [ModelInfo(id="echo-large")]


class AnswersForAnyModel(Changed):
    def before(self, request):
        return replace(request, model=None)


class EmbedsForAnyModel(EchoLLM):
    async def embed(self, texts, *, model=None):
        return await super().embed(texts)


class HasTenConnections(EchoLLM):
    used = 0

    async def stream(self, request):
        if self.used == 10:
            raise UnavailableError("all connections are in use")
        self.used += 1
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk
        self.used -= 1


class HasOneBuffer(EchoLLM):
    async def stream(self, request):
        async with aclosing(super().stream(request)) as chunks:
            self.buffer = [chunk async for chunk in chunks]
        for number in range(len(self.buffer)):
            yield self.buffer[number]


class CutsArguments(Changed):
    def after(self, request, chunks):
        return [*chunks[:-2], chunks[-1]] if chunks[-2].call else chunks


class CallsAnUnknownSkill(Changed):
    def after(self, request, chunks):
        named = [chunk for chunk in chunks if chunk.call and chunk.call.name]
        return [replace(c, call=replace(c.call, name="other")) if c in named else c for c in chunks]


class NamesCallsLate(Changed):
    def after(self, request, chunks):
        if not chunks[0].call:
            return chunks
        first = chunks[0].call
        late = replace(chunks[1].call, id=first.id, name=first.name)
        return [LLMChunk(call=replace(first, id="", name="")), LLMChunk(call=late), *chunks[2:]]


class CallsThoughForbidden(Changed):
    def before(self, request):
        forbidden = request.skills and request.messages[-1].role is MessageRole.USER
        return replace(request, skill_choice="required") if forbidden else request


class CannotReadErrors(Changed):
    def before(self, request):
        if any(message.is_error for message in request.messages):
            raise ConfigError("no errors, please")
        return request


class TalksAroundTheJson(Changed):
    def after(self, request, chunks):
        return [LLMChunk(text="Sure: "), *chunks] if request.output_schema else chunks


class FitsNoSchema(Changed):
    def before(self, request):
        return replace(request, output_schema={"type": "object"}) if request.output_schema else request


class AlwaysThinks(Gifted):
    async def stream(self, request):
        async with aclosing(super().stream(replace(request, thinking=True))) as chunks:
            async for chunk in chunks:
                yield chunk


class IgnoresSchemas(Bare):
    async def stream(self, request):
        async with aclosing(super().stream(replace(request, output_schema=None))) as chunks:
            async for chunk in chunks:
                yield chunk


class IgnoresThinking(Changed):
    def before(self, request):
        return replace(request, thinking=None)


TWINS = [
    (Duck, "test_it_is_a_language_model"),
    (CallsWhatNobodyOffered, "test_its_chunks_fold_to_a_message"),
    (FinishesEveryChunk, "test_the_last_chunk_and_only_it_has_a_finish_reason"),
    (CountsTwice, "test_usage_comes_once"),
    (CountsNothing, "test_usage_comes_once"),
    (RefusesInstructions, "test_a_conversation_can_be_continued"),
    (ReadsForeignState, "test_the_state_of_another_connector_is_passed_over"),
    (IgnoresMaxTokens, "test_max_tokens_is_the_longest_answer"),
    (SaysStopWhenItWasCut, "test_max_tokens_is_the_longest_answer"),
    (IgnoresStopSequences, "test_a_stop_sequence_ends_the_text_and_is_no_part_of_it"),
    (IncludesTheStopSequence, "test_a_stop_sequence_ends_the_text_and_is_no_part_of_it"),
    (StopsOnlyAtWholeChunks, "test_a_stop_sequence_ends_the_text_and_is_no_part_of_it"),
    (IgnoresOptions, "test_an_unknown_option_is_refused"),
    (NamesAModelTwice, "test_it_names_its_models"),
    (DoesNotKnowItsOwnModel, "test_the_first_model_can_be_asked_for_by_name"),
    (AnswersForAnyModel, "test_an_unknown_model_is_not_found"),
    (EmbedsForAnyModel, "test_an_unknown_model_is_not_found"),
    (HasTenConnections, "test_closing_a_stream_early_frees_the_connector"),
    (HasOneBuffer, "test_two_streams_at_once_do_not_mix"),
    (CutsArguments, "test_a_required_skill_is_called"),
    (CallsAnUnknownSkill, "test_a_required_skill_is_called"),
    (NamesCallsLate, "test_id_and_name_of_a_call_come_with_its_first_piece"),
    (CallsThoughForbidden, "test_a_model_that_must_not_call_a_skill_does_not"),
    (CannotReadErrors, "test_results_of_skills_go_back_to_the_model"),
    (TalksAroundTheJson, "test_an_output_schema_is_kept"),
    (FitsNoSchema, "test_an_output_schema_is_kept"),
    (IgnoresSchemas, "test_an_output_schema_is_kept"),
    (AlwaysThinks, "test_thinking_can_be_switched"),
    (IgnoresThinking, "test_thinking_can_be_switched"),
]


@pytest.mark.parametrize("kind", [EchoLLM, Bare, Gifted, Changed])
def test_a_good_model_breaks_no_rule(kind):
    assert broken_rules(kind) == set()


@pytest.mark.parametrize(("kind", "rule"), TWINS, ids=[kind.__name__ for kind, _ in TWINS])
def test_a_wrong_model_breaks_exactly_its_rule(kind, rule):
    assert broken_rules(kind) == {rule}


def test_every_rule_has_a_twin():
    assert {rule for _, rule in [*TWINS, *MEDIA_TWINS]} == RULES


class Limited(EchoLLM):
    error: Exception = RateLimitedError("slow down", retry_after=7.0)

    async def stream(self, request):
        raise self.error
        yield


class ForgetsWhen(Limited):
    error = RateLimitedError("slow down")


class SaysItIsDown(Limited):
    error = UnavailableError("429")


class SaysItIsMissing(Limited):
    error = NotFoundError("429")


@pytest.mark.parametrize(
    ("kind", "broken"), [(Limited, 0), (ForgetsWhen, 1), (SaysItIsDown, 1), (SaysItIsMissing, 1), (EchoLLM, 1)]
)
def test_a_rate_limit_is_told_as_one(kind, broken):
    class Limits(LLMRateLimitConformance):
        def make_limited(self):
            return kind(Settings())

    assert len(failing(Limits)) == broken
