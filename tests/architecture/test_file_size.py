"""No file has more than 400 lines, no function more than 50. There is no list of exceptions: split the file."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import ROOT, parsed, python_files

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 50


def long_functions(tree: ast.Module, most: int) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > most:
                yield node.name, lines


def test_no_file_is_too_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert [f"{path.relative_to(ROOT)}: {n} lines" for path, n in lengths.items() if n > MOST_LINES_OF_A_FILE] == []


def test_no_function_is_too_long():
    assert [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in python_files()
        for name, lines in long_functions(parsed(path), MOST_LINES_OF_A_FUNCTION)
    ] == []


def test_a_long_function_would_be_found():
    source = "class A:\n    async def long(self):\n" + "        pass\n" * 3 + "def short():\n    pass\n"
    assert list(long_functions(ast.parse(source), 3)) == [("long", 4)]
