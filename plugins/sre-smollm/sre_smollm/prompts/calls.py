"""The forms in which models write skill calls, and calls written in them."""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from sre_core.messages import SkillCall, SkillSpec
from sre_smollm.prompts.pythoncalls import call_source

__all__ = ["PYTHON", "TOOL_CALL", "CallForm", "arguments_of", "describe", "form_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForm:
    """What stands before and after a call; between them JSON with `name` and `arguments`, or Python calls."""

    open: str
    close: str
    style: Literal["json", "python"] = "json"

    @property
    def tag(self) -> str:
        """The opening without its line break: what a parser looks for."""
        return self.open.strip()

    def write(self, call: SkillCall) -> str:
        """A call as the model writes it."""
        if self.style == "python":
            return f"{self.open}{call_source(call.name, arguments_of(call))}{self.close}"
        body = json.dumps({"name": call.name, "arguments": arguments_of(call)}, ensure_ascii=False)
        return f"{self.open}{body}{self.close}"


TOOL_CALL = CallForm(open="<tool_call>\n", close="\n</tool_call>")
"""The form of most models, SmolLM3 among them; also for models whose own form cannot be told."""
PYTHON = CallForm(open="<code>\n", close="\n</code>", style="python")


def arguments_of(call: SkillCall) -> Any:
    """The arguments as a value; their text as it is when it is no JSON."""
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments


def describe(skill: SkillSpec) -> dict[str, Any]:
    """A skill in the form that chat templates expect."""
    return {"name": skill.name, "description": skill.description, "parameters": dict(skill.parameters)}


def form_in(turn: str, *, name: str) -> CallForm | None:
    """The form of the call of `name` in the text of a turn; None when it is another one than we can write."""
    for start in (match.start() for match in re.finditer(r"\{", turn)):
        try:
            value, end = json.JSONDecoder().raw_decode(turn, start)
        except ValueError:
            continue
        if not isinstance(value, dict) or value.get("name") != name:
            continue
        exact = json.dumps(value, ensure_ascii=False) == turn[start:end] and list(value) == ["name", "arguments"]
        before, after = turn[:start], turn[end:]
        return CallForm(open=before, close=after) if exact and before.strip() and after.strip() else None
    return None
