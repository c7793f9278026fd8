"""Every connector runs the kit of its kind."""

import ast
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.tree import ROOT, parsed, plugin_packages, python_files

KITS = {
    "LLMConnector": "LLMConformance",
    "StorageConnector": "StorageConformance",
    "VectorConnector": "VectorConformance",
    "CacheConnector": "CacheConformance",
    "VaultConnector": "VaultConformance",
}


def bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def classes(files: Iterable[Path]) -> list[tuple[ast.ClassDef, ast.Module]]:
    trees = [parsed(path) for path in files]
    return [(node, tree) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def descendants(found: list[tuple[ast.ClassDef, ast.Module]], root: str) -> list[tuple[ast.ClassDef, ast.Module]]:
    """The classes that derive from `root`, also through one another."""
    names, size = {root}, 0
    while len(names) > size:
        size = len(names)
        names |= {node.name for node, _ in found if bases(node) & names}
    return [(node, tree) for node, tree in found if bases(node) & names]


def names_in(node: ast.AST, tree: ast.Module) -> set[str]:
    """The names that a class uses, also through the functions and fixtures of its file."""
    functions = {item.name: item for item in tree.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
    seen: set[str] = set()
    todo = [node]
    while todo:
        words = {item.id for item in ast.walk(todo.pop()) if isinstance(item, ast.Name)}
        todo += [functions[word] for word in words - seen if word in functions]
        seen |= words
    return seen


def untested(sources: list[Path], tests: list[Path]) -> list[str]:
    """Connectors in `sources` without a test class in `tests` that derives from the kit of their kind."""
    written, tested = classes(sources), classes(tests)
    missing = []
    for kind, kit in KITS.items():
        used = {name for node, tree in descendants(tested, kit) for name in names_in(node, tree)}
        missing += [f"{node.name}: {kit}" for node, _ in descendants(written, kind) if node.name not in used]
    return missing


def test_every_built_in_connector_runs_the_kit_of_its_kind():
    sources = python_files(ROOT / "sre_core/builtin")
    assert classes(sources)
    assert untested(sources, python_files(ROOT / "tests/unit/sre_core/builtin")) == []


def test_every_connector_of_a_plugin_runs_the_kit_of_its_kind():
    for package in plugin_packages():
        assert untested(python_files(package), python_files(package.parent / "tests")) == [], package.name


def test_a_connector_without_a_kit_would_be_found(tmp_path):
    (tmp_path / "connector.py").write_text(
        "class Acme(CacheConnector): ...\nclass Better(Acme): ...\nclass Other(base.VaultConnector): ...\n"
    )
    (tmp_path / "test_connector.py").write_text(
        "class TestAcme(CacheConformance):\n    def make(self):\n        return new()\n"
        "def new():\n    return Acme(AcmeSettings())\n"
        "class TestOther(CacheConformance):\n    def make(self):\n        return Other()\n"
    )
    missing = untested([tmp_path / "connector.py"], [tmp_path / "test_connector.py"])
    assert missing == ["Better: CacheConformance", "Other: VaultConformance"]
