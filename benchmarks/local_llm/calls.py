"""Whether skill calls are valid, and whether they are the right ones."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.messages import SkillSpec

__all__ = ["Right", "Written", "fits", "right", "spoken", "valid"]

Written = Mapping[str, str]
"""`name`, and `arguments` as the JSON text that was written."""
Right = Mapping[str, Mapping[str, Sequence[Any]]]
"""The name of a skill with, for each argument, the values that are right; "" among them: it may be left out."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_IGNORED = re.compile(r"[\s,./\-_*^()'\"]")


def valid(call: Written, skills: Sequence[SkillSpec]) -> bool:
    """Whether a call names a skill, parses, and fits the skill's schema."""
    schema = next((skill.parameters for skill in skills if skill.name == call["name"]), None)
    try:
        arguments = json.loads(call["arguments"])
    except ValueError:
        return False
    return schema is not None and isinstance(arguments, dict) and fits(arguments, schema)


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value fits a schema, as far as the schemas of these benchmarks go."""
    kinds = schema.get("type", ())
    names = (kinds,) if isinstance(kinds, str) else kinds
    # To Python True is a whole number; to JSON it is none.
    if names and not any(isinstance(value, _TYPES[n]) and isinstance(value, bool) <= (n == "boolean") for n in names):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {})) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return all(name in value for name in schema.get("required", ())) and all(
            fits(inner, known.get(name, {})) for name, inner in value.items()
        )
    if isinstance(value, int | float):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def right(calls: Sequence[Written], wanted: Sequence[Right]) -> tuple[bool, bool]:
    """Whether the names are those that are wanted, and whether all calls are, in any order and no more of them."""
    names = {call["name"] for call in calls} == {name for one in wanted for name in one}
    if len(calls) != len(wanted):
        return names, False
    left = list(wanted)
    for call in calls:
        match = next((one for one in left if _same_call(call, one)), None)
        if match is None:
            return names, False
        left.remove(match)
    return names, True


def _same_call(call: Written, wanted: Right) -> bool:
    accepted = wanted.get(call["name"])
    try:
        arguments = json.loads(call["arguments"])
    except ValueError:
        return False
    return accepted is not None and isinstance(arguments, dict) and _same_object(arguments, accepted)


def _same_object(values: Mapping[str, Any], accepted: Mapping[str, Sequence[Any]]) -> bool:
    if any(name not in accepted for name in values):
        return False
    return all(
        any(_same(values[name], one) for one in choices) if name in values else "" in choices
        for name, choices in accepted.items()
    )


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) and isinstance(wanted, str):
        return _bare(value) == _bare(wanted)
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(_same(one, other) for one, other in zip(value, wanted, strict=True))
    if isinstance(value, dict) and isinstance(wanted, dict):
        lists = {name: choices if isinstance(choices, list) else [choices] for name, choices in wanted.items()}
        return _same_object(value, lists)
    return bool(value == wanted)


def _bare(text: str) -> str:
    return _IGNORED.sub("", text).lower()


def spoken(text: str) -> list[Written]:
    """The calls in a text that was written without a grammar: objects with a name and arguments, tagged or not."""
    found: list[Written] = []
    decoder = json.JSONDecoder()
    place = 0
    while (place := text.find("{", place)) >= 0:
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            place += 1
            continue
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            found.append({"name": value["name"], "arguments": json.dumps(value.get("arguments", {}))})
    return found
