"""What was said before: as much of a conversation as fits into a number of tokens."""

from collections.abc import Sequence

from sre_core.components.context import ModelUse
from sre_core.messages import Message, MessageRole

__all__ = ["plain_messages", "recent"]


def plain_messages(messages: Sequence[Message]) -> list[Message]:
    """What user and assistant said to each other, without files, calls of skills and their results."""
    return [
        Message(role=message.role, text=message.text)
        for message in messages
        if message.role in {MessageRole.USER, MessageRole.ASSISTANT} and message.text
    ]


async def recent(messages: Sequence[Message], max_tokens: int, use: ModelUse) -> tuple[Message, ...]:
    """The newest messages that fit, each of them whole, from the first one of a user on."""
    counts = await _count([message.text for message in messages], use) if messages else []
    first = len(messages)
    for index in reversed(range(len(messages))):
        max_tokens -= counts[index]
        if max_tokens < 0:
            break
        first = index
    kept = list(messages[first:])
    while kept and kept[0].role is not MessageRole.USER:
        kept.pop(0)
    return tuple(kept)


async def _count(texts: Sequence[str], use: ModelUse) -> list[int]:
    if "count-tokens" in use.llm.capabilities:
        return await use.llm.count_tokens(texts, model=use.request.model)
    return [_estimate(text) for text in texts]


def _estimate(text: str) -> int:
    """On the high side: a token for three ASCII characters, or for two bytes of anything else."""
    return (len(text) + 2) // 3 if text.isascii() else (len(text.encode(errors="surrogatepass")) + 1) // 2
