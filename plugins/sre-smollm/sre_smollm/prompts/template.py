"""From messages and skills to the tokens of a prompt, through the model's own chat template."""

import json
from collections.abc import Sequence
from typing import Any

from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import Message, MessageRole, SkillCall, SkillSpec
from sre_smollm.networks.model import Model
from sre_smollm.prompts.retelling import retell

__all__ = ["CALL_CLOSE", "CALL_OPEN", "Template", "call_text", "describe"]

CALL_OPEN = "<tool_call>"
CALL_CLOSE = "</tool_call>"
_SENTINEL = "zebra7"

_INSTRUCTIONS = """You can call functions. These are the functions that you have:
<tools>
{tools}
</tools>
Take the arguments from what the user says. To call a function, answer with nothing but
<tool_call>
{{"name": "name of the function", "arguments": {{"name of an argument": "its value"}}}}
</tool_call>"""
# A worked example of another skill makes a small model copy values instead of inventing them.
_EXAMPLE = (
    ("user", "Set a timer for 5 minutes called tea."),
    ("assistant", '<tool_call>\n{"name": "set_timer", "arguments": {"minutes": 5, "label": "tea"}}\n</tool_call>'),
)


def describe(skill: SkillSpec) -> dict[str, Any]:
    """A skill in the form that chat templates expect."""
    return {"name": skill.name, "description": skill.description, "parameters": dict(skill.parameters)}


def call_text(call: SkillCall) -> str:
    """A skill call as the model would have written it."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    body = json.dumps({"name": call.name, "arguments": arguments}, ensure_ascii=False)
    return f"{CALL_OPEN}\n{body}\n{CALL_CLOSE}"


class Template:
    """The chat template of one model, with repairs for what it would drop.

    Templates differ in what they know: SmolLM3's takes skills as `xml_tools` and drops the calls of earlier
    turns, SmolLM2's knows nothing of skills. What a template does not show is written into the text instead.
    """

    def __init__(self, model: Model, *, system_prompt: str | None = None) -> None:
        self._tokenizer = model.tokenizer
        self._system_prompt = system_prompt
        added = self._tokenizer.added_tokens_decoder.values()
        self._marks = tuple(token.content for token in added if token.special and len(token.content) > 1)
        text = self._tokenizer.chat_template
        if not isinstance(text, str) or not text:
            raise ConfigError(
                "the model has no chat template", hint="use an instruction-tuned model, or add chat_template.jinja"
            )
        self._key = "xml_tools" if "xml_tools" in text else "tools" if "tools" in text else None
        self.thinks = "enable_thinking" in text
        self._shows_results = self._probe()

    @property
    def native(self) -> bool:
        """Whether the model was taught skills in its own way."""
        return self._key is not None

    def prompt(
        self, messages: Sequence[Message], *, skills: Sequence[SkillSpec] = (), thinking: bool = False
    ) -> list[int]:
        """The tokens of a prompt that ends where the assistant's turn begins.

        Raises ConfigError without messages, UnsupportedError when a message has files.
        """
        if not messages:
            raise ConfigError("a prompt needs at least one message", hint="pass messages=(Message.user(...),)")
        if self._key is None and not skills:
            messages = retell(messages)
        turns = [self._turn(message) for message in messages]
        if self._system_prompt is not None and turns[0]["role"] != "system":
            turns.insert(0, {"role": "system", "content": self._system_prompt})
        if skills and self._key is None:
            turns = self._with_skills(turns, skills)
        return self._encode(self._render(turns, skills, thinking=thinking))

    def tokens(self, text: str) -> list[int]:
        """The tokens of plain text, without any marks added around it."""
        return self._encode(text)

    def _encode(self, text: str) -> list[int]:
        # The tokenizer's own core, which several threads may use at once; its wrapper changes state.
        ids: list[int] = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _render(self, turns: list[dict[str, Any]], skills: Sequence[SkillSpec] = (), *, thinking: bool = False) -> str:
        extra: dict[str, Any] = {"enable_thinking": thinking} if self.thinks else {}
        if skills and self._key == "xml_tools":
            extra["xml_tools"] = [self._described(skill) for skill in skills]
        elif skills and self._key == "tools":
            extra["tools"] = [{"type": "function", "function": self._described(skill)} for skill in skills]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **extra)
        return str(text)

    def _turn(self, message: Message) -> dict[str, Any]:
        if message.files:
            raise UnsupportedError(
                f"the on-device model cannot take the file {message.files[0].name!r}", hint="send text alone"
            )
        match message.role:
            case MessageRole.SKILL:
                return self._result(message)
            case MessageRole.ASSISTANT:
                parts = [self._plain(message.text), *(self._call(call) for call in message.skill_calls)]
                return {"role": "assistant", "content": "\n".join(part for part in parts if part)}
            case _:
                return {"role": message.role.value, "content": self._plain(message.text)}

    def _plain(self, text: str) -> str:
        """`text` with the model's own marks taken apart, so that no text can pretend to be another turn."""
        for mark in self._marks:
            text = text.replace(mark, f"{mark[:1]} {mark[1:]}")
        return text

    def _call(self, call: SkillCall) -> str:
        # Its tags may be marks of the model themselves, and stay.
        body = call_text(call).removeprefix(CALL_OPEN).removesuffix(CALL_CLOSE)
        return f"{CALL_OPEN}{self._plain(body)}{CALL_CLOSE}"

    def _described(self, skill: SkillSpec) -> dict[str, Any]:
        description: dict[str, Any] = json.loads(self._plain(json.dumps(describe(skill), ensure_ascii=False)))
        return description

    def _result(self, message: Message) -> dict[str, Any]:
        text, name = self._plain(message.text), self._plain(message.name or "")
        if self._shows_results and self.native:
            return {"role": "tool", "content": f"Error: {text}" if message.is_error else text}
        what = f"{name} failed: {text}" if message.is_error else f"The result of {name} is: {text}"
        return {"role": "user", "content": f"{what}\nTell me the result in one sentence."}

    def _with_skills(self, turns: list[dict[str, Any]], skills: Sequence[SkillSpec]) -> list[dict[str, Any]]:
        tools = "\n".join(json.dumps(self._described(skill), ensure_ascii=False) for skill in skills)
        text = _INSTRUCTIONS.format(tools=tools)
        if turns[0]["role"] == "system":
            text = f"{turns[0]['content']}\n\n{text}"
            turns = turns[1:]
        example = [{"role": role, "content": content} for role, content in _EXAMPLE]
        return [{"role": "system", "content": text}, *example, *turns]

    def _probe(self) -> bool:
        """Whether the template shows the result of a skill."""
        turns = [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "tool", "content": _SENTINEL},
        ]
        return _SENTINEL in self._render(turns)
