"""Skill calls of the past, told in plain words to a model that was never taught calls."""

from collections.abc import Sequence
from dataclasses import replace

from sre_core.messages import Message, MessageRole

__all__ = ["retell"]

_REQUEST = "My request was: {request}\n{results}\nAnswer my request in one short sentence."


def retell(messages: Sequence[Message]) -> list[Message]:
    """The messages with each request, its calls and their results as one message of the user.

    Of the ways that were tried, this is the one that a model of 135 million parameters answers with the result;
    shown its call as a turn of its own, it repeats the call, or one phrase for ever.
    """
    told: list[Message] = []
    results: list[str] = []
    for message in messages:
        if message.role is MessageRole.SKILL:
            results.append(_result(message))
        elif message.role is not MessageRole.ASSISTANT or not message.skill_calls:
            _put(told, results)
            told.append(message)
    _put(told, results)
    return told


def _put(told: list[Message], results: list[str]) -> None:
    """Add the results to the request that they belong to, the last message of the user."""
    if not results:
        return
    text = "\n".join(results)
    results.clear()
    for place in range(len(told) - 1, -1, -1):
        if told[place].role is MessageRole.USER:
            told[place] = replace(told[place], text=_REQUEST.format(request=told[place].text.strip(), results=text))
            return
    told.append(Message.user(text))


def _result(message: Message) -> str:
    tool = (message.name or "").replace("_", " ").strip()
    return f"The {tool} tool {'failed' if message.is_error else 'returned'}: {message.text}"
