"""Conversation: what was said so far, in order, kept through a Storage handle."""

import json
import secrets
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import Any

from sre_core.access.candidate import check_id
from sre_core.agents.transcript import decode_message, encode_message
from sre_core.agents.window import TokenCounts, cut, estimate_message
from sre_core.connectors.llm import LLM
from sre_core.connectors.storage import NEW, Storage
from sre_core.errors import ConflictError, ConnectorError, NotFoundError
from sre_core.messages import Message

__all__ = ["Conversation", "chat_path", "current_conversation"]

_FORMAT = 1

# Skills that are workflows may look at the conversation in which they were called: the innermost one, if several are.
current_conversation: ContextVar["Conversation | None"] = ContextVar("sre_current_conversation", default=None)


def chat_path(id: str) -> str:  # noqa: A002 -- the field's own name
    """Where the conversation `id` lies in a home. Raises ConfigError on an illegal id."""
    return f"chats/{check_id(id, 'chat id')}.json"


class Conversation:
    """Messages in order; they are added, never changed.

    A conversation belongs to one task at a time. Two processes may share one through storage: who saves second
    gets a ConflictError instead of overwriting what the other said.
    """

    __slots__ = ("_counts", "_lines", "_messages", "_version", "id")

    def __init__(self, id: str | None = None, messages: Iterable[Message] = ()) -> None:  # noqa: A002
        """A new conversation; raises ConfigError on an illegal id."""
        self.id = secrets.token_hex(8) if id is None else check_id(id, "chat id")
        self._messages = list(messages)
        self._version = NEW
        self._lines: list[str] = []
        self._counts: tuple[str, TokenCounts] | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, oldest first."""
        return tuple(self._messages)

    @property
    def version(self) -> str:
        """The version of what is stored, as this was loaded or saved; `NEW` if it never was."""
        return self._version

    def copy(self, length: int | None = None) -> "Conversation":
        """The same, or only its first messages; saving the copy replaces what is stored."""
        twin = Conversation(self.id, self._messages[:length])
        twin._version = self._version
        twin._lines = self._lines[:length]
        twin._counts = self._counts
        return twin

    def __len__(self) -> int:
        """How many messages there are."""
        return len(self._messages)

    def __repr__(self) -> str:
        """Names the conversation, quotes nothing of it."""
        return f"<Conversation {self.id!r} of {len(self._messages)} messages>"

    def append(self, *messages: Message) -> None:
        """Add messages at the end."""
        self._messages.extend(messages)

    def window(self, max_tokens: int, counts: Sequence[int] | None = None, *, reserved: int = 0) -> list[Message]:
        """The newest messages that fit into `max_tokens`, with their exchanges whole; see `window.cut`.

        `counts` has the tokens of each message, by default estimated; `reserved` tokens are taken already.
        Raises LimitExceededError when not even the latest prompt and what followed it fit.
        """
        if counts is None:
            counts = [estimate_message(message) for message in self._messages]
        return cut(self._messages, counts, max_tokens, reserved=reserved)

    def counts(self, llm: LLM, model: str | None) -> TokenCounts:
        """Token counts for a model, kept for as long as the same model is asked."""
        key = f"{llm!r} {model}"
        if self._counts is None or self._counts[0] != key:
            self._counts = (key, TokenCounts(llm, model))
        return self._counts[1]

    async def save(self, storage: Storage) -> None:
        """Write the conversation to `chats/<id>.json`.

        Raises ConflictError when somebody else has saved it since it was loaded or saved here. A storage without
        the capability "condition" cannot tell: there the last one wins.
        """
        self._lines.extend(encode_message(message) for message in self._messages[len(self._lines) :])
        # One message on a line: a person can read it, and a diff shows what was said.
        body = ",\n".join(f"    {line}" for line in self._lines)
        text = f'{{\n  "format": {_FORMAT},\n  "id": "{self.id}",\n  "messages": [\n{body}\n  ]\n}}\n'
        conditional = "condition" in storage.capabilities
        try:
            info = await storage.write(
                chat_path(self.id),
                text,
                content_type="application/json",
                if_version=self._version if conditional else None,
            )
        except ConflictError as error:
            raise ConflictError(
                f"chat {self.id!r} was saved by somebody else since it was read here",
                hint="load it again and repeat the prompt; the stored chat is unharmed",
            ) from error
        self._version = info.version

    @classmethod
    async def load(cls, storage: Storage, id: str) -> "Conversation":  # noqa: A002
        """Read a conversation that was saved.

        Raises NotFoundError when there is none, ConnectorError when what is stored is not a conversation.
        """
        path = chat_path(id)
        try:
            # The version first: when somebody saves in between, our own save must fail, not theirs be lost.
            version = (await storage.stat(path)).version
            data = await storage.read(path)
        except NotFoundError as error:
            raise NotFoundError(f"there is no chat {id!r}", hint="begin one with a new id, or none") from error
        try:
            conversation = cls(id, _decode(data, id))
        except (ValueError, RecursionError) as error:
            raise ConnectorError(
                f"chat {id!r} cannot be read: {error}", hint=f"repair or delete {path!r}; nothing was changed"
            ) from error
        conversation._version = version
        return conversation


def _decode(data: bytes, chat: str) -> list[Message]:
    document: Any = json.loads(data)
    if not isinstance(document, dict) or "messages" not in document:
        raise ValueError("it has no messages")
    if document.get("format") != _FORMAT:
        raise ValueError(f"its format is {document.get('format')!r}, and only {_FORMAT} is known here")
    if document.get("id") != chat:
        raise ValueError(f"it calls itself {document.get('id')!r}")
    if not isinstance(document["messages"], list):
        raise ValueError("its messages are not a list")  # noqa: TRY004 -- it is bad data
    messages = []
    for index, item in enumerate(document["messages"]):
        try:
            messages.append(decode_message(item))
        except ValueError as error:
            raise ValueError(f"message {index}: {error}") from error
    return messages
