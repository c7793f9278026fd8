"""Code for the sandbox: which inputs it gets under which names, and how its `main` is called."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from sre_core.errors import ComponentError

__all__ = ["Program", "make_program", "told_syntax"]

_INPUT = "_sre_input_{}"
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Code, with a call of `main` after it if it has one, and the variables that it finds."""

    code: str
    variables: Mapping[str, Any]


def make_program(code: str, inputs: Mapping[str, Any]) -> Program:
    """The code with the inputs that it asks for. Raises SyntaxError, and ComponentError for an input with no name.

    Values are never part of the code: the call names variables.
    """
    main = _main(code)
    if main is None:
        return Program(code=code, variables={_name(name): value for name, value in inputs.items()})
    arguments: list[str] = []
    variables: dict[str, Any] = {}

    def variable(value: Any) -> str:
        name = _INPUT.format(len(variables))
        variables[name] = value
        return name

    for parameter in main.args.posonlyargs:
        # One without an input has its default, and so have all after it.
        if parameter.arg not in inputs:
            break
        arguments.append(variable(inputs[parameter.arg]))
    named = [parameter.arg for parameter in (*main.args.args, *main.args.kwonlyargs)]
    arguments += [f"{name}={variable(inputs[name])}" for name in named if name in inputs]
    if main.args.kwarg is not None:
        known = {*named, *(parameter.arg for parameter in main.args.posonlyargs)}
        rest = {name: value for name, value in inputs.items() if name not in known}
        arguments.append(f"**{variable(rest)}")
    call = f"main({', '.join(arguments)})"
    return Program(
        code=f"{code}\n{'await ' if isinstance(main, ast.AsyncFunctionDef) else ''}{call}", variables=variables
    )


def told_syntax(error: SyntaxError) -> str:
    """What is wrong with code, and in which line."""
    where = f" (line {error.lineno})" if error.lineno else ""
    return f"SyntaxError: {error.msg}"[:_LONGEST] + where


def _main(code: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The last function of that name at the top of the code."""
    try:
        tree = ast.parse(code)
    except (MemoryError, RecursionError, ValueError) as error:
        raise SyntaxError(str(error) or "the code is nested too deep") from error
    found = None
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == "main":
            found = statement
    return found


def _name(name: str) -> str:
    if not name.isidentifier() or iskeyword(name):
        raise ComponentError(
            f"the input {name!r} cannot be a variable in Python",
            hint="rename the port, or write a function main that takes **inputs",
        )
    return name
