"""The rules of LLMConnector, as tests that any language model can run; they judge shape, not wisdom."""

import asyncio
import math
from contextlib import aclosing
from typing import Any, ClassVar

import pytest

from sre_core.connectors.base import Connector
from sre_core.connectors.llm import Completion, ImageRequest, LLMChunk, LLMConnector, LLMRequest, fold
from sre_core.errors import ConfigError, NotFoundError, RateLimitedError, UnsupportedError
from sre_core.messages import FinishReason, Message, MessageRole, ProviderState
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from sre_core.testing.conformance.llm_cases import CITY_SCHEMA, SKILLS, clip, page, picture, read_city, sound

__all__ = ["LLMConformance", "LLMRateLimitConformance"]

_NO_MODEL = "no-such-model-of-the-conformance-kit"
_TRIP = "I travel to Paris for 3 days. How will the weather be?"


class LLMConformance(LifecycleConformance):
    """Subclass it with `make`, as LifecycleConformance tells.

    Override `request` to add what your model needs, and `fits` where the backend is predictable, as a fake
    server is. The prompts ask a real model for something short.
    """

    max_tokens: ClassVar[int] = 48
    """The longest answer that most rules ask for; keeps slow models bearable."""

    def make(self) -> LLMConnector:
        """A new connector that is not started."""
        made = super().make()
        assert isinstance(made, LLMConnector)
        return made

    def request(self, connector: LLMConnector, *messages: Message | str, **changes: Any) -> LLMRequest:
        """A request of these messages; text stands for a message of the user."""
        said = tuple(Message.user(message) if isinstance(message, str) else message for message in messages)
        thinking = False if "reasoning" in connector.capabilities else None
        return LLMRequest(messages=said, **({"max_tokens": self.max_tokens, "thinking": thinking} | changes))

    def fits(self, prompt: str, answer: str) -> bool:
        """Whether `answer` can be the answer to `prompt`; any text can, unless you know better."""
        return bool(prompt and answer)

    async def exercise(self, connector: LLMConnector, token: str) -> None:
        """Ask, and get an answer that fits."""
        prompt = f"Repeat the word {token}"
        await self._answer(connector, prompt)

    # The answer

    def test_it_is_a_language_model(self) -> None:
        """It derives from LLMConnector."""
        made: Connector = self.make()
        assert isinstance(made, LLMConnector)

    async def test_its_chunks_fold_to_a_message(self, connector: LLMConnector) -> None:
        """Put together they are what an assistant says."""
        answer = await self._answer(connector, "Say hello to the world")
        assert answer.message.role is MessageRole.ASSISTANT
        assert answer.message.skill_calls == ()
        assert answer.finish_reason in {FinishReason.STOP, FinishReason.LENGTH}

    async def test_the_last_chunk_and_only_it_has_a_finish_reason(self, connector: LLMConnector) -> None:
        """So that a reply that was cut is never taken for a whole one."""
        chunks = await self._chunks(connector, self.request(connector, "Say hello to the world"))
        reasons = [chunk.finish_reason for chunk in chunks]
        assert isinstance(reasons[-1], FinishReason), f"the last chunk has the finish reason {reasons[-1]!r}"
        assert set(reasons[:-1]) <= {None}, "a chunk before the last has a finish reason"

    async def test_usage_comes_once(self, connector: LLMConnector) -> None:
        """One chunk counts the tokens of request and reply; cached and reasoning tokens are parts of them."""
        chunks = await self._chunks(connector, self.request(connector, "Say hello to the world"))
        found = [chunk.usage for chunk in chunks if chunk.usage is not None]
        assert len(found) == 1, f"{len(found)} chunks have usage"
        (usage,) = found
        assert usage.input_tokens > 0, "no input tokens were counted"
        assert usage.output_tokens > 0, "no output tokens were counted"
        assert 0 <= usage.cached_tokens <= usage.input_tokens
        assert 0 <= usage.reasoning_tokens <= usage.output_tokens

    async def test_a_conversation_can_be_continued(self, connector: LLMConnector) -> None:
        """Instructions, and what was said before, are part of a request."""
        talk = (Message.system("Be brief."), Message.user("I am Ada."), Message.assistant("Hello Ada."))
        answer = await self._complete(connector, self.request(connector, *talk, "What is my name?"))
        assert self.fits("What is my name?", answer.message.text)

    async def test_the_state_of_another_connector_is_passed_over(self, connector: LLMConnector) -> None:
        """A conversation may go on with another connector than it began with."""
        state = ProviderState(connector="no-such-connector", data="{not json")
        talk = (Message.user("I am Ada."), Message.assistant("Hello Ada.", state=state))
        answer = await self._complete(connector, self.request(connector, *talk, "What is my name?"))
        assert self.fits("What is my name?", answer.message.text)

    async def test_max_tokens_is_the_longest_answer(self, connector: LLMConnector) -> None:
        """A longer one is cut there, with the finish reason LENGTH."""
        prompt = "Write down all numbers from one to one hundred as words, please, and leave none out"
        answer = await self._complete(connector, self.request(connector, prompt, max_tokens=4))
        assert answer.finish_reason is FinishReason.LENGTH
        assert answer.usage.output_tokens <= 4

    async def test_a_stop_sequence_ends_the_text_and_is_no_part_of_it(self, connector: LLMConnector) -> None:
        """Wherever in the text it comes, also across chunks."""
        prompt = "Count: one two three four five six"
        text = (await self._answer(connector, prompt)).message.text
        middle = len(text) // 2
        for stop in {text[middle : middle + 3], text[max(middle - 4, 0) : middle + 4], text[-2:]} - {""}:
            answer = await self._complete(connector, self.request(connector, prompt, stop=(stop, "\0never\0")))
            assert stop not in answer.message.text, f"the text has the stop sequence {stop!r}"
            assert answer.finish_reason in {FinishReason.STOP, FinishReason.LENGTH}

    async def test_an_unknown_option_is_refused(self, connector: LLMConnector) -> None:
        """It raises ConfigError, instead of being ignored."""
        request = self.request(connector, "Hello", options={"no_such_option": 1})
        with pytest.raises(ConfigError):
            await self._chunks(connector, request)

    # Models

    async def test_it_names_its_models(self, connector: LLMConnector) -> None:
        """There is at least one; ids are unique, sizes are positive or unknown."""
        models = await connector.models()
        assert models, "it has no models"
        ids = [model.id for model in models]
        assert all(isinstance(name, str) and name for name in ids)
        assert len(set(ids)) == len(ids), "two models have the same id"
        sizes = [size for model in models for size in (model.context_tokens, model.output_tokens)]
        assert all(size is None or size > 0 for size in sizes)

    async def test_the_first_model_can_be_asked_for_by_name(self, connector: LLMConnector) -> None:
        """It is the default."""
        first = (await connector.models())[0]
        answer = await self._complete(connector, self.request(connector, "Say hello", model=first.id))
        assert self.fits("Say hello", answer.message.text)

    async def test_an_unknown_model_is_not_found(self, connector: LLMConnector) -> None:
        """It raises NotFoundError, wherever a model can be named."""
        with pytest.raises(NotFoundError):
            await self._chunks(connector, self.request(connector, "Hello", model=_NO_MODEL))
        if "embed" in connector.capabilities:
            with pytest.raises(NotFoundError):
                await connector.embed(["Hello"], model=_NO_MODEL)
        if "count-tokens" in connector.capabilities:
            with pytest.raises(NotFoundError):
                await connector.count_tokens(["Hello"], model=_NO_MODEL)

    # Streams

    async def test_closing_a_stream_early_frees_the_connector(self, connector: LLMConnector) -> None:
        """However often it happens, the next call works."""
        for _ in range(12):
            async with asyncio.timeout(self.patience), aclosing(self._stream(connector, "Say hello")) as chunks:
                await anext(chunks)
        await self._answer(connector, "Say hello")

    async def test_two_streams_at_once_do_not_mix(self, connector: LLMConnector) -> None:
        """Read in turns, each gives its own answer, whole."""
        prompts = "Name one colour of the rainbow", "Name two animals of the woods"
        streams = [self._stream(connector, prompt) for prompt in prompts]
        answers: list[list[LLMChunk]] = [[], []]
        reading = [0, 1]
        try:
            async with asyncio.timeout(self.patience):
                while reading:
                    for number in list(reading):
                        chunk = await anext(streams[number], None)
                        if chunk is None:
                            reading.remove(number)
                        else:
                            answers[number].append(chunk)
        finally:
            for chunks in streams:
                await chunks.aclose()
        for prompt, answer in zip(prompts, answers, strict=True):
            text = fold(answer).message.text
            assert self.fits(prompt, text), f"{text!r} is no answer to {prompt!r}"

    # Capabilities

    async def test_a_required_skill_is_called(self, connector: LLMConnector) -> None:
        """The pieces of a call make the name of an offered skill and arguments that fit its schema."""
        request = self._with_skills(connector, skill_choice="required")
        if await self._refused(connector, "tools", request):
            return
        answer = await self._complete(connector, request)
        calls = answer.message.skill_calls
        assert calls, "no skill was called"
        assert answer.finish_reason is FinishReason.SKILL_CALLS
        assert {call.name for call in calls} <= {skill.name for skill in SKILLS}
        assert all(call.id for call in calls)
        assert len({call.id for call in calls}) == len(calls), "two calls have the same id"
        for call in calls:
            read_city(call.arguments)

    async def test_id_and_name_of_a_call_come_with_its_first_piece(self, connector: LLMConnector) -> None:
        """So that a listener knows from the start which skill is being called."""
        request = self._with_skills(connector, skill_choice="required")
        if await self._refused(connector, "tools", request):
            return
        seen: set[int] = set()
        for chunk in await self._chunks(connector, request):
            if chunk.call is not None and chunk.call.index not in seen:
                seen.add(chunk.call.index)
                assert chunk.call.id, "the first piece of a call has no id"
                assert chunk.call.name, "the first piece of a call has no name"
        assert seen == set(range(len(seen))), f"the calls have the indexes {sorted(seen)}"

    async def test_a_model_that_must_not_call_a_skill_does_not(self, connector: LLMConnector) -> None:
        """With the choice "none" it answers in text."""
        request = self._with_skills(connector, skill_choice="none")
        if await self._refused(connector, "tools", request):
            return
        answer = await self._complete(connector, request)
        assert answer.message.skill_calls == ()
        assert answer.finish_reason is not FinishReason.SKILL_CALLS

    async def test_results_of_skills_go_back_to_the_model(self, connector: LLMConnector) -> None:
        """Calls and results, also of an error, are part of a conversation."""
        request = self._with_skills(connector, skill_choice="required")
        if await self._refused(connector, "tools", request):
            return
        called = (await self._complete(connector, request)).message
        results = [Message.result(call, "no such city", is_error=True) for call in called.skill_calls]
        more = self._with_skills(connector, *request.messages, called, *results, skill_choice="none")
        assert (await self._complete(connector, more)).message.text

    async def test_an_output_schema_is_kept(self, connector: LLMConnector) -> None:
        """The text is JSON that fits the schema."""
        request = self.request(connector, _TRIP, output_schema=CITY_SCHEMA, max_tokens=512)
        if await self._refused(connector, "schema", request):
            return
        read_city((await self._complete(connector, request)).message.text)

    async def test_thinking_can_be_switched(self, connector: LLMConnector) -> None:
        """Switched on it thinks, apart from its text; switched off it does not."""
        request = self.request(connector, "What is 2 + 2?", thinking=True, max_tokens=2048)
        if await self._refused(connector, "reasoning", request):
            return
        assert (await self._complete(connector, request)).thinking
        silent = await self._complete(connector, self.request(connector, "What is 2 + 2?", thinking=False))
        assert silent.thinking == ""
        assert silent.message.text

    async def test_images_are_seen_or_refused(self, connector: LLMConnector) -> None:
        """A model that does not see raises UnsupportedError, instead of passing over the file."""
        request = self.request(connector, Message.user("What is this?", files=(picture(),)))
        if not await self._refused(connector, "images", request):
            assert (await self._complete(connector, request)).message.text

    async def test_audio_is_heard_or_refused(self, connector: LLMConnector) -> None:
        """A model that does not hear raises UnsupportedError, instead of passing over the file."""
        request = self.request(connector, Message.user("What is this?", files=(sound(),)))
        if not await self._refused(connector, "audio", request):
            assert (await self._complete(connector, request)).message.text

    async def test_documents_are_read_or_refused(self, connector: LLMConnector) -> None:
        """A model that reads no documents raises UnsupportedError, instead of passing over the file."""
        request = self.request(connector, Message.user("What does it say?", files=(page(),)))
        if not await self._refused(connector, "documents", request):
            assert (await self._complete(connector, request)).message.text

    async def test_video_is_seen_or_refused(self, connector: LLMConnector) -> None:
        """A model that sees no video raises UnsupportedError, instead of passing over the file."""
        request = self.request(connector, Message.user("What is this?", files=(clip(),)))
        if not await self._refused(connector, "video", request):
            assert (await self._complete(connector, request)).message.text

    async def test_images_are_made_or_refused(self, connector: LLMConnector) -> None:
        """At least one file of an image type; UnsupportedError where "image-generation" is not declared."""
        request = ImageRequest(prompt="A red square")
        if "image-generation" not in connector.capabilities:
            with pytest.raises(UnsupportedError):
                await connector.generate_images(request)
            return
        made = (await connector.generate_images(request)).images
        assert made, "no image was made"
        assert all(file.data and file.media_type.startswith("image/") for file in made)

    async def test_embeddings_have_one_length_and_the_order_of_their_texts(self, connector: LLMConnector) -> None:
        """One vector of finite numbers for each text, none for none."""
        texts = ["hello", "a much longer text about the sea", "hello again"]
        if "embed" not in connector.capabilities:
            with pytest.raises(UnsupportedError):
                await connector.embed(texts)
            return
        found = await connector.embed(texts)
        assert len(found) == len(texts)
        assert len({len(vector) for vector in found}) == 1, "the vectors have different lengths"
        assert found[0], "the vectors are empty"
        assert all(math.isfinite(value) for vector in found for value in vector)
        for text, vector in zip(texts, found, strict=True):
            (alone,) = await connector.embed([text])
            # Batches may be computed with other roundings than single texts.
            assert list(alone) == pytest.approx(list(vector), rel=1e-2, abs=1e-3), f"the vector of {text!r} changed"
        assert await connector.embed([]) == []

    async def test_tokens_are_counted_text_by_text(self, connector: LLMConnector) -> None:
        """One number for each text, in their order; more words are more tokens."""
        texts = ["hello", "hello hello hello hello"]
        if "count-tokens" not in connector.capabilities:
            with pytest.raises(UnsupportedError):
                await connector.count_tokens(texts)
            return
        short, long = await connector.count_tokens(texts)
        assert 0 < short < long
        assert await connector.count_tokens(texts[::-1]) == [long, short]
        assert await connector.count_tokens([]) == []

    def _stream(self, connector: LLMConnector, prompt: str) -> Any:
        return connector.stream(self.request(connector, prompt))

    async def _chunks(self, connector: LLMConnector, request: LLMRequest) -> list[LLMChunk]:
        async with asyncio.timeout(self.patience), aclosing(connector.stream(request)) as chunks:
            return [chunk async for chunk in chunks]

    async def _complete(self, connector: LLMConnector, request: LLMRequest) -> Completion:
        return fold(await self._chunks(connector, request))

    async def _answer(self, connector: LLMConnector, prompt: str) -> Completion:
        answer = await self._complete(connector, self.request(connector, prompt))
        text = answer.message.text
        assert self.fits(prompt, text), f"{text!r} is no answer to {prompt!r}"
        return answer

    def _with_skills(self, connector: LLMConnector, *messages: Message, **changes: Any) -> LLMRequest:
        said = messages or (Message.user(_TRIP),)
        return self.request(connector, *said, skills=SKILLS, **({"max_tokens": 512} | changes))

    async def _refused(self, connector: LLMConnector, capability: str, request: LLMRequest) -> bool:
        """Whether `capability` is not declared; then `request` must raise UnsupportedError."""
        if capability in connector.capabilities:
            return False
        with pytest.raises(UnsupportedError):
            await self._chunks(connector, request)
        return True


class LLMRateLimitConformance:
    """A further rule, for connectors whose backend can be made to refuse, as a fake server can.

    Subclass it beside LLMConformance, with `make_limited`.
    """

    pytestmark = LifecycleConformance.pytestmark
    anyio_backend = LifecycleConformance.anyio_backend

    retry_after: ClassVar[float] = 7.0
    """The seconds that the backend of `make_limited` asks to wait."""

    def make_limited(self) -> LLMConnector:
        """A new connector, not started, whose backend answers every call with "too many requests"."""
        raise NotImplementedError(f"{type(self).__name__} needs `def make_limited(self)`")

    async def test_a_rate_limit_says_when_to_come_back(self) -> None:
        """It raises RateLimitedError with the seconds that the backend asked for, and does not wait itself."""
        connector = self.make_limited()
        await connector.start()
        try:
            request = LLMRequest(messages=(Message.user("Say hello"),))
            with pytest.raises(RateLimitedError) as refused:
                async with asyncio.timeout(self.retry_after / 2), aclosing(connector.stream(request)) as chunks:
                    await anext(chunks)
            assert refused.value.retry_after == pytest.approx(self.retry_after, abs=1)
        finally:
            await connector.stop()
