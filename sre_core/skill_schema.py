"""From a function's signature, type hints and docstring to a JSON schema and a compiled validator."""

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import docstring_parser
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from sre_core.errors import SkillError

__all__ = ["Signature", "check_arguments", "explain", "read_signature", "without_titles"]

Validate = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What was read from a function. `validate` returns coerced arguments, or raises pydantic's ValidationError."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    validate: Validate
    context: str | None


class _Schema(GenerateJsonSchema):
    # A default that JSON cannot hold is the function's own business; it is only left out of the schema.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 -- pydantic's own form


def read_signature(function: Callable[..., Any], context_type: type, *, name: str | None = None) -> Signature:
    """Read a function; the parameter annotated with `context_type` is left out of the schema.

    Raises SkillError that names the parameter when a model could not call it.
    """
    plain = _plain(function)
    name = name or _name(function)
    if name == "<lambda>":
        raise SkillError("a lambda has no name that a model could call", hint="pass name=, or use a def")
    if inspect.isasyncgenfunction(plain) or inspect.isgeneratorfunction(plain):
        raise SkillError(f"skill {name!r} is a generator", hint="return the whole value instead of yielding")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise SkillError(f"skill {name!r} has no readable signature: {error}", hint="wrap it in a def") from error
    docs = docstring_parser.parse(_docstring(function, plain))
    texts = {item.arg_name.lstrip("*"): item.description or "" for item in docs.params}
    bound = _bound(function)
    fields: dict[str, Any] = {}
    context: str | None = None
    for parameter in signature.parameters.values():
        _check_kind(name, parameter)
        if parameter.name in bound:
            continue
        hint = _hint(name, plain, parameter, context_type)
        if _is_context(hint, context_type):
            context = parameter.name
        else:
            fields[parameter.name] = _field(hint, parameter, texts.get(parameter.name))
    parameters, validate = _compile(name, fields)
    description = "\n\n".join(text for text in (docs.short_description, docs.long_description) if text)
    return Signature(name=name, description=description, parameters=parameters, validate=validate, context=context)


def _inner(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _name(function: Callable[..., Any]) -> str:
    inner = _inner(function)
    return str(getattr(inner, "__name__", type(inner).__name__))


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function below partials, methods, decorators and callable objects."""
    inner = _inner(function)
    is_plain = inspect.isroutine(inner) or inspect.isclass(inner) or hasattr(inner, "__wrapped__")
    plain: Callable[..., Any] = inspect.unwrap(getattr(inner, "__func__", inner) if is_plain else type(inner).__call__)
    return plain


def _docstring(function: Callable[..., Any], plain: Callable[..., Any]) -> str:
    # The text of a partial would be that of its class.
    return inspect.getdoc(plain) or inspect.getdoc(_inner(function)) or ""


def _bound(function: Callable[..., Any]) -> set[str]:
    """The keywords that partials have fixed: the model cannot choose them."""
    names: set[str] = set()
    while isinstance(function, functools.partial):
        names |= function.keywords.keys()
        function = function.func
    return names


def _check_kind(skill: str, parameter: inspect.Parameter) -> None:
    match parameter.kind:
        case inspect.Parameter.POSITIONAL_ONLY:
            what = "is positional-only"
        case inspect.Parameter.VAR_POSITIONAL:
            what = "is a *parameter"
        case inspect.Parameter.VAR_KEYWORD:
            what = "is a **parameter"
        case _:
            return
    raise SkillError(
        f"skill {skill!r}: parameter {parameter.name!r} {what}, and a model gives arguments by name",
        hint="name every parameter that the model shall fill",
    )


def _hint(skill: str, plain: Callable[..., Any], parameter: inspect.Parameter, context_type: type) -> Any:
    if parameter.annotation is parameter.empty:
        return Any
    # get_type_hints needs a function; a bare one keeps an unresolvable return annotation out of it.
    stub = types.FunctionType((lambda: None).__code__, getattr(plain, "__globals__", {}))
    stub.__annotations__ = {parameter.name: parameter.annotation}
    try:
        hints = get_type_hints(stub, localns={context_type.__name__: context_type}, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise SkillError(
            f"skill {skill!r}: the annotation {parameter.annotation!r} of parameter {parameter.name!r} "
            f"cannot be resolved: {error}",
            hint="define or import the type at the top of the module, not inside a function or TYPE_CHECKING",
        ) from error
    return hints[parameter.name]


def _is_context(hint: Any, context_type: type) -> bool:
    if get_origin(hint) is Annotated:
        return _is_context(get_args(hint)[0], context_type)
    if get_origin(hint) in {Union, types.UnionType}:
        return set(get_args(hint)) == {context_type, type(None)}
    return hint is context_type


def _field(hint: Any, parameter: inspect.Parameter, text: str | None) -> Any:
    """The hint with its description and default as pydantic's metadata. What Annotated says wins."""
    metadata: list[Any] = list(hint.__metadata__) if get_origin(hint) is Annotated else []
    inner = get_args(hint)[0] if metadata else hint
    for index, item in enumerate(metadata):
        if isinstance(item, str):
            metadata[index] = Field(description=item)
    default = parameter.default
    if isinstance(default, FieldInfo):
        metadata.append(default)
    elif default is not parameter.empty:
        metadata.append(Field(default=default))
    described = any(isinstance(item, FieldInfo) and item.description for item in metadata)
    if text and not described:
        metadata.append(Field(description=text))
    return Annotated[(inner, *metadata)] if metadata else inner


def _compile(skill: str, fields: Mapping[str, Any]) -> tuple[dict[str, Any], Validate]:
    # A TypedDict, unlike a model, takes any parameter name: "copy", "schema" and "_x" alike.
    make: Any = TypedDict
    shape = make(skill, dict(fields))
    shape.__pydantic_config__ = ConfigDict(extra="forbid")
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(shape)
        schema = adapter.json_schema(schema_generator=_Schema)
    except (PydanticUserError, NameError, TypeError) as error:
        raise SkillError(
            f"skill {skill!r}: {_blame(fields)} has a type that has no JSON schema: {str(error).splitlines()[0]}",
            hint="use plain types, pydantic models, dataclasses, enums, or Annotated with a pydantic schema",
        ) from error
    schema = without_titles(schema)
    schema.setdefault("properties", {})
    return schema, adapter.validator.validate_python


def _blame(fields: Mapping[str, Any]) -> str:
    """Which parameter pydantic could not read; only looked for when the whole failed."""
    for name, hint in fields.items():
        try:
            TypeAdapter(hint).json_schema(schema_generator=_Schema)
        except (PydanticUserError, NameError, TypeError):
            return f"parameter {name!r}"
    return "a parameter"


def without_titles(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The same schema without the titles that pydantic makes of names: a model pays for every token."""
    return {
        key: {name: without_titles(value) for name, value in item.items()}
        if key in {"properties", "$defs"}
        else _without_titles_within(item)
        for key, item in schema.items()
        if key != "title" or not isinstance(item, str)
    }


def _without_titles_within(item: Any) -> Any:
    if isinstance(item, dict):
        # A default or an example is data, whose keys only look like a schema's.
        return without_titles(item) if _is_schema(item) else item
    if isinstance(item, list):
        return [_without_titles_within(entry) for entry in item]
    return item


def _is_schema(item: Mapping[str, Any]) -> bool:
    return not item.keys().isdisjoint({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties"})


def explain(error: ValidationError) -> str:
    """What is wrong with a value, one line for each problem, in words that a model can act on."""
    return "\n".join(_problem(item) for item in error.errors(include_url=False))


def _problem(item: ErrorDetails) -> str:
    place = ""
    for part in item["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
    if item["type"] == "missing":
        return f"{place!r} is missing"
    if item["type"] == "extra_forbidden":
        return f"{place!r} is not known"
    got = repr(item["input"])
    got = got if len(got) <= 80 else f"{got[:77]}..."
    return f"{place!r}: {item['msg']}, not {got}" if place else f"{item['msg']}, not {got}"


_JSON_TYPES: Mapping[str, tuple[type, ...]] = types.MappingProxyType(
    {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "array": (list, tuple),
        "object": (Mapping,),
        "null": (type(None),),
    }
)


def check_arguments(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Problems of `arguments` under a schema that came from elsewhere: names, types and enums of the top level.

    What lies deeper is left to the function: it is usually a remote one, that checks by itself.
    """
    properties: Mapping[str, Any] = schema.get("properties", {})
    required: Sequence[str] = schema.get("required", ())
    problems = [f"{name!r} is missing" for name in required if name not in arguments]
    for name, value in arguments.items():
        if name not in properties:
            if schema.get("additionalProperties") is False:
                problems.append(f"{name!r} is not known")
            continue
        problems += _check_value(name, value, properties[name])
    return problems


def _check_value(name: str, value: Any, rules: Any) -> list[str]:
    if not isinstance(rules, Mapping):
        return []
    wanted = rules.get("type", [])
    names = [wanted] if isinstance(wanted, str) else wanted
    kinds = tuple(kind for entry in names for kind in _JSON_TYPES.get(entry, (object,)))
    is_stray_bool = isinstance(value, bool) and "boolean" not in names and object not in kinds
    if kinds and (not isinstance(value, kinds) or is_stray_bool):
        return [f"{name!r} must be of type {' or '.join(names)}, not {value!r:.80}"]
    if "enum" in rules and value not in rules["enum"]:
        return [f"{name!r} must be one of {rules['enum']!r}, not {value!r:.80}"]
    return []
