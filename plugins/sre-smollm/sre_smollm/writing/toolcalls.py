"""Skill calls under their schema: written token by token, given away whole."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.connectors.llm import CallDelta, LLMChunk
from sre_core.messages import SkillSpec
from sre_smollm.engine.reading import Steps
from sre_smollm.prompts.pythoncalls import parse_calls, python_grammar
from sre_smollm.writing.generation import Writer
from sre_smollm.writing.schema import bounded
from sre_smollm.writing.tools import Tools

__all__ = ["WrittenCall", "call_chunk", "call_schema", "write_calls"]

_DEFINITIONS = ("#/$defs/", "#/definitions/")
WrittenCall = tuple[str, str]
"""The name of a skill, and its arguments as JSON text."""


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
    arguments = _renamed(parameters, number)
    if _refers_to_itself(skill.parameters):
        definitions[str(number)], arguments = arguments, {"$ref": f"#/$defs/{number}"}
    return {
        "type": "object",
        "properties": {"name": {"const": skill.name}, "arguments": arguments},
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
    if isinstance(target, str) and target.startswith("#"):
        prefix = next((one for one in _DEFINITIONS if target.startswith(one)), None)
        own = target[1:] if prefix is None else f".{target.removeprefix(prefix)}"
        out["$ref"] = f"#/$defs/{number}{own}"
    return out


def _refers_to_itself(value: Any) -> bool:
    """Whether a reference in a schema is to the whole of it, or to a part that is no definition."""
    if isinstance(value, list):
        return any(_refers_to_itself(one) for one in value)
    if not isinstance(value, Mapping):
        return False
    target = value.get("$ref")
    if isinstance(target, str) and target.startswith("#") and not target.startswith(_DEFINITIONS):
        return True
    return any(_refers_to_itself(one) for one in value.values())


def write_calls(tools: Tools, writer: Writer, skills: Sequence[SkillSpec], *, most: int) -> Steps[list[WrittenCall]]:
    """Let the model write what stands between the tags of a call; no calls when its tokens ran out before.

    That is one call in JSON, or up to `most` in Python. The arguments fit the skill's schema. Raises UnsupportedError
    when the schema cannot be turned into a grammar.
    """
    what = f"skill {skills[0].name!r}" if len(skills) == 1 else "the skills"
    python = tools.template.call_form.style == "python"
    if python:
        constraint = tools.grammars.lark(python_grammar(skills, bound=bounded, calls=most), what=what)
    else:
        constraint = tools.grammars.schema(call_schema(skills), what=what)
    written = b""
    while tokens := (yield from writer.write(constraint)):
        written += b"".join(tools.template.bytes_of(token) for token in tokens)
    if not writer.ended:
        return []
    if python:
        return [(name, _json(arguments)) for name, arguments in parse_calls(written.decode(), skills)]
    call = json.loads(written)
    return [(call["name"], _json(call["arguments"]))]


def _json(arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False)


def call_chunk(call: WrittenCall, index: int) -> LLMChunk:
    """A whole call as one piece of a reply."""
    name, arguments = call
    return LLMChunk(call=CallDelta(index=index, id=f"call_{secrets.token_hex(8)}", name=name, arguments=arguments))
