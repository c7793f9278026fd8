"""From messages and skills to the tokens of a prompt, through the model's own chat template."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sre_core.errors import ConfigError
from sre_core.messages import File, Message, MessageRole, SkillCall, SkillSpec
from sre_smollm.prompts.calls import PYTHON, TOOL_CALL, CallForm, describe
from sre_smollm.prompts.dialect import Dialect, Entry, ToolsKey, explore
from sre_smollm.prompts.jinja import CHATML, ChatTemplate
from sre_smollm.prompts.pythoncalls import signature
from sre_smollm.prompts.retelling import retell
from sre_smollm.prompts.thinking import SYSTEM_OVERRIDE, Tags, Thinking
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.prompts.turns import Turns

__all__ = ["CALL_CLOSE", "CALL_OPEN", "Prompt", "Template", "ToolsAs", "call_text", "describe"]

CALL_OPEN = TOOL_CALL.open.strip()
CALL_CLOSE = TOOL_CALL.close.strip()
ToolsAs = Literal["auto", "tools", "xml_tools", "python_tools", "text"]
_KEYS: tuple[ToolsKey, ...] = ("xml_tools", "tools", "python_tools")

_INSTRUCTIONS = """You can call functions. These are the functions that you have:
<tools>
{tools}
</tools>
Take the arguments from what the user says. To call a function, answer with nothing but
{call}"""
_FORM = '{"name": "name of the function", "arguments": {"name of an argument": "its value"}}'
# A worked example of another skill makes a small model copy values instead of inventing them.
_EXAMPLE_ASK = "Set a timer for 5 minutes called tea."
_EXAMPLE = SkillCall(id="example", name="set_timer", arguments='{"minutes": 5, "label": "tea"}')


def call_text(call: SkillCall) -> str:
    """A skill call as most models write it."""
    return TOOL_CALL.write(call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt that ends where the assistant's turn begins, or inside of it.

    `inside_thinking` tells that it ends after the opening tag of thinking: the reply begins as thinking. `thinking`
    tells that the reply may have some. `images` are the places in `ids` of the marks that stand for `files`.
    """

    ids: tuple[int, ...]
    thinking: bool = False
    inside_thinking: bool = False
    images: tuple[int, ...] = ()
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One of the templates of a model, with what it knows, and how skills are passed to it."""

    template: ChatTemplate
    dialect: Dialect
    turns: Turns
    key: ToolsKey | None
    entry: Entry = "bare"


class Template:
    """The chat template of one model, with repairs for what it would drop. Safe to use from several threads.

    Templates differ in what they know: SmolLM3's takes skills as `xml_tools` and drops the calls of earlier turns,
    SmolLM2's knows nothing of skills. What a template does not show is written into the text instead.
    `chat_template` is used in place of the model's own: "chatml", the path of a file, or the text itself.
    Raises ConfigError when there is no template, or when it cannot be used as `tools_as` wants.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        system_prompt: str | None = None,
        chat_template: str | Path | None = None,
        tools_as: ToolsAs = "auto",
    ) -> None:
        self.tokenizer = tokenizer
        self._system_prompt = system_prompt
        texts = tokenizer.templates if chat_template is None else {"default": _given(chat_template)}
        text = texts.get("default") or next(iter(texts.values()), "")
        if not text:
            raise ConfigError(
                "the model has no chat template",
                hint="use an instruction-tuned model, or set chat_template to a file or to 'chatml'",
            )
        plain = ChatTemplate(text, named=tokenizer.named)
        self.thinking = self._thinking(plain)
        """How the model thinks."""
        self._plain = self._way(plain, tools_as)
        other = texts.get("tool_use", text)
        self._skilled = (
            self._plain if other == text else self._way(ChatTemplate(other, named=tokenizer.named), tools_as)
        )
        if self._skilled.key is None and tools_as not in {"auto", "text"}:
            raise ConfigError(f"the chat template does not take {tools_as!r}", hint="set tools_as = 'auto'")

    @property
    def native(self) -> bool:
        """Whether the model was taught skills in its own way."""
        return self._skilled.key is not None

    @property
    def thinks(self) -> bool:
        """Whether the model can think."""
        return self.thinking.tags is not None

    @property
    def tags(self) -> Tags | None:
        """What stands around its thinking."""
        return self.thinking.tags

    @property
    def call_form(self) -> CallForm:
        """The form in which the model writes calls, and sees its earlier ones."""
        return self._skilled.turns.form

    @property
    def image(self) -> str | None:
        """The mark of an image, None for a model of text alone."""
        return self._plain.dialect.image

    def prompt(
        self, messages: Sequence[Message], *, skills: Sequence[SkillSpec] = (), thinking: bool = False
    ) -> Prompt:
        """The prompt of a conversation; `thinking` as `wants_thinking` has it.

        Raises ConfigError without messages or when the template refuses them, UnsupportedError for files that the
        model does not take.
        """
        if not messages:
            raise ConfigError("a prompt needs at least one message", hint="pass messages=(Message.user(...),)")
        way = self._skilled if skills or any(message.skill_calls for message in messages) else self._plain
        way.turns.check(messages)
        if not way.turns.taught and not skills:
            messages = retell(messages)
        turns = way.turns.of(self._begun(messages))
        values: dict[str, Any] = {self.thinking.switch: thinking} if self.thinking.switch else {}
        if skills and way.key is None:
            turns = self._told(way, turns, skills)
        elif skills and self._overridden(way, turns[0]):
            turns[0] = {**turns[0], "content": self._instructed(way, turns[0]["content"], skills)}
        elif skills:
            values[way.key] = [_entry(way, skill) for skill in skills]  # type: ignore[index]  # not None any more
        text = way.template.render(way.turns.finished(turns), **values)
        files = tuple(file for message in messages for file in message.files)
        return self._prompt(text, files, thinking=thinking)

    def wants_thinking(self, messages: Sequence[Message], setting: bool | None) -> bool:  # noqa: FBT001 -- three values
        """Whether to think: what the user or the system text says, else `setting`, else the model's default."""
        return self.thinking.wanted(self._begun(messages), setting)

    def _begun(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages with the configured instructions, where they bring none."""
        if self._system_prompt is None or (messages and messages[0].role is MessageRole.SYSTEM):
            return messages
        return [Message.system(self._system_prompt), *messages]

    def tokens(self, text: str) -> list[int]:
        """The tokens of plain text that continues a prompt, without anything added around it."""
        return self.tokenizer.encode_inside(text)

    def bytes_of(self, token: int) -> bytes:
        """What `token` adds to a reply: as the tokenizer has it, but tags of thinking and calls are always text."""
        mark = self.tokenizer.marks.get(token)
        if mark is not None and mark.text in self._visible():
            return mark.text.encode()
        return self.tokenizer.bytes_of(token)

    def _visible(self) -> tuple[str, ...]:
        tags = self.thinking.tags
        form = self.call_form
        return (form.open.strip(), form.close.strip(), *((tags.open, tags.close) if tags is not None else ()))

    def _prompt(self, text: str, files: tuple[File, ...], *, thinking: bool) -> Prompt:
        ids = self.tokenizer.encode(text)
        begun = self.thinking.begun(text)
        mark = self.tokenizer.id_of(self.image)
        places = tuple(place for place, token in enumerate(ids) if token == mark) if files else ()
        if len(places) != len(files):
            raise ConfigError(
                f"the chat template shows {len(places)} of {len(files)} images",
                hint="pass chat_template, or fewer images",
            )
        able = self.thinks and (thinking or begun or self.thinking.switch is None)
        return Prompt(ids=tuple(ids), thinking=able, inside_thinking=begun, images=places, files=files)

    def _thinking(self, template: ChatTemplate) -> Thinking:
        def has_token(text: str) -> bool:
            return self.tokenizer.id_of(text) is not None

        for content in ("a", [{"type": "text", "text": "a"}]):
            turn = {"role": "user", "content": content}
            if template.attempt([turn]) is not None:
                return Thinking.of(template, has_token, turn)
        return Thinking.of(template, has_token, {"role": "user", "content": "a"})

    def _way(self, template: ChatTemplate, tools_as: ToolsAs) -> _Way:
        dialect = explore(template, self.tokenizer)
        key: ToolsKey | None = None
        if tools_as == "auto":
            key = next((one for one in _KEYS[:2] if one in dialect.tools), None)
        elif tools_as != "text" and tools_as in dialect.tools:
            key = tools_as
        form = PYTHON if key == "python_tools" else dialect.form or TOOL_CALL
        # Tags that only the template writes, such as those around a result; the model's own ones are in its text.
        marks = (mark for mark in self.tokenizer.marks.values() if not mark.special and len(mark.text) > 1)
        controls = tuple(mark.text for mark in marks if not mark.text.isspace() and mark.text in template.words)
        turns = Turns(
            tokenizer=self.tokenizer,
            dialect=dialect,
            thinking=self.thinking,
            form=form,
            taught=bool(dialect.tools),
            controls=controls,
        )
        return _Way(
            template=template, dialect=dialect, turns=turns, key=key, entry=dialect.tools[key] if key else "bare"
        )

    def _told(self, way: _Way, turns: list[dict[str, Any]], skills: Sequence[SkillSpec]) -> list[dict[str, Any]]:
        """The turns with skills in the system text and an example, for a template that has no place for them."""
        system = ""
        if turns[0]["role"] == "system":
            system, turns = turns[0]["content"], turns[1:]
        example = [
            {"role": "user", "content": _EXAMPLE_ASK},
            {"role": "assistant", "content": way.turns.form.write(_EXAMPLE)},
        ]
        return [{"role": "system", "content": self._instructed(way, system, skills)}, *example, *turns]

    def _overridden(self, way: _Way, turn: dict[str, Any]) -> bool:
        """Whether the system text asks for itself alone, upon which SmolLM3's template leaves the skills out."""
        return turn["role"] == "system" and SYSTEM_OVERRIDE in turn["content"] and SYSTEM_OVERRIDE in way.template.words

    def _instructed(self, way: _Way, system: str, skills: Sequence[SkillSpec]) -> str:
        form = way.turns.form
        if form.style == "python":
            tools = "\n".join(way.turns.plain(signature(skill)) for skill in skills)
            call = f"{form.open}name_of_the_function(name_of_an_argument=value){form.close}"
        else:
            tools = "\n".join(json.dumps(way.turns.described(skill), ensure_ascii=False) for skill in skills)
            call = f"{form.open}{_FORM}{form.close}"
        text = _INSTRUCTIONS.format(tools=tools, call=call)
        return f"{system}\n\n{text}" if system else text


def _entry(way: _Way, skill: SkillSpec) -> Any:
    described = way.turns.described(skill)
    if way.key == "python_tools":
        return way.turns.plain(signature(skill))
    if way.entry == "text":
        return json.dumps(described, ensure_ascii=False)
    return {"type": "function", "function": described} if way.entry == "wrapped" else described


def _given(chat_template: str | Path) -> str:
    """The text of a template that was configured."""
    if isinstance(chat_template, str):
        if chat_template == "chatml":
            return CHATML
        if "{{" in chat_template or "{%" in chat_template:
            return chat_template
    path = Path(chat_template).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the chat template {str(path)!r} cannot be read: {error}", hint="give a file, the text, or 'chatml'"
        ) from error
