"""What JavaScript imports, and which parameters its `main` has; only a run imports this, and with it the parser."""

from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

__all__ = ["Program", "read_program"]

_DECLARATIONS = ("lexical_declaration", "variable_declaration")
_FUNCTIONS = ("function_declaration", "generator_function_declaration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The modules that code names, and the parameters of its `main` in order; None where it has none.

    A parameter that takes an object apart is "": it gets all inputs as one object.
    """

    modules: frozenset[str]
    parameters: tuple[str, ...] | None


def read_program(code: str) -> Program:
    """Look through code: `import`, `export from`, `import()` and `require()` with a plain text count as imports."""
    root = Parser(Language(tree_sitter_javascript.language())).parse(code.encode("utf-8", "replace")).root_node
    parameters = None
    for statement in root.named_children:
        declared = statement.child_by_field_name("declaration") if statement.type == "export_statement" else statement
        function = None if declared is None else _main(declared)
        if function is not None:
            parameters = _names(function)
    return Program(modules=frozenset(_modules(root)), parameters=parameters)


def _modules(root: Node) -> Iterator[str]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(node.named_children)
        if node.type in {"import_statement", "export_statement"}:
            named = node.child_by_field_name("source")
        elif node.type == "call_expression" and _called(node) in {b"require", b"import"}:
            arguments = node.child_by_field_name("arguments")
            named = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        else:
            continue
        if named is not None and named.type == "string":
            yield (named.text or b"").decode()[1:-1]


def _called(call: Node) -> bytes | None:
    function = call.child_by_field_name("function")
    return None if function is None else function.text


def _main(statement: Node) -> Node | None:
    """The function that this statement makes `main`."""
    if statement.type in _FUNCTIONS:
        return statement if _is_main(statement.child_by_field_name("name")) else None
    if statement.type in _DECLARATIONS:
        for declarator in statement.named_children:
            if _is_main(declarator.child_by_field_name("name")):
                return declarator.child_by_field_name("value")
    return None


def _is_main(name: Node | None) -> bool:
    return name is not None and name.text == b"main"


def _names(function: Node) -> tuple[str, ...]:
    single = function.child_by_field_name("parameter")
    if single is not None:
        return (_name(single),)
    several = function.child_by_field_name("parameters")
    found = [] if several is None else [child for child in several.named_children if child.type != "comment"]
    return tuple(_name(parameter) for parameter in found if parameter.type != "rest_pattern")


def _name(parameter: Node) -> str:
    if parameter.type == "assignment_pattern":
        left = parameter.child_by_field_name("left")
        return "" if left is None else _name(left)
    return (parameter.text or b"").decode() if parameter.type == "identifier" else ""
