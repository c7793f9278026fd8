"""What a chat template knows, found by rendering small conversations with words that stand nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sre_core.errors import ConfigError
from sre_smollm.prompts.calls import CallForm, form_in
from sre_smollm.prompts.jinja import ChatTemplate
from sre_smollm.prompts.tokenizer import Tokenizer

__all__ = ["Dialect", "Entry", "ToolsKey", "explore"]

ToolsKey = Literal["xml_tools", "tools", "python_tools"]
Entry = Literal["wrapped", "bare", "text"]
"""A skill as `{"type": "function", "function": {...}}`, as the inner object alone, or as text."""

_TEXT, _NAME, _KEY, _VALUE = "zebra7", "zebra_name", "zebra_key", "zebra_value"
_SKILL = {
    "name": _NAME,
    "description": _TEXT,
    "parameters": {"type": "object", "properties": {_KEY: {"type": "string", "description": _VALUE}}},
}
# Tokens that stand for an image in the templates of models that take some.
_IMAGES = ("<image>", "<|image_pad|>", "<|image|>", "<image_soft_token>", "<start_of_image>", "[IMG]", "<IMG_CONTEXT>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What has to be repaired, by what is missing here.

    `parts`: contents must be lists. `system`: system text at the beginning is shown; `late_system`: also later.
    `alternates`: two turns of one role in a row are refused. `form`: how `tool_calls` are shown, None when
    they are not, or in a form that cannot be written here. `results`: results of tools are told apart from text
    of the user. `tools`: how skills may be passed. `image`: the token of an image.
    """

    parts: bool
    system: bool
    late_system: bool
    alternates: bool
    form: CallForm | None
    results: bool
    tools: Mapping[ToolsKey, Entry]
    image: str | None


def explore(template: ChatTemplate, tokenizer: Tokenizer) -> Dialect:
    """Try a template out. Raises ConfigError when it does not even show what the user says."""
    parts = _shows_parts(template)
    probe = _Probe(template, parts=parts)
    alternates = not probe.shows([("user", "a"), ("user", _TEXT)]) and probe.shows(
        [("user", "a"), ("assistant", "b"), ("user", _TEXT)]
    )
    return Dialect(
        parts=parts,
        system=probe.shows([("system", _TEXT), ("user", "a")]),
        late_system=probe.shows([("user", "a"), ("assistant", "b"), ("system", _TEXT), ("user", "c")]),
        alternates=alternates,
        form=probe.form(),
        results=probe.results(),
        tools=probe.tools(),
        image=_image(template, tokenizer),
    )


def _shows_parts(template: ChatTemplate) -> bool:
    """Whether contents must be lists. The text is looked for, not only an error: some templates just skip it."""
    plain = template.attempt([{"role": "user", "content": _TEXT}])
    if plain is not None and _TEXT in plain:
        return False
    listed = template.attempt([{"role": "user", "content": [{"type": "text", "text": _TEXT}]}])
    if listed is not None and _TEXT in listed:
        return True
    template.render([{"role": "user", "content": _TEXT}])
    raise ConfigError(
        "the chat template does not show what the user says", hint="fetch it again, or pass chat_template"
    )


class _Probe:
    def __init__(self, template: ChatTemplate, *, parts: bool) -> None:
        self._template = template
        self._parts = parts

    def _turn(self, role: str, text: str, **more: Any) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": text}] if self._parts else text, **more}

    def _render(self, turns: Sequence[dict[str, Any]]) -> str:
        return self._template.attempt(turns, begin_reply=False) or ""

    def shows(self, turns: Sequence[tuple[str, str]]) -> bool:
        return _TEXT in self._render([self._turn(role, text) for role, text in turns])

    def _calls(self) -> dict[str, Any]:
        call = {"name": _NAME, "arguments": {_KEY: _VALUE}}
        return self._turn("assistant", "", tool_calls=[{"type": "function", "id": "call00000", "function": call}])

    def form(self) -> CallForm | None:
        """The form of a call: what a turn with one has in place of a text."""
        said = self._render([self._turn("user", "a"), self._turn("assistant", _TEXT)])
        called = self._render([self._turn("user", "a"), self._calls()])
        begin, found, end = said.partition(_TEXT)
        if not found or not called.startswith(begin) or not called.endswith(end) or _NAME not in called:
            return None
        return form_in(called[len(begin) : len(called) - len(end)], name=_NAME)

    def results(self) -> bool:
        """Whether a result is shown, and not as if the user had said it."""
        before = [self._turn("user", "a"), self._calls()]
        shown = self._render([*before, self._turn("tool", _TEXT, name=_NAME, tool_call_id="call00000")])
        return _TEXT in shown and shown != self._render([*before, self._turn("user", _TEXT)])

    def tools(self) -> dict[ToolsKey, Entry]:
        known: dict[ToolsKey, Entry] = {}
        turns = [self._turn("system", "s"), self._turn("user", "a")]
        keys: tuple[ToolsKey, ...] = ("xml_tools", "tools", "python_tools")
        for key in keys:
            if key not in self._template.variables:
                continue
            entries: tuple[Entry, ...] = ("wrapped", "bare", "text") if key == "tools" else ("bare", "text")
            if key == "python_tools":
                entries = ("text",)
            for entry in entries:
                values: dict[str, Any] = {key: [_entry(entry)]}
                shown = self._template.attempt(turns, begin_reply=True, **values) or ""
                if _whole(shown):
                    known[key] = entry
                    break
        return known


def _entry(entry: str) -> Any:
    match entry:
        case "wrapped":
            return {"type": "function", "function": _SKILL}
        case "bare":
            return _SKILL
    return f'"{_NAME}" "{_TEXT}" "{_KEY}" "{_VALUE}"'


def _whole(shown: str) -> bool:
    """Whether a skill is shown with its parameter, as JSON or in words but not as a Python dictionary."""
    return _NAME in shown and _TEXT in shown and _KEY in shown and f"'{_KEY}'" not in shown and "\\u0022" not in shown


def _image(template: ChatTemplate, tokenizer: Tokenizer) -> str | None:
    text = {"type": "text", "text": _TEXT}
    shown = template.attempt([{"role": "user", "content": [{"type": "image"}, text]}]) or ""
    without = template.attempt([{"role": "user", "content": [text]}]) or ""
    if _TEXT not in shown:
        return None
    marks = [mark.text for mark in tokenizer.marks.values()]
    known = [mark for mark in _IMAGES if mark in marks]
    named = [mark for mark in marks if "image" in mark.lower() or "img" in mark.lower()]
    found = (mark for mark in [*known, *named] if shown.count(mark) == without.count(mark) + 1)
    return next(found, None)
