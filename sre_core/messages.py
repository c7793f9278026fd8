"""What agents and models say to each other: messages, files, skill calls and token usage."""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = ["File", "FinishReason", "Message", "MessageRole", "ProviderState", "SkillCall", "SkillSpec", "Usage"]


class MessageRole(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    SKILL = "skill"


class FinishReason(StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"
    SKILL_CALLS = "skill_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Bytes with a name and a media type, for models that take images, audio or documents."""

    name: str
    media_type: str
    data: bytes

    @classmethod
    def from_path(cls, path: str | Path) -> "File":
        """Read a file; the media type follows its extension. Raises OSError."""
        place = Path(path)
        media_type = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
        return cls(name=place.name, media_type=media_type, data=place.read_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillSpec:
    """A skill as a model sees it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillCall:
    """A model asks for a skill; `arguments` is the JSON text as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or more model calls.

    Of the input, `cached_tokens` were read from the provider's prompt cache, and `cache_write_tokens` written to it;
    `reasoning_tokens` are part of the output.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        """Sum, field by field."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """What a connector wants to see again with a message that its model wrote, such as signed thinking.

    `data` is text of the connector's own making, usually JSON. Only the connector of that name reads it; all others
    pass over it.
    """

    connector: str
    data: str


# A message never changes, so connectors may keep its wire form by weak reference.
@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Message:
    """One entry of a conversation.

    `skill_calls` and `state` belong to the assistant; `call_id`, `name` and `is_error` to the result of a skill.
    """

    role: MessageRole
    text: str = ""
    files: tuple[File, ...] = ()
    skill_calls: tuple[SkillCall, ...] = ()
    call_id: str | None = None
    name: str | None = None
    is_error: bool = False
    state: ProviderState | None = None

    @classmethod
    def system(cls, text: str) -> "Message":
        """Instructions for the model."""
        return cls(role=MessageRole.SYSTEM, text=text)

    @classmethod
    def user(cls, text: str, *, files: tuple[File, ...] = ()) -> "Message":
        """What the user asks."""
        return cls(role=MessageRole.USER, text=text, files=files)

    @classmethod
    def assistant(
        cls, text: str = "", *, skill_calls: tuple[SkillCall, ...] = (), state: ProviderState | None = None
    ) -> "Message":
        """What the model answers: text, skill calls, or both."""
        return cls(role=MessageRole.ASSISTANT, text=text, skill_calls=skill_calls, state=state)

    @classmethod
    def result(cls, call: SkillCall, text: str, *, is_error: bool = False) -> "Message":
        """What a skill returned for `call`, as text (JSON, if it is not a string)."""
        return cls(role=MessageRole.SKILL, text=text, call_id=call.id, name=call.name, is_error=is_error)
