"""Every public module says in `__all__` what it offers."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, modules, parsed

MODULES = list(modules())
OURS = [name for name, _ in MODULES if name.split(".")[0] in PACKAGES]


def listed(path: Path) -> list[str] | None:
    """The names in `__all__`, or None when there is none."""
    for node in parsed(path).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__" and isinstance(node, ast.Assign | ast.AnnAssign):
            return list(ast.literal_eval(node.value or ast.List()))
    return None


def defined(path: Path) -> set[str]:
    """The public classes and functions that a module defines; not what a decorator takes, as a group its commands."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return {
        node.name
        for node in parsed(path).body
        if isinstance(node, kinds)
        and not node.name.startswith("_")
        and (isinstance(node, ast.ClassDef) or not node.decorator_list)
    }


def by_kind(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_a_module_lists_what_it_defines_in_order(name, path):
    names = listed(path)
    if names is None:
        assert not defined(path), f"{name} defines {sorted(defined(path))} and has no __all__"
        return
    assert names == sorted(set(names), key=by_kind)
    assert not defined(path) - set(names), f"{name} does not list all that it defines, nor hides it with a '_'"
    assert not [hidden for hidden in names if hidden.startswith("_")]


@pytest.mark.parametrize("name", OURS)
def test_what_a_module_lists_can_be_imported(name):
    module = import_module(name)
    missing = [item for item in getattr(module, "__all__", ()) if not hasattr(module, item)]
    assert not missing


@pytest.mark.parametrize("name", [name for name, path in MODULES if path.stem == "__init__" and name in OURS])
def test_a_package_offers_what_its_modules_do(name):
    """What a package lists is the very thing that one of its modules, or of those below, lists."""
    package = import_module(name)
    for item in getattr(package, "__all__", ()):
        home = getattr(getattr(package, item), "__module__", None)
        if home is not None and home != name and home.split(".")[0] in PACKAGES:
            assert item in import_module(home).__all__, f"{name} lists {item!r}, which {home} hides"
