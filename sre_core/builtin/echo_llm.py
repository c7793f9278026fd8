"""A language model that repeats what it was told: for documentation, tests and trying things out."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import xxhash

from sre_core.builtin.schema_example import example
from sre_core.connectors.llm import CallDelta, LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.errors import ConfigError, NotFoundError
from sre_core.messages import FinishReason, MessageRole, SkillCall, Usage

__all__ = ["EMBEDDING_LENGTH", "EchoLLM"]

EMBEDDING_LENGTH = 64
"""Numbers in each vector that `EchoLLM.embed` returns."""

# Only from where blanks begin, and none is given back: else it would take the square of their number.
_WORD = re.compile(r"(?<!\s)\s*+\S++(?:\s++\Z)?")
_CALL = re.compile(r"\bcall\s+([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*")
_DECODER = json.JSONDecoder()


class EchoLLM(LLMConnector):
    """Answers with the last message of the user, word by word. A token is a word.

    - **Skills.** A prompt that says `call add {"a": 1, "b": 2}` makes it call the skill `add` with these
      arguments, if it is offered; several such phrases make several calls. The next answer is what they
      returned. With `skill_choice` "required" and no such phrase it calls the first skill with the smallest
      arguments that fit.
    - **Schemas.** With `output_schema` it answers with the first JSON object of the prompt as it stands, else
      with the smallest value that fits the schema.
    - **Embeddings** are counts of hashed words: texts that share words are near each other, and that is all.

    It has no waiting, no randomness and no state; temperature, top_p and seed change nothing.
    """

    name = "echo"
    capabilities = frozenset({"count-tokens", "embed", "schema", "tools"})

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Repeat. Raises NotFoundError, UnsupportedError, and ConfigError for every option."""
        self._check(request)
        calls = _calls(request)
        chunks = _call_chunks(calls) if calls else [LLMChunk(text=word) for word in _words(_answer(request))]
        finish = FinishReason.SKILL_CALLS if calls else FinishReason.STOP
        if request.max_tokens is not None and len(chunks) > request.max_tokens:
            chunks, finish = chunks[: request.max_tokens], FinishReason.LENGTH
        for chunk in chunks:
            # Lets other tasks run, and a cancellation arrive.
            await asyncio.sleep(0)
            yield chunk
        heard = sum(len(message.text.split()) for message in request.messages)
        usage = Usage(input_tokens=heard, output_tokens=len(chunks))
        yield LLMChunk(usage=usage, finish_reason=finish)

    async def models(self) -> list[ModelInfo]:
        """The one model, "echo"."""
        return [ModelInfo(id=self.name)]

    async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """Vectors of length 1, or of zeros for a text without words."""
        self._check_model(model)
        return [_embedding(text) for text in texts]

    async def count_tokens(self, texts: Sequence[str], *, model: str | None = None) -> list[int]:
        """The number of words of each text."""
        self._check_model(model)
        return [len(text.split()) for text in texts]

    def _check(self, request: LLMRequest) -> None:
        self._check_model(request.model)
        self.check(request)
        if request.options:
            raise ConfigError(f"llm connector 'echo' knows no option {min(request.options)!r}", hint="it has none")
        if request.max_tokens is not None and request.max_tokens < 1:
            raise ConfigError(f"illegal max_tokens {request.max_tokens!r}", hint="ask for 1 or more, or None")

    def _check_model(self, model: str | None) -> None:
        if model not in {None, self.name}:
            raise NotFoundError(f"llm connector 'echo' has no model {model!r}", hint="its only model is 'echo'")


def _answer(request: LLMRequest) -> str:
    prompt = _prompt(request)
    if request.output_schema is not None:
        found = _first_object(prompt)
        text = found if found is not None else json.dumps(example(request.output_schema, text=prompt))
    elif request.messages and request.messages[-1].role is MessageRole.SKILL:
        text = "\n".join(_results(request))
    else:
        text = prompt
    for stop in request.stop:
        if stop:
            text = text.partition(stop)[0]
    return text


def _prompt(request: LLMRequest) -> str:
    said = (message.text for message in reversed(request.messages) if message.role is MessageRole.USER)
    return next(said, "")


def _results(request: LLMRequest) -> list[str]:
    texts: list[str] = []
    for message in reversed(request.messages):
        if message.role is not MessageRole.SKILL:
            break
        texts.append(message.text)
    return texts[::-1]


def _calls(request: LLMRequest) -> list[SkillCall]:
    if not request.skills or request.skill_choice == "none":
        return []
    calls: list[SkillCall] = []
    # Ids are counted through the whole conversation, so that no two are equal.
    earlier = sum(len(message.skill_calls) for message in request.messages)
    if request.messages and request.messages[-1].role is MessageRole.USER:
        prompt = _prompt(request)
        offered = {skill.name for skill in request.skills}
        for found in _CALL.finditer(prompt):
            if found[1] in offered:
                number = earlier + len(calls)
                calls.append(SkillCall(id=f"call_{number}", name=found[1], arguments=_arguments(prompt, found.end())))
    if not calls and request.skill_choice == "required":
        skill = request.skills[0]
        arguments = json.dumps(example(skill.parameters, text=_prompt(request)))
        calls.append(SkillCall(id=f"call_{earlier}", name=skill.name, arguments=arguments))
    return calls


def _arguments(prompt: str, start: int) -> str:
    """The JSON object at `start`; what stands there if it is a broken one; "{}" if there is none."""
    if not prompt.startswith("{", start):
        return "{}"
    try:
        _, end = _DECODER.raw_decode(prompt, start)
    except ValueError:
        return prompt[start:].splitlines()[0]
    return prompt[start:end]


def _first_object(text: str) -> str | None:
    for found in re.finditer(r"\{", text):
        try:
            _, end = _DECODER.raw_decode(text, found.start())
        except ValueError:
            continue
        return text[found.start() : end]
    return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text) or ([text] if text else [])


def _call_chunks(calls: Sequence[SkillCall]) -> list[LLMChunk]:
    chunks: list[LLMChunk] = []
    for index, call in enumerate(calls):
        pieces = [CallDelta(index=index, arguments=word) for word in _words(call.arguments)]
        pieces[0] = replace(pieces[0], id=call.id, name=call.name)
        chunks += [LLMChunk(call=piece) for piece in pieces]
    return chunks


def _embedding(text: str) -> list[float]:
    counts = [0.0] * EMBEDDING_LENGTH
    for word in re.findall(r"\w+", text.lower()):
        counts[xxhash.xxh3_64_intdigest(word.encode()) % EMBEDDING_LENGTH] += 1.0
    length = sum(count * count for count in counts) ** 0.5 or 1.0
    return [count / length for count in counts]
