"""Chat: a conversation with an agent that goes on from prompt to prompt, and from process to process."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from sre_core.agents.conversation import Conversation, chat_path
from sre_core.agents.limits import Limits
from sre_core.connectors.storage import NEW, Storage
from sre_core.errors import AgentError, ConfigError, ConflictError, NotFoundError
from sre_core.events import Emit
from sre_core.messages import File, Message, MessageRole
from sre_sdk.model import Model
from sre_sdk.prompt import Prompt, answer
from sre_sdk.run import Run

if TYPE_CHECKING:
    from sre_core.agents.reply import Reply
    from sre_sdk.agent import Agent

__all__ = ["Chat", "stored_chats"]

T = TypeVar("T")

# The chats that the current run answers, to refuse a prompt that would wait for itself.
_answering: ContextVar[tuple[asyncio.Lock, ...]] = ContextVar("sre_answering_chats", default=())


class Chat:
    """A conversation with an agent; made by `Agent.chat`.

    A turn is kept when it was answered, as a whole: a prompt that fails or is cancelled leaves no trace. Prompts
    to the same chat of one agent wait for each other. Two processes may use one stored chat: each prompt begins
    with what is stored by then, and when both answer at once, both turns are kept, one after the other.
    """

    __slots__ = ("_agent", "_kept", "_lock", "id", "is_stored")

    def __init__(self, agent: "Agent", kept: Conversation, lock: asyncio.Lock, *, is_stored: bool) -> None:
        self._agent = agent
        self._lock = lock
        self._kept = kept
        self.id = kept.id
        self.is_stored = is_stored

    def __repr__(self) -> str:
        """Names the chat and its agent."""
        return f"<Chat {self.id!r} with {self._agent!r}>"

    @overload
    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Run[None]: ...

    @overload
    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[T],
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Run[T]: ...

    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Run[Any]:
        """Go on with the conversation; see `Agent.prompt`."""
        prompt = self._agent.make_prompt(
            text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
        )
        return Run(text, lambda emit: self._answer(prompt, emit))

    async def messages(self) -> tuple[Message, ...]:
        """What was said so far, oldest first; nothing for a chat that has not begun. Raises ConnectorError."""
        async with self._agent.attached() as runtime:
            return (await self._current(runtime.storage(self._agent.candidate))).messages

    async def clear(self) -> None:
        """Forget what was said; the chat itself, and its id, stay."""
        async with self._agent.attached() as runtime, self._turn():
            storage = runtime.storage(self._agent.candidate)
            while True:
                empty = (await self._current(storage)).copy(0)
                with suppress(ConflictError):
                    if self.is_stored:
                        await empty.save(storage)
                    self._kept = empty
                    return

    async def fork(self, id: str | None = None, *, at: int | None = None) -> "Chat":  # noqa: A002
        """A new chat that begins with the first `at` messages of this one, by default all.

        With an id it is stored at once; without one it lives in memory. Raises ConflictError when the id is
        taken, ConfigError when `at` would cut an exchange in two.
        """
        async with self._agent.attached() as runtime:
            storage = runtime.storage(self._agent.candidate)
            messages = (await self._current(storage)).messages
            begin = Conversation(id, messages[: _boundary(messages, at)])
            if id is not None:
                try:
                    await begin.save(storage)
                except ConflictError as error:
                    raise ConflictError(f"there is a chat {id!r} already", hint="fork to another id") from error
        return Chat(self._agent, begin, self._agent.chat_lock(id), is_stored=id is not None)

    async def delete(self) -> None:
        """Remove what is stored; the next prompt begins anew."""
        async with self._agent.attached() as runtime, self._turn():
            if self.is_stored:
                await runtime.storage(self._agent.candidate).delete(chat_path(self.id))
            self._kept = Conversation(self.id)

    async def _answer(self, prompt: Prompt, emit: Emit) -> "Reply":
        message = await prompt.message()
        async with self._agent.attached() as runtime, self._turn():
            storage = runtime.storage(self._agent.candidate)
            before = await self._current(storage)
            turn = before.copy()
            turn.append(message)
            reply = await answer(self._agent, prompt, emit, runtime=runtime, conversation=turn)
            if self.is_stored:
                # Who has seen the answer may leave now, and must find it in the chat all the same.
                turn = await _finish(_save(storage, turn, since=len(before)))
            self._kept = turn
            return reply

    async def _current(self, storage: Storage) -> Conversation:
        """The conversation as it is stored now, read again only if somebody else has changed it."""
        if self.is_stored:
            self._kept = await _load(storage, self._kept)
        return self._kept

    def _turn(self) -> "_Turn":
        return _Turn(self.id, self._lock)


class _Turn:
    """Waits until no other prompt to the chat runs."""

    __slots__ = ("_id", "_lock", "_token")

    def __init__(self, id: str, lock: asyncio.Lock) -> None:  # noqa: A002
        self._id = id
        self._lock = lock

    async def __aenter__(self) -> None:
        outer = _answering.get()
        if self._lock in outer:
            raise AgentError(
                f"chat {self._id!r} is used from within its own run, and would wait for itself",
                hint="use another chat, or `await chat.fork()`",
            )
        await self._lock.acquire()
        self._token = _answering.set((*outer, self._lock))

    async def __aexit__(self, *_: object) -> None:
        _answering.reset(self._token)
        self._lock.release()


async def stored_chats(agent: "Agent") -> list[str]:
    """The ids of the chats in the agent's storage, in order."""
    async with agent.attached() as runtime, aclosing(runtime.storage(agent.candidate).list("chats")) as listing:
        keys = [info.key.removeprefix("chats/") async for info in listing]
    return sorted(key.removesuffix(".json") for key in keys if key.endswith(".json") and "/" not in key)


async def _load(storage: Storage, known: Conversation) -> Conversation:
    try:
        info = await storage.stat(chat_path(known.id))
        return known if info.version == known.version else await Conversation.load(storage, known.id)
    except NotFoundError:
        return known if known.version == NEW else Conversation(known.id)


async def _save(storage: Storage, turn: Conversation, *, since: int) -> Conversation:
    """Store a turn; what others stored while it was answered comes before it."""
    said = turn.messages[since:]
    while True:
        try:
            await turn.save(storage)
        except ConflictError:
            turn = await _load(storage, Conversation(turn.id))
            turn.append(*said)
        else:
            return turn


async def _finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, and only then let a cancellation through."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


def _boundary(messages: Sequence[Message], at: int | None) -> int:
    if at is None or at == len(messages):
        return len(messages)
    if 0 <= at < len(messages) and messages[at].role is MessageRole.USER:
        return at
    starts = [str(index) for index, message in enumerate(messages) if message.role is MessageRole.USER]
    raise ConfigError(
        f"cannot fork at {at!r}: no prompt begins there", hint=f"use one of {', '.join([*starts, str(len(messages))])}"
    )
