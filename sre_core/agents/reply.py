"""Reply: the text of an answer, with what it took to get it."""

from typing import Any, Generic, Self

from typing_extensions import TypeVar

from sre_core.messages import FinishReason, Message, SkillCall, Usage

__all__ = ["Reply"]

T = TypeVar("T", default=Any)


class Reply(str, Generic[T]):  # noqa: SLOT000 -- the attributes need its __dict__
    """An answer. It is a string; the rest are attributes.

    `messages` are those that the run added to the conversation, `skill_calls` all calls the model asked for,
    `usage` the sum over all turns, `cost` what it cost in US dollars by the prices of the catalogue, None when they are
    not known; `output` is the validated object when the run had an `output_type`.
    """

    usage: Usage
    cost: float | None
    messages: tuple[Message, ...]
    skill_calls: tuple[SkillCall, ...]
    finish_reason: FinishReason
    model: str | None
    output: T

    def __new__(
        cls,
        text: str = "",
        *,
        usage: Usage = Usage(),  # noqa: B008 -- frozen
        cost: float | None = None,
        messages: tuple[Message, ...] = (),
        skill_calls: tuple[SkillCall, ...] = (),
        finish_reason: FinishReason = FinishReason.STOP,
        model: str | None = None,
        output: T | None = None,
    ) -> Self:
        """Attach the attributes to the text."""
        reply = super().__new__(cls, text)
        reply.usage = usage
        reply.cost = cost
        reply.messages = messages
        reply.skill_calls = skill_calls
        reply.finish_reason = finish_reason
        reply.model = model
        # None is the T of a run without an output_type.
        reply.output = output  # type: ignore[assignment]
        return reply
