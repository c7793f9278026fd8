"""The source files of the repository, as the tests of the architecture see them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["PACKAGES", "ROOT", "modules", "parsed", "plugin_packages", "python_files"]

ROOT = Path(__file__).parents[2]
PACKAGES = ("sre_core", "sre_sdk", "sre_cli")

_NOT_OURS = ("build", "dist", "__pycache__")


def python_files(*folders: Path) -> list[Path]:
    """All Python files below the folders, by default below the root; no build output, no environment."""
    found: list[Path] = []
    for folder in folders or (ROOT,):
        found += _walk(folder)
    return sorted(found)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir() and not (path / "pyvenv.cfg").exists():
            yield from _walk(path)
        elif path.suffix == ".py":
            yield path


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def plugin_packages() -> list[Path]:
    """The folder of each package that lies in `plugins/<distribution>/`."""
    return sorted(
        init.parent for init in ROOT.glob("plugins/*/*/__init__.py") if init.parent.name not in {"tests", *_NOT_OURS}
    )


def modules() -> Iterator[tuple[str, Path]]:
    """The dotted name and the file of every public module of ours, in the core and in the plugins."""
    for package in [*(ROOT / name for name in PACKAGES), *plugin_packages()]:
        for path in python_files(package):
            parts = [*path.relative_to(package.parent).parts[:-1], path.stem]
            if "templates" in parts:
                continue
            name = ".".join(parts[:-1] if path.stem == "__init__" else parts)
            if not any(part.startswith("_") for part in name.split(".")):
                yield name, path
