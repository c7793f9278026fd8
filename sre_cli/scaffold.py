"""Makes a project folder from the templates: everything is written, or nothing."""

import keyword
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from string import Template

from sre_core.errors import ConfigError

__all__ = ["SUFFIX", "check_free", "make_project", "package_name", "template_names"]

SUFFIX = ".tmpl"
"""Ends the name of each template file, so that no tool takes it for what it will become."""

_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST = 64
_TAKEN = sys.stdlib_module_names | {"agent", "sre_cli", "sre_core", "sre_sdk", "tests"}


def template_names() -> list[str]:
    """The kinds of projects."""
    with as_file(files("sre_cli") / "templates") as folder:
        return sorted(path.name for path in folder.iterdir() if path.is_dir())


def package_name(project: str) -> str:
    """The import name for a project of that name: "my-notes" gives "my_notes". Raises ConfigError."""
    if not _NAME.fullmatch(project) or len(project) > _LONGEST:
        raise ConfigError(
            f"illegal project name {project!r}",
            hint=f"use 1 to {_LONGEST} ASCII letters, digits, '-', '_' and '.'; "
            "begin with a letter, end with a letter or a digit",
        )
    package = re.sub(r"[-_.]+", "_", project).lower()
    if keyword.iskeyword(package) or package in _TAKEN:
        raise ConfigError(
            f"illegal project name {project!r}: {package!r} already means something to Python or to this runtime",
            hint=f"try {project + '-agent'!r}",
        )
    return package


def check_free(target: Path) -> None:
    """Raise ConfigError unless `target` is missing or an empty folder."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConfigError(f"{str(target)!r} exists and is not a folder", hint="choose another place with --path")
    if target.is_dir() and any(target.iterdir()):
        raise ConfigError(
            f"the folder {str(target)!r} is not empty; nothing was written",
            hint="choose another name, or another place with --path",
        )


def make_project(template: str, target: Path, values: Mapping[str, str]) -> list[Path]:
    """Fill in a template at `target`, which must be free; return the files, relative to it.

    All files are written beside it first, so that a failure on the way leaves nothing behind. Raises ConfigError,
    OSError.
    """
    target = target.absolute()
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        draft = Path(temporary) / "project"
        with as_file(files("sre_cli") / "templates" / template) as source:
            written = _fill(source, draft, values)
        _move(draft, target)
    return written


def _fill(source: Path, target: Path, values: Mapping[str, str]) -> list[Path]:
    written = []
    for path in sorted(source.rglob(f"*{SUFFIX}")):
        name = Template(path.relative_to(source).as_posix()).substitute(values)
        place = target / name.removesuffix(SUFFIX)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(Template(path.read_text("utf-8")).substitute(values), "utf-8", newline="\n")
        written.append(place.relative_to(target))
    return written


def _move(draft: Path, target: Path) -> None:
    if not target.exists():
        draft.rename(target)
        return
    # An empty folder stays the folder it is: somebody's shell may stand in it.
    check_free(target)
    moved: list[Path] = []
    try:
        moved.extend(entry.rename(target / entry.name) for entry in draft.iterdir())
    except OSError:
        for entry in moved:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        raise
