"""One of the two APIs, as one server speaks it: how a request is written, and who reads the reply."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pydantic_core import to_json

from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.errors import ConfigError
from sre_core.messages import Message, SkillSpec
from sre_openai.chat.request import chat_body, chat_fields, chat_message, chat_skill
from sre_openai.chat.response import ChatReader
from sre_openai.preset import Preset
from sre_openai.responses.request import responses_body, responses_fields, responses_items, responses_skill
from sre_openai.responses.response import ResponsesReader
from sre_openai.settings import ApiName
from sre_openai.wire_cache import MessageCache, SkillCache

__all__ = ["Dialect", "Reader"]


_HEADS = 256


class Reader(Protocol):
    """Reads one stream."""

    done: bool

    def read(self, events: Sequence[bytes]) -> list[LLMChunk]:
        """The chunks of some events."""
        ...

    def rest(self) -> list[LLMChunk]:
        """What was held back, once the stream is over."""
        ...

    def end(self) -> LLMChunk | None:
        """The last chunk; None if the stream was cut."""
        ...


class Dialect:
    """Writes requests, and keeps what of them will come again."""

    def __init__(
        self, api: ApiName, preset: Preset, *, place: str, effort: str | None = None, image_detail: str | None = None
    ) -> None:
        """`place` is the server: what it keeps with messages is for nobody else."""
        self.path = "chat/completions" if api == "chat" else "responses"
        self._api = api
        self._preset = preset
        self._origin = f"{api}@{place}"
        self._effort = effort
        self._image_detail = image_detail
        self._messages = MessageCache(self._message)
        self._skills = SkillCache(self._skill)
        self._heads: dict[tuple[object, ...], tuple[bytes, bool]] = {}

    def reader(self) -> Reader:
        """Who reads one reply."""
        return (ChatReader if self._api == "chat" else ResponsesReader)(self._preset, self._origin)

    async def body(self, request: LLMRequest, model: str) -> tuple[bytes, bool]:
        """The request as it is sent, and whether it tells the server where to stop.

        Raises ConfigError, UnsupportedError.
        """
        head, told = self._head(request, model)
        for message in self._messages.large(request.messages):
            self._messages.keep(message, await asyncio.to_thread(self._messages.write, message))
        messages = [self._messages.wire(message) for message in request.messages]
        skills = [self._skills.wire(skill) for skill in request.skills]
        if request.options:
            skills += _hosted(request.options)
        join = chat_body if self._api == "chat" else responses_body
        return join(head, messages, skills), told

    def _head(self, request: LLMRequest, model: str) -> tuple[bytes, bool]:
        """All but messages and skills; it is the same for all turns of a run."""
        if request.options or request.output_schema is not None:
            return self._new_head(request, model)
        key = (
            model,
            request.max_tokens,
            request.temperature,
            request.top_p,
            request.seed,
            request.stop,
            request.skill_choice if request.skills else None,
            request.thinking,
        )
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= _HEADS:
                self._heads.clear()
            head = self._heads[key] = self._new_head(request, model)
        return head

    def _new_head(self, request: LLMRequest, model: str) -> tuple[bytes, bool]:
        fields = chat_fields if self._api == "chat" else responses_fields
        head, told = fields(request, self._preset, model=model, effort=self._effort)
        try:
            return json.dumps(head).encode(), told
        except (TypeError, ValueError) as error:
            raise ConfigError(
                "the options of the request cannot be written as JSON", hint="give them plain values"
            ) from error

    def _message(self, message: Message) -> bytes:
        if self._api == "chat":
            form = chat_message(message, self._preset, origin=self._origin, image_detail=self._image_detail)
            return _written(form)
        items = responses_items(message, self._preset, origin=self._origin, image_detail=self._image_detail)
        return _written(items)[1:-1]

    def _skill(self, skill: SkillSpec) -> bytes:
        write: Callable[[SkillSpec, Preset], dict[str, Any]] = chat_skill if self._api == "chat" else responses_skill
        return json.dumps(write(skill, self._preset)).encode()


def _written(form: Any) -> bytes:
    """What a message says as JSON. The fast writer refuses half characters, which a skill may have returned."""
    try:
        return to_json(form)
    except ValueError:
        return json.dumps(form).encode()


def _hosted(options: Mapping[str, Any]) -> list[bytes]:
    """Tools that the provider runs itself."""
    tools = options.get("hosted_tools", ())
    if not isinstance(tools, list | tuple) or not all(isinstance(tool, Mapping) for tool in tools):
        raise ConfigError(
            "the option 'hosted_tools' must be a list of objects", hint='such as [{"type": "web_search"}]'
        )
    return [json.dumps(dict(tool)).encode() for tool in tools]
