"""Skill calls under their schema: written token by token, given away whole."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from sre_core.connectors.llm import CallDelta, LLMChunk
from sre_core.messages import SkillSpec
from sre_smollm.engine.engine import Worker
from sre_smollm.writing.generation import Writer

__all__ = ["WrittenCall", "call_chunk", "call_schema", "write_call"]

WrittenCall = tuple[str, str]


def call_schema(skills: Sequence[SkillSpec]) -> dict[str, Any]:
    """The JSON schema of a call of any of `skills`."""
    definitions: dict[str, Any] = {}
    forms = [_form(skill, number, definitions) for number, skill in enumerate(skills)]
    schema: dict[str, Any] = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return {**schema, "$defs": definitions} if definitions else schema


def _form(skill: SkillSpec, number: int, definitions: dict[str, Any]) -> dict[str, Any]:
    """One call; its definitions go to the root, where references are looked up, under names of their own."""
    parameters = {"type": "object", "properties": {}, **skill.parameters}
    for key in ("$defs", "definitions"):
        for name, body in parameters.pop(key, {}).items():
            definitions[f"{number}.{name}"] = _renamed(body, number)
    return {
        "type": "object",
        "properties": {"name": {"const": skill.name}, "arguments": _renamed(parameters, number)},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _renamed(value: Any, number: int) -> Any:
    if isinstance(value, list):
        return [_renamed(one, number) for one in value]
    if not isinstance(value, dict):
        return value
    out = {key: _renamed(inner, number) for key, inner in value.items()}
    target = value.get("$ref")
    for prefix in ("#/$defs/", "#/definitions/"):
        if isinstance(target, str) and target.startswith(prefix):
            out["$ref"] = f"#/$defs/{number}.{target.removeprefix(prefix)}"
    return out


def write_call(worker: Worker, writer: Writer, skills: Sequence[SkillSpec]) -> WrittenCall | None:
    """Let the model write a call of one of `skills`; None when its tokens ran out before the call was whole.

    Gives the name and the arguments as JSON text, which fit the skill's schema. Raises Cancelled.
    """
    what = f"skill {skills[0].name!r}" if len(skills) == 1 else "the skills"
    constraint = worker.grammars.schema(call_schema(skills), what=what)
    written = b"".join(worker.grammars.bytes_of(token) for token in writer.write(constraint))
    if not writer.ended:
        return None
    call = json.loads(written)
    return call["name"], json.dumps(call["arguments"], ensure_ascii=False)


def call_chunk(call: WrittenCall, index: int) -> LLMChunk:
    """A whole call as one piece of a reply."""
    name, arguments = call
    return LLMChunk(call=CallDelta(index=index, id=f"call_{secrets.token_hex(8)}", name=name, arguments=arguments))
