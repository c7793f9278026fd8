"""The window: how many tokens messages take, and which of them fit."""

import json
from collections.abc import Sequence

from sre_core.connectors.llm import LLM
from sre_core.errors import LimitExceededError
from sre_core.messages import Message, MessageRole, SkillSpec

__all__ = ["MESSAGE_TOKENS", "TokenCounts", "cut", "estimate_message", "estimate_text"]

MESSAGE_TOKENS = 8
"""Allowed for the marks that a chat template puts around each message, skill and skill call."""

_MEDIA_TOKENS = 1600


def estimate_text(text: str) -> int:
    """Tokens of a text without a tokenizer, meant to err on the high side.

    One token for three ASCII characters (English has four to five, code about three), and one for two bytes of
    UTF-8 as soon as the text has other characters.
    """
    if text.isascii():
        return (len(text) + 2) // 3
    return (len(text.encode(errors="surrogatepass")) + 1) // 2


def estimate_message(message: Message) -> int:
    """Tokens of a message, estimated: its text, its calls, its files and `MESSAGE_TOKENS` around each."""
    return _overhead(message) + estimate_text(message.text) + sum(estimate_text(text) for text in _calls(message))


def _overhead(message: Message) -> int:
    """Tokens of a message that are no text: marks, and files.

    A text file counts a token for two bytes; images, sound and the like count 1,600, whatever their size.
    """
    total = MESSAGE_TOKENS * (1 + len(message.skill_calls))
    for file in message.files:
        is_text = file.media_type.startswith("text/") or file.media_type.endswith(("json", "xml", "yaml"))
        total += MESSAGE_TOKENS + (len(file.data) // 2 if is_text else _MEDIA_TOKENS)
    return total


def _calls(message: Message) -> list[str]:
    return [text for call in message.skill_calls for text in (call.name, call.arguments)]


class TokenCounts:
    """Counts tokens with the model's own tokenizer where the connector has one, else by estimate.

    Each message is counted once, for as long as it lives: messages are told apart by identity.
    """

    def __init__(self, llm: LLM, model: str | None) -> None:
        self._llm = llm
        self._model = model
        self._exact = "count-tokens" in llm.capabilities
        self._known: dict[int, tuple[Message, int]] = {}

    async def messages(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of each message. Raises ConnectorError when the connector fails to count."""
        known = self._known
        fresh = [message for message in messages if id(message) not in known]
        if fresh:
            for message, count in zip(fresh, await self._count(fresh), strict=True):
                # The entry holds the message, so that its id is not given to another one.
                known[id(message)] = (message, count)
        return [known[id(message)][1] for message in messages]

    async def text(self, text: str) -> int:
        """Tokens of a text. Raises ConnectorError."""
        return (await self._texts([text]))[0] if text else 0

    async def specs(self, specs: Sequence[SkillSpec]) -> int:
        """Tokens of the skills' names, descriptions and schemas. Raises ConnectorError."""
        texts = [f"{spec.name} {spec.description} {json.dumps(spec.parameters)}" for spec in specs]
        return sum(await self._texts(texts)) + MESSAGE_TOKENS * len(texts) if texts else 0

    async def _count(self, messages: Sequence[Message]) -> list[int]:
        if not self._exact:
            return [estimate_message(message) for message in messages]
        texts = ["\n".join((message.text, *_calls(message))) for message in messages]
        counts = await self._texts(texts)
        return [_overhead(message) + count for message, count in zip(messages, counts, strict=True)]

    async def _texts(self, texts: Sequence[str]) -> list[int]:
        if not self._exact:
            return [estimate_text(text) for text in texts]
        return await self._llm.count_tokens(texts, model=self._model)


def cut(messages: Sequence[Message], counts: Sequence[int], max_tokens: int, *, reserved: int = 0) -> list[Message]:
    """The newest messages that fit into `max_tokens`, of which `reserved` are taken already.

    System messages, and everything from the latest user message on, always stay. Before that the oldest go
    first, in whole exchanges (a user message with all that answers it), so a skill call never loses its results
    and a window never begins in the middle of an answer. Raises LimitExceededError when what must stay does not
    fit.
    """
    starts = [index for index, message in enumerate(messages) if message.role is MessageRole.USER]
    first = starts[-1] if starts else 0
    pinned = sum(counts[index] for index in range(first) if messages[index].role is MessageRole.SYSTEM)
    total = reserved + pinned + sum(counts[first:])
    if total > max_tokens:
        raise LimitExceededError(
            f"the window of {max_tokens} tokens is too small: the system prompt, the skills and the messages since "
            f"the last prompt take {total}, of which {total - reserved} are messages",
            hint="raise Limits.window_tokens, offer fewer skills, or let skills return less",
        )
    for start in reversed(starts[:-1]):
        size = sum(counts[i] for i in range(start, first) if messages[i].role is not MessageRole.SYSTEM)
        if total + size > max_tokens:
            break
        total += size
        first = start
    else:
        # What comes before the first user message is an exchange too: a greeting, say.
        head = sum(counts[i] for i in range(first) if messages[i].role is not MessageRole.SYSTEM)
        if total + head <= max_tokens:
            return list(messages)
    return [m for index, m in enumerate(messages) if index >= first or m.role is MessageRole.SYSTEM]
