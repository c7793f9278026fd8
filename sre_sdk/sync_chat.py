"""Chats without async."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.events import Event
from sre_core.messages import File, Message
from sre_sdk.chat import Chat as AsyncChat
from sre_sdk.model import Model
from sre_sdk.run import Run

if TYPE_CHECKING:
    from sre_sdk.sync import Agent

__all__ = ["Chat", "wait_for"]

T = TypeVar("T")


class Chat:
    """A chat whose methods wait; made by `Agent.chat`."""

    __slots__ = ("_agent", "_chat")

    def __init__(self, agent: "Agent", chat: AsyncChat) -> None:
        self._agent = agent
        self._chat = chat

    @property
    def id(self) -> str:
        """The id."""
        return self._chat.id

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
    ) -> Reply[None]: ...

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
    ) -> Reply[T]: ...

    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[Any]:
        """Go on with the conversation, and wait for the Reply. Ctrl-C cancels the run."""
        with self._agent.attached() as runtime:
            run = self._chat.prompt(
                text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
            )
            return runtime.call(wait_for, run)

    def stream(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Generator[Event]:
        """Go on with the conversation, and iterate over the events."""
        with self._agent.attached() as runtime:
            yield from runtime.iterate(
                self._chat.prompt(
                    text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
                )
            )

    def messages(self) -> tuple[Message, ...]:
        """What was said so far."""
        with self._agent.attached() as runtime:
            return runtime.call(self._chat.messages)

    def clear(self) -> None:
        """Forget what was said; the chat itself stays."""
        with self._agent.attached() as runtime:
            runtime.call(self._chat.clear)

    def fork(self, id: str | None = None, *, at: int | None = None) -> "Chat":  # noqa: A002
        """A new chat that begins with the same messages; see `sre_sdk.Chat.fork`."""
        with self._agent.attached() as runtime:
            return Chat(self._agent, runtime.call(self._chat.fork, id, at=at))

    def delete(self) -> None:
        """Remove what is stored of the chat."""
        with self._agent.attached() as runtime:
            runtime.call(self._chat.delete)


async def wait_for(run: Run[Any]) -> Reply:
    """The reply, for a portal that takes a coroutine function."""
    return await run
