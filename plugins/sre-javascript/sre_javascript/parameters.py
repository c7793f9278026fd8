"""Which parameters the function `main` of a program has; only the worker imports this, and with it the parser."""

from dataclasses import dataclass

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

__all__ = ["Program", "read_program"]

_DECLARATIONS = ("lexical_declaration", "variable_declaration")
_FUNCTIONS = ("function_declaration", "generator_function_declaration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Code as a script, and the names of the parameters of its `main`, in order.

    None stands for a parameter that takes an object apart: it gets all inputs as one object. `imports` says whether
    there are import statements, which only modules have.
    """

    code: str
    parameters: tuple[str | None, ...]
    imports: bool


def read_program(code: str) -> Program:
    """Look through the top of the code; `export` becomes blanks, so that a module with a `main` is a script too."""
    source = bytearray(code.encode("utf-8", "replace"))
    root = Parser(Language(tree_sitter_javascript.language())).parse(bytes(source)).root_node
    parameters: tuple[str | None, ...] = ()
    for statement in root.named_children:
        found = statement
        if statement.type == "export_statement" and (declared := statement.child_by_field_name("declaration")):
            source[statement.start_byte : declared.start_byte] = _blanks(source, statement, declared)
            found = declared
        function = _main(found)
        if function is not None:
            parameters = _names(function)
    imports = any(statement.type == "import_statement" for statement in root.named_children)
    return Program(code=source.decode(), parameters=parameters, imports=imports)


def _blanks(source: bytearray, statement: Node, declared: Node) -> bytes:
    """As long as what they replace, with its line ends: errors name the lines of the author."""
    return bytes(byte if byte in b"\r\n" else 0x20 for byte in source[statement.start_byte : declared.start_byte])


def _main(statement: Node) -> Node | None:
    """The function that this statement makes `main`."""
    if statement.type in _FUNCTIONS:
        return statement if _is_main(statement.child_by_field_name("name")) else None
    if statement.type in _DECLARATIONS:
        for declarator in statement.named_children:
            if _is_main(declarator.child_by_field_name("name")):
                return declarator.child_by_field_name("value")
    if statement.type == "expression_statement":
        for expression in statement.named_children:
            if expression.type == "assignment_expression" and _is_main(expression.child_by_field_name("left")):
                return expression.child_by_field_name("right")
    return None


def _is_main(name: Node | None) -> bool:
    return name is not None and name.text == b"main"


def _names(function: Node) -> tuple[str | None, ...]:
    single = function.child_by_field_name("parameter")
    if single is not None:
        return (_name(single),)
    several = function.child_by_field_name("parameters")
    found = [] if several is None else [child for child in several.named_children if child.type != "comment"]
    return tuple(_name(parameter) for parameter in found if parameter.type != "rest_pattern")


def _name(parameter: Node) -> str | None:
    if parameter.type == "assignment_pattern":
        left = parameter.child_by_field_name("left")
        return None if left is None else _name(left)
    return (parameter.text or b"").decode() if parameter.type == "identifier" else None
