"""What cog pastes into the pages: files, what programs really print, and the help of the commands."""

import contextlib
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import click

from sre_cli.main import cli
from sre_core import hookspecs
from sre_core.config import DEFAULTS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs/examples"

_MODULES = re.compile(r"\b(?:\w+\.)+(?=\w)|'")


def file(path: str, language: str = "python") -> None:
    """A file of the repository, whole."""
    _block((ROOT / path).read_text(encoding="utf-8"), language)


def program(name: str) -> None:
    """An example and what it prints."""
    file(f"docs/examples/{name}")
    print("\nIt prints:\n")
    printed(name)


def printed(name: str) -> None:
    """What an example prints."""
    _block(output([sys.executable, name]), "text")


def rooms() -> None:
    """The rooms of the core, as the contract for imports lists them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    _block("\n".join(next(one["layers"] for one in contracts if "containers" in one)), "text")


def session(*commands: str) -> None:
    """What a person sees who types these `sre` commands in the folder of the examples."""
    with _folder() as folder:
        shown = [
            f"$ {command}\n{_run([sys.executable, '-m', 'sre_cli', *shlex.split(command)[1:]], folder)}"
            for command in commands
        ]
    _block("".join(shown), "console")


def section(path: str, heading: str) -> None:
    """The part of a page below one of its headings."""
    text = (ROOT / path).read_text(encoding="utf-8")
    body = text.partition(f"## {heading}\n")[2].partition("\n## ")[0].strip()
    if not body:
        raise RuntimeError(f"{path} has no heading {heading!r}")
    print(f"\n{body}\n")


def output(command: Sequence[str]) -> str:
    """What a command prints in a fresh copy of the examples. Raises RuntimeError when it fails."""
    with _folder() as folder:
        return _run(command, folder)


def commands() -> None:
    """The help of `sre` and of each of its commands, under a heading each."""
    for names, command in walk_commands():
        print(f"\n## {' '.join(['sre', *names])}\n")
        _block(_help(names, command), "text")


def plugin_commands(package: str) -> None:
    """The help of the commands that a plugin adds, under a heading each."""
    group = click.Group("sre")
    import_module(package).register_commands(cli=group)
    for name, command in group.commands.items():
        print(f"\n### sre {name}\n")
        _block(_help((name,), command), "text")


def walk_commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of ours by the words that call it."""

    def walk(names: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        yield names, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                if below is not None:
                    yield from walk((*names, name), below)

    return walk((), cli)


def hooks() -> None:
    """The hooks, with their arguments."""
    for name in hookspecs.__all__:
        hook = getattr(hookspecs, name)
        if hasattr(hook, "sre_spec"):
            print(f"\n## {name}\n")
            _block(f"{name}{_MODULES.sub('', str(inspect.signature(hook)))}", "text")
            print(f"\n{inspect.cleandoc(hook.__doc__ or '')}")


def config_defaults() -> None:
    """What holds with no `sre.toml` at all, as one would write it."""
    lines: list[str] = []
    for service, entries in DEFAULTS["connectors"].items():
        for id_, entry in entries.items():
            lines += [f"[connectors.{service}.{id_}]", *(f'{key} = "{value}"' for key, value in entry.items()), ""]
    lines.append("[access]")
    for path, grants in DEFAULTS["access"].items():
        lines.append(f'"{path}" = {{ ' + ", ".join(f'{who} = "{what}"' for who, what in grants.items()) + " }")
    _block("\n".join(lines), "toml")


def doc(place: str) -> None:
    """The docstring of a class, as in "sre_core.builtin.LocalStorage"."""
    module, _, name = place.rpartition(".")
    print(inspect.cleandoc(getattr(import_module(module), name).__doc__ or ""))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "examples"
        shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__", ".sre"))
        yield folder


def _run(command: Sequence[str], folder: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SRE_")}
    environ |= {"NO_COLOR": "1", "XDG_DATA_HOME": str(folder / ".data"), "PYTHONWARNINGS": "error"}
    done = subprocess.run(  # noqa: S603 -- our own examples
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} failed with {done.returncode}: {done.stderr}")
    return done.stdout


def _help(names: Sequence[str], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(["sre", *names]), terminal_width=80, **cli.context_settings)
    return command.get_help(context)


def _block(text: str, language: str) -> None:
    print(f"```{language}\n{text.rstrip()}\n```")
