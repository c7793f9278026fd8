"""Conversations of an assistant, kept in the agent's cache turn by turn."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from sre_core.connectors.cache import Cache
from sre_core.messages import Message

__all__ = ["ChatMemory", "chat_key"]

_MOST_TURNS = 200
_MOST_CHARACTERS = 40_000


def chat_key(caller: str, user_id: str, conversation_id: str) -> str:
    """A legal key for one conversation of one user, whatever their ids are.

    With the caller: ids come with the request, and nobody gets into a conversation of somebody else by knowing them.
    """
    # A list keeps ("a", "bc") and ("ab", "c") apart.
    ids = json.dumps([caller, user_id, conversation_id]).encode()
    return f"conversation/{hashlib.sha256(ids).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMemory:
    """The turns of one conversation, of which each is kept for `ttl` seconds.

    Turns get numbers from a counter of the cache, and a key each. So none is lost when several are added at once, be
    it by several processes; each is then answered without knowledge of the others. The counter begins anew after each
    `ttl` seconds by the clock, lest it be kept for ever; the one before is still read.
    """

    cache: Cache
    key: str
    ttl: float
    clock: Callable[[], float] = time.time

    async def add(self, question: str, reply: str) -> None:
        """Keep a turn. Raises UnsupportedError when the cache cannot count."""
        era = f"{self.key}/{self._era()}"
        number = await self.cache.increment(f"{era}/count", ttl=2 * self.ttl)
        await self.cache.set(f"{era}/{number}", [question, reply], ttl=self.ttl)

    async def messages(self) -> list[Message]:
        """The newest turns in their order: at most two hundred, and about forty thousand characters."""
        turns: list[list[str]] = []
        room = _MOST_CHARACTERS
        for era in (self._era(), self._era() - 1):
            for number in range(await self.cache.get(f"{self.key}/{era}/count", 0), 0, -1):
                if len(turns) >= _MOST_TURNS or room <= 0:
                    break
                turn = await self.cache.get(f"{self.key}/{era}/{number}")
                # It expired, or is just being written.
                if turn is not None:
                    turns.append(turn)
                    room -= sum(map(len, turn))
        pairs = ((Message.user(question), Message.assistant(reply)) for question, reply in reversed(turns))
        return [message for pair in pairs for message in pair]

    def _era(self) -> int:
        return int(self.clock() // self.ttl)
