"""Skill calls as Python: signatures for the prompt, a parser that runs nothing, a grammar for the reply."""

import ast
import json
import keyword
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sre_core.errors import ModelReplyError
from sre_core.messages import SkillSpec

__all__ = ["call_source", "parse_calls", "python_grammar", "signature"]

_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
    "null": "None",
}
# Written by models that mix Python with JSON.
_JSON_NAMES = {"true": True, "false": False, "null": None}
_ESCAPES = frozenset("\n\\'\"abfnrtvxuUN01234567")
_HINT = "let the model try again, or use tools_as = 'tools'"
_STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def signature(skill: SkillSpec) -> str:
    """A skill as the head of a Python function with its description."""
    properties = skill.parameters.get("properties", {})
    names = _parameters(skill)
    required = set(skill.parameters.get("required", ()))
    shown = []
    for name, own in names.items():
        schema = properties[own]
        default = "" if own in required else f" = {_literal(schema.get('default') if _is_map(schema) else None)}"
        shown.append(f"{name}: {_type(schema)}{default}")
    lines = [skill.description.strip() or skill.name]
    told = [(name, properties[own].get("description")) for name, own in names.items() if _is_map(properties[own])]
    if any(text for _, text in told):
        lines += ["", "Args:", *(f"    {name}: {text}" for name, text in told if text)]
    body = "\n".join(f"    {line}".rstrip() for line in "\n".join(lines).splitlines()).strip()
    return f'def {_identifier(skill.name)}({", ".join(shown)}):\n    """{body}"""'


def call_source(name: str, arguments: Any) -> str:
    """A call with keyword arguments, as a model would write it."""
    pairs = arguments.items() if isinstance(arguments, Mapping) else ()
    return f"{_identifier(name)}({', '.join(f'{_identifier(key)}={_literal(value)}' for key, value in pairs)})"


def parse_calls(text: str, skills: Sequence[SkillSpec]) -> list[tuple[str, dict[str, Any]]]:
    """The calls in Python source: the name of each skill with its arguments, in order. Nothing is run.

    A line is a call, a call inside `print(...)`, or a call whose result gets a name; arguments are literals, by
    name or by place. Raises ModelReplyError for anything else.
    """
    try:
        tree = ast.parse(_escaped(text.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ModelReplyError(f"the model wrote no valid Python: {error}", hint=_HINT) from error
    known = {_identifier(skill.name): skill for skill in skills} | {skill.name: skill for skill in skills}
    found = []
    for statement in tree.body:
        call = _call(statement)
        name = _dotted(call.func)
        if name == "print" and name not in known and len(call.args) == 1 and isinstance(call.args[0], ast.Call):
            call = call.args[0]
            name = _dotted(call.func)
        if name not in known:
            raise ModelReplyError(f"the model called {name!r}, which is no skill of this request", hint=_HINT)
        found.append((known[name].name, _arguments(call, known[name])))
    return found


def python_grammar(
    skills: Sequence[SkillSpec], *, bound: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict, calls: int = 8
) -> str:
    """A Lark grammar for llguidance: up to `calls` calls of `skills`, one a line, with arguments by name.

    Each value fits its JSON schema, as `bound` changes it. Optional arguments may be left out.
    """
    rules = [
        f"start: call (/\\n/ call){{0,{calls - 1}}}",
        "call: " + " | ".join(f"skill_{n}" for n in range(len(skills))),
    ]
    for number, skill in enumerate(skills):
        rules += _skill_rules(skill, f"skill_{number}", bound)
    return "\n".join(rules) + "\n"


def _skill_rules(skill: SkillSpec, rule: str, bound: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> list[str]:
    schema = skill.parameters
    required = set(schema.get("required", ()))
    shared = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    rules: list[str] = []
    must: list[str] = []
    may: list[str] = []
    for place, (name, own) in enumerate(_parameters(skill).items()):
        value = f"{rule}_{place}"
        (must if own in required else may).append(f"{_quoted(name + '=')} {value}")
        rules.append(f"{value}: {_value(schema['properties'][own], shared, bound)}")
    comma = _quoted(", ")
    tail = " ".join(f"({comma} {one})?" for one in may)
    if must:
        inside = f"{f' {comma} '.join(must)} {tail}".strip()
    else:
        starts = [" ".join([one, *(f"({comma} {two})?" for two in may[n + 1 :])]) for n, one in enumerate(may)]
        inside = f"({' | '.join(starts)})?" if starts else ""
    head = _quoted(f"{_identifier(skill.name)}(")
    return [f"{rule}: {head} {inside} {_quoted(')')}", *rules]


def _value(schema: Any, shared: Mapping[str, Any], bound: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> str:
    """JSON values are Python literals, all but three; `parse_calls` takes those deeper down."""
    kind = schema.get("type") if _is_map(schema) else None
    if kind == "boolean" and "enum" not in schema and "const" not in schema:
        return '"True" | "False"'
    if kind == "null":
        return '"None"'
    whole = {**bound(schema if _is_map(schema) else {}), **shared, "x-guidance": _STYLE}
    return f"%json {json.dumps(whole, ensure_ascii=False)}"


def _call(statement: ast.stmt) -> ast.Call:
    named = isinstance(statement, ast.Assign) and all(isinstance(target, ast.Name) for target in statement.targets)
    value = statement.value if named or isinstance(statement, ast.Expr) else None  # type: ignore[attr-defined]
    if not isinstance(value, ast.Call):
        raise ModelReplyError(f"the model wrote {ast.unparse(statement)!r}, which is no call of a skill", hint=_HINT)
    return value


def _arguments(call: ast.Call, skill: SkillSpec) -> dict[str, Any]:
    names = _parameters(skill)
    places = list(names.values())
    if len(call.args) > len(places):
        raise ModelReplyError(
            f"the model gave {skill.name!r} {len(call.args)} arguments, it takes {len(places)}", hint=_HINT
        )
    found = {places[place]: _plain(value, skill) for place, value in enumerate(call.args)}
    for given in call.keywords:
        if given.arg is None:
            raise ModelReplyError(f"the model called {skill.name!r} with **, not with arguments by name", hint=_HINT)
        name = names.get(given.arg, given.arg)
        if name in found:
            raise ModelReplyError(f"the model gave the argument {name!r} of {skill.name!r} twice", hint=_HINT)
        found[name] = _plain(given.value, skill)
    return found


def _plain(node: ast.expr, skill: SkillSpec) -> Any:
    try:
        return _literal_of(node)
    except (ValueError, RecursionError) as error:
        raise ModelReplyError(f"an argument of {skill.name!r} is not a plain value: {error}", hint=_HINT) from error


def _literal_of(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() as text):
            # Two halves of one letter, as JSON writes those outside of the first plane.
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case ast.Constant(value=float() as value) if not math.isfinite(value):
            raise ValueError(ast.unparse(node))
        case ast.Constant(value=bool() | int() | float() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as value)):
            return -value if isinstance(sign, ast.USub) else value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal_of(item) for item in items]
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            return {str(key.value): _literal_of(value) for key, value in zip(keys, values, strict=True)}  # type: ignore[union-attr]  # just checked
        case ast.Name(id=name) if name in _JSON_NAMES:
            return _JSON_NAMES[name]
    raise ValueError(ast.unparse(node))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ast.unparse(node)


def _parameters(skill: SkillSpec) -> dict[str, str]:
    """Parameters by their names in Python, in the order of the signature: those that must be given come first."""
    properties = list(skill.parameters.get("properties", {}))
    required = set(skill.parameters.get("required", ()))
    ordered = sorted(properties, key=lambda name: name not in required)
    found: dict[str, str] = {}
    for own in ordered:
        name = _identifier(own)
        while name in found:
            name += "_"
        found[name] = own
    return found


def _identifier(name: str) -> str:
    made = re.sub(r"\W", "_", name)
    if not made or made[0].isdigit():
        made = f"_{made}"
    return f"{made}_" if keyword.iskeyword(made) else made


def _type(schema: Any) -> str:
    if not _is_map(schema):
        return "object"
    if "enum" in schema:
        return f"Literal[{', '.join(_literal(value) for value in schema['enum'])}]"
    kinds = schema.get("type")
    options = [{"type": kind} for kind in kinds] if isinstance(kinds, list) else schema.get("anyOf")
    if options:
        return " | ".join(dict.fromkeys(_type(option) for option in options))
    if kinds == "array" and _is_map(schema.get("items")):
        return f"list[{_type(schema['items'])}]"
    return _TYPES.get(str(kinds), "object")


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(_literal(one) for one in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(one)}" for key, one in value.items()) + "}"
    return repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text)


def _escaped(text: str) -> str:
    r"""`text` with \/ and the like, which JSON or a regular expression has, as Python means them."""
    if re.search(r"\b[rR][bB]?[\"']", text):
        return text

    def fix(found: re.Match[str]) -> str:
        return found[0] if found[1] in _ESCAPES else "/" if found[1] == "/" else f"\\{found[0]}"

    return re.sub(r"\\(.)", fix, text, flags=re.DOTALL)


def _is_map(schema: Any) -> bool:
    return isinstance(schema, Mapping)
