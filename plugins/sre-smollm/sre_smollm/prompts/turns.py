"""From messages to the turns of a chat template, with repairs for what it would drop."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sre_core.errors import UnsupportedError
from sre_core.messages import Message, MessageRole, SkillCall, SkillSpec
from sre_smollm.prompts.calls import CallForm, arguments_of, describe
from sre_smollm.prompts.dialect import Dialect
from sre_smollm.prompts.thinking import Thinking, without_thinking
from sre_smollm.prompts.tokenizer import Tokenizer

__all__ = ["Turns"]

_RESPONSE = ("<tool_response>", "</tool_response>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How the turns of one model are made. `taught` tells that it was taught skills in its own way.

    `controls` are texts that only the template may write, beside the special tokens.
    """

    tokenizer: Tokenizer
    dialect: Dialect
    thinking: Thinking
    form: CallForm
    taught: bool
    controls: tuple[str, ...]

    def check(self, messages: Sequence[Message]) -> None:
        """Raise UnsupportedError for files that the model does not take, or not from whom they come."""
        for message in messages:
            for file in message.files:
                if self.dialect.image is None or not file.media_type.startswith("image/"):
                    raise UnsupportedError(
                        f"the on-device model cannot take the file {file.name!r} ({file.media_type})",
                        hint="send text alone" if self.dialect.image is None else "send images and text alone",
                    )
                if message.role is not MessageRole.USER:
                    raise UnsupportedError(
                        f"the on-device model takes files from the user alone, not {file.name!r}",
                        hint="put the file into a message of the user",
                    )

    def of(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """The turns of a conversation whose files were checked."""
        numbers = {call.id: f"call{number:05d}" for number, call in enumerate(_calls(messages))}
        ordered = _in_order_of_calls(messages)
        several = {call.id for message in messages if len(message.skill_calls) > 1 for call in message.skill_calls}
        turns: list[dict[str, Any]] = []
        for place, message in enumerate(ordered):
            match message.role:
                case MessageRole.ASSISTANT:
                    turns.append(self._said(message, numbers))
                case MessageRole.SKILL:
                    turn = self._result(message, numbers, named=message.call_id in several)
                    follows = place > 0 and ordered[place - 1].role is MessageRole.SKILL
                    if follows and turn["role"] == "user" and self.taught:
                        turns[-1] = _joined(turns[-1], turn, "\n")
                    else:
                        turns.append(turn)
                case MessageRole.SYSTEM:
                    text = self.plain(self.thinking.system_text(message.text) if place == 0 else message.text)
                    turns.append(
                        {"role": "system" if place == 0 or self.dialect.late_system else "user", "content": text}
                    )
                case _:
                    text = self.plain(self.thinking.user_text(message.text))
                    turns.append({"role": message.role.value, "content": text, "images": len(message.files)})
        return turns

    def finished(self, turns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The turns as the template takes them: system text folded, roles in turn, contents as parts."""
        made = list(turns)
        if made and made[0]["role"] == "system" and not self.dialect.system:
            first = made.pop(0)
            if made and made[0]["role"] == "user":
                made[0] = {**made[0], "content": f"{first['content']}\n\n{made[0]['content']}"}
            else:
                made.insert(0, {**first, "role": "user"})
        if self.dialect.alternates:
            merged: list[dict[str, Any]] = []
            for turn in made:
                same = merged and merged[-1]["role"] == turn["role"] and turn["role"] != "tool"
                merged[-1:] = [_joined(merged[-1], turn, "\n\n")] if same else [*merged[-1:], turn]
            made = merged
        return [self._parts(turn) for turn in made]

    def plain(self, text: str) -> str:
        """`text` without anything that could pretend to be another turn, a result, or a mark of the model."""
        text = self.tokenizer.apart(text)
        for control in self.controls:
            text = text.replace(control, f"{control[:1]} {control[1:]}")
        return text

    def described(self, skill: SkillSpec) -> dict[str, Any]:
        """A skill as templates expect it, its texts taken apart."""
        description: dict[str, Any] = json.loads(self.plain(json.dumps(describe(skill), ensure_ascii=False)))
        return description

    def _said(self, message: Message, numbers: dict[str, str]) -> dict[str, Any]:
        text = self.tokenizer.apart(without_thinking(message.text, self.thinking.tags))
        calls = message.skill_calls
        if calls and self.dialect.form == self.form and all(isinstance(arguments_of(call), dict) for call in calls):
            # Templates put a line break of their own before the first call.
            told = [self._call(call, numbers) for call in calls]
            return {"role": "assistant", "content": text.rstrip(), "tool_calls": told}
        written = "\n".join(self._written(call) for call in calls)
        # As generated: the blanks before a call belong to the text.
        between = "\n" if text and written and not text[-1].isspace() else ""
        return {"role": "assistant", "content": f"{text}{between}{written}"}

    def _call(self, call: SkillCall, numbers: dict[str, str]) -> dict[str, Any]:
        function = {"name": call.name, "arguments": arguments_of(call)}
        function = json.loads(self.tokenizer.apart(json.dumps(function, ensure_ascii=False)))
        return {"type": "function", "id": numbers[call.id], "function": function}

    def _written(self, call: SkillCall) -> str:
        # The tags may be marks of the model themselves, and stay.
        body = self.form.write(call).removeprefix(self.form.open).removesuffix(self.form.close)
        return f"{self.form.open}{self.tokenizer.apart(body)}{self.form.close}"

    def _result(self, message: Message, numbers: dict[str, str], *, named: bool) -> dict[str, Any]:
        text, name = self.plain(message.text), self.plain(message.name or "")
        for tag in _RESPONSE:
            text = text.replace(tag, f"{tag[:1]} {tag[1:]}")
        if not self.taught:
            what = f"{name} failed: {text}" if message.is_error else f"The result of {name} is: {text}"
            return {"role": "user", "content": f"{what}\nTell me the result in one sentence."}
        content = f"Error: {text}" if message.is_error else text
        if self.dialect.results:
            number = numbers.get(message.call_id or "", "call00000")
            return {"role": "tool", "name": name, "tool_call_id": number, "content": content}
        shown = f"{name}: {content}" if named else content
        return {"role": "user", "content": f"{_RESPONSE[0]}\n{shown}\n{_RESPONSE[1]}"}

    def _parts(self, turn: dict[str, Any]) -> dict[str, Any]:
        images, content = turn.get("images", 0), turn["content"]
        rest = {key: value for key, value in turn.items() if key != "images"}
        if not images and not self.dialect.parts:
            return rest
        text = [{"type": "text", "text": content}] if content or not images else []
        return {**rest, "content": [*({"type": "image"} for _ in range(images)), *text]}


def _joined(first: dict[str, Any], second: dict[str, Any], between: str) -> dict[str, Any]:
    images = first.get("images", 0) + second.get("images", 0)
    calls = [*first.get("tool_calls", ()), *second.get("tool_calls", ())]
    content = between.join(text for text in (first["content"], second["content"]) if text)
    more = {key: value for key, value in (("images", images), ("tool_calls", calls)) if value}
    return {"role": first["role"], "content": content, **more}


def _calls(messages: Sequence[Message]) -> list[SkillCall]:
    return [call for message in messages for call in message.skill_calls]


def _in_order_of_calls(messages: Sequence[Message]) -> list[Message]:
    """Results that follow each other, in the order in which they were asked for; they arrive as they are ready."""
    place = {call.id: number for number, call in enumerate(_calls(messages))}
    ordered: list[Message] = []
    run: list[Message] = []
    for message in [*messages, None]:
        if message is not None and message.role is MessageRole.SKILL:
            run.append(message)
            continue
        ordered += sorted(run, key=lambda one: place.get(one.call_id or "", len(place)))
        run = []
        if message is not None:
            ordered.append(message)
    return ordered
