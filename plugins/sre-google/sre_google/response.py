"""What Google's model says, as chunks of ours."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sre_core.connectors.llm import CallDelta, LLMChunk
from sre_core.errors import ConnectorError, UnavailableError
from sre_core.messages import FinishReason, Usage
from sre_google.request import Target
from sre_google.state import Layout, pack

if TYPE_CHECKING:
    from google.genai.types import Candidate, FunctionCall, GenerateContentResponse, Part

__all__ = ["BLOCKED", "ReplyReader", "usage_of"]

BLOCKED = frozenset(
    {
        "BLOCKLIST",
        "ESCALATION",
        "IMAGE_OTHER",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_SAFETY",
        "LANGUAGE",
        "MODEL_ARMOR",
        "OTHER",
        "PROHIBITED_CONTENT",
        "PUP_LIMITED_DISABLED",
        "RECITATION",
        "SAFETY",
        "SPII",
    }
)
"""Reasons for which Google holds back what a model says."""

_ENDS: Mapping[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    **dict.fromkeys(BLOCKED, FinishReason.CONTENT_FILTER),
}
# The model made a mistake, and may make none the next time.
_MISTAKES = frozenset(
    {"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS", "UNEXPECTED_TOOL_CALL", "NO_IMAGE"}
)


class ReplyReader:
    """Reads one reply: feed it what comes with `read`, then ask for the `end`."""

    def __init__(self, target: Target, *, earlier_calls: int = 0) -> None:
        """`earlier_calls` are those of the conversation so far, so that calls without an id get one that is new."""
        self._target = target
        self._earlier = earlier_calls
        self._calls = 0
        self._layout = Layout()
        self._usage: Usage | None = None
        self._reason: FinishReason | None = None

    @property
    def finished(self) -> bool:
        """Whether the model has said that it is done."""
        return self._reason is not None

    def read(self, response: "GenerateContentResponse") -> Iterator[LLMChunk]:
        """The chunks of one piece; there may be none. Raises UnavailableError when the model wrote what nobody can
        read, ConnectorError when it ended for a reason that is not known, or sends what a chunk cannot hold."""
        if response.usage_metadata is not None:
            # Each piece has the sum so far.
            self._usage = usage_of(response)
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason and not response.candidates:
            self._reason = FinishReason.CONTENT_FILTER
            if feedback.block_reason_message:
                yield LLMChunk(text=feedback.block_reason_message)
        for candidate in (response.candidates or ())[:1]:
            for part in (candidate.content and candidate.content.parts) or ():
                chunk = self._part(part)
                if chunk is not None:
                    yield chunk
            self._end_of(candidate)

    def end(self) -> LLMChunk:
        """The last chunk. Raises UnavailableError when the reply was not finished."""
        reason = self._reason
        if reason is None:
            raise UnavailableError(
                f"the reply of {self._target.model!r} broke off: it ended without a finish reason", hint="try again"
            )
        if reason is FinishReason.STOP and self._calls:
            reason = FinishReason.SKILL_CALLS
        return LLMChunk(usage=self._usage, state=pack(self._layout, self._target.origin), finish_reason=reason)

    def _part(self, part: "Part") -> LLMChunk | None:
        signature = base64.b64encode(part.thought_signature).decode("ascii") if part.thought_signature else None
        if part.function_call is not None:
            self._layout.call(signature)
            return self._call(part.function_call)
        if part.inline_data is not None and not part.thought:
            raise ConnectorError(
                f"{self._target.model!r} sent data of type {part.inline_data.mime_type!r} with its answer",
                hint="ask a model that makes images through generate_images",
            )
        text = part.text or ""
        if part.thought:
            self._layout.thought(text, signature)
            return LLMChunk(thinking=text) if text else None
        self._layout.text(text, signature)
        return LLMChunk(text=text) if text else None

    def _call(self, call: "FunctionCall") -> LLMChunk:
        index = self._calls
        self._calls += 1
        return LLMChunk(
            call=CallDelta(
                index=index,
                id=call.id or f"call_{self._earlier + index}",
                name=call.name or "",
                arguments=json.dumps(call.args or {}, ensure_ascii=False),
            )
        )

    def _end_of(self, candidate: "Candidate") -> None:
        if candidate.finish_reason is None:
            return
        name = str(candidate.finish_reason.value)
        if name in _MISTAKES:
            raise UnavailableError(
                f"{self._target.model!r} wrote what Google could not read and ended with {name}", hint="try again"
            )
        if name not in _ENDS:
            raise ConnectorError(f"{self._target.model!r} ended with {name}", hint="see Google's list of FinishReason")
        self._reason = _ENDS[name]


def usage_of(response: "GenerateContentResponse") -> Usage | None:
    """The tokens of a reply so far; None when the piece counts none. What was thought is part of the output."""
    counts = response.usage_metadata
    if counts is None:
        return None
    thoughts = counts.thoughts_token_count or 0
    return Usage(
        input_tokens=(counts.prompt_token_count or 0) + (counts.tool_use_prompt_token_count or 0),
        output_tokens=(counts.candidates_token_count or 0) + thoughts,
        cached_tokens=counts.cached_content_token_count or 0,
        reasoning_tokens=thoughts,
    )
