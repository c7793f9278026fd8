"""Thinking: its tags, the switch of a chat template, the flags that a user writes, and what is never fed back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sre_core.messages import Message, MessageRole
from sre_smollm.prompts.jinja import ChatTemplate

__all__ = ["SYSTEM_OVERRIDE", "Tags", "Thinking", "flag_of", "without_flags", "without_thinking"]

SYSTEM_OVERRIDE = "/system_override"
# A word of its own: a path such as /think/twice is no flag.
_FLAG = re.compile(r"(?<!\S)/(no_)?think(?!\S)")
_SWITCHES = ("enable_thinking", "thinking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What stands before and after thinking."""

    open: str
    close: str


_TAGS = (
    Tags(open="<think>", close="</think>"),
    Tags(open="<thinking>", close="</thinking>"),
    Tags(open="<|thinking|>", close="<|/thinking|>"),
    Tags(open="[THINK]", close="[/THINK]"),
    Tags(open="<|START_THINKING|>", close="<|END_THINKING|>"),
    Tags(open="<seed:think>", close="</seed:think>"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """How one model thinks. `switch` is the value of its template that turns it on and off, if there is one.

    `default` is what the model does when nobody says. `flags` and `override` tell that its template reads /think
    and /no_think, and /system_override, out of the system text.
    """

    tags: Tags | None
    switch: str | None
    default: bool
    flags: bool
    override: bool

    @classmethod
    def of(cls, template: ChatTemplate, has_token: Callable[[str], bool], turn: Mapping[str, Any]) -> "Thinking":
        """Find out by looking at a template, and by rendering `turn`, a message of the user, in several ways."""
        flags, override = "/no_think" in template.words, SYSTEM_OVERRIDE in template.words
        written = next((tags for tags in _TAGS if tags.open in template.words or tags.close in template.words), None)
        for name in _SWITCHES:
            if name not in template.variables:
                continue
            plain, on, off = (template.attempt([turn], **values) for values in ({}, {name: True}, {name: False}))
            if on is not None and off is not None and on != off:
                known = (tags for tags in _TAGS if has_token(tags.open) and has_token(tags.close))
                tags = written or next(known, _TAGS[0])
                return cls(tags=tags, switch=name, default=plain != off, flags=flags, override=override)
        return cls(tags=written, switch=None, default=written is not None, flags=False, override=override)

    def wanted(self, messages: Sequence[Message], setting: bool | None) -> bool:  # noqa: FBT001 -- three values
        """Whether to think: what the user wrote, else `setting`, else the model's default.

        A flag in the last message of the user wins over one in the system text. A model without a switch does
        what it always does.
        """
        if self.switch is None:
            return self.default
        users = [message for message in messages if message.role is MessageRole.USER]
        system = [message for message in messages[:1] if message.role is MessageRole.SYSTEM]
        found = (flag_of(message.text) for message in [*users[-1:], *system])
        said = next((flag for flag in found if flag is not None), setting)
        return self.default if said is None else said

    def begun(self, prompt: str) -> bool:
        """Whether the text of a prompt ends inside thinking."""
        return self.tags is not None and prompt.rstrip().endswith(self.tags.open)

    def system_text(self, text: str) -> str:
        """The system text as the template may have it: the mode is passed apart, so that no flag is left in it.

        A template cuts its flags out of the middle of words as well, whereby a mark of the model could come about.
        """
        overridden = self.override and SYSTEM_OVERRIDE in text
        while overridden and SYSTEM_OVERRIDE in text:
            text = text.replace(SYSTEM_OVERRIDE, "")
        if self.switch is not None:
            text = without_flags(text)
        if self.flags:
            text = re.sub(r"/(?=(no_)?think)", "/ ", text)
        return f"{text.strip()} {SYSTEM_OVERRIDE}" if overridden else text

    def user_text(self, text: str) -> str:
        """What the user wrote; without flags where the model knows them from the system text alone."""
        return without_flags(text) if self.flags and self.switch is not None else text


def flag_of(text: str) -> bool | None:
    """True for /think, False for /no_think, None for neither; the last one counts."""
    flags = _FLAG.findall(text)
    return not flags[-1] if flags else None


def without_flags(text: str) -> str:
    """`text` without the flags and without the blanks that they leave at its ends."""
    return _FLAG.sub("", text).strip() if _FLAG.search(text) else text


def without_thinking(text: str, tags: Tags | None) -> str:
    """What an assistant said, without what it thought, also where the thinking was begun or cut outside of it."""
    if tags is None or (tags.open not in text and tags.close not in text):
        return text
    text = re.sub(f"{re.escape(tags.open)}.*?{re.escape(tags.close)}\n*", "", text, flags=re.DOTALL)
    if tags.close in text and tags.open not in text.partition(tags.close)[0]:
        text = text.rpartition(tags.close)[2].lstrip("\n")
    return "" if text.lstrip().startswith(tags.open) else text
