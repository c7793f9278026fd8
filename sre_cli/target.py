"""Finds the agent that a command line names: FILE_OR_MODULE[:AGENT], or a `.smyth` file."""

import importlib
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from sre_cli.arguments import parse_pairs
from sre_sdk import Agent, WorkflowLimits

if TYPE_CHECKING:
    from sre_core.config import Config

__all__ = ["load_agent", "open_agent"]


def load_agent(
    target: str, models: Sequence[str] = (), *, seconds: float | None = None, config: "Config | None" = None
) -> Agent:
    """Load a `.smyth` file; else import the file or module, and pick the agent. `open_agent` opens it.

    `models` are words NAME=MODEL: the model to take where nodes of the file name another one, "*" for all. `seconds` is
    how long a run of its workflow may take. With `config` the agent of a `.smyth` file works in a runtime of its own,
    which has this configuration. Raises click.UsageError, and InvalidWorkflowError for a `.smyth` file; what the user's
    code raises passes.
    """
    if target.lower().endswith(".smyth"):
        if not Path(target).is_file():
            raise click.UsageError(f"No such file: {target!r}.")
        return _load_file(target, models, seconds, config)
    if models:
        raise click.UsageError("--models is for .smyth files: agents in Python name their models themselves.")
    if seconds is not None:
        raise click.UsageError("--seconds is for .smyth files: agents in Python set their own WorkflowLimits.")
    if config is not None:
        raise click.UsageError("--vault, and files of --models, are for .smyth files: agents in Python go by sre.toml.")
    place, _, name = target.rpartition(":")
    # The colon of a drive letter, and that of a folder's name, separate nothing.
    if not place or not name.isidentifier():
        place, name = target, ""
    if place.lower().endswith(".smyth"):
        raise click.UsageError(f"A .smyth file has one agent: {place!r}, without {f':{name}'!r}.")
    module = _import_file(Path(place)) if _is_file(place) else _import_module(place)
    return _pick(module, place, name)


def open_agent(agent: Agent) -> AbstractAsyncContextManager[Any, Any]:
    """What keeps an agent open: the runtime that it was loaded with, else the agent, which opens one of its own."""
    return agent.runtime if agent.is_attached else agent


def _load_file(path: str, models: Sequence[str], seconds: float | None, config: "Config | None") -> Agent:
    pairs = parse_pairs(models, "A model")
    limits = WorkflowLimits(seconds=seconds)
    if config is None:
        return Agent.load(path, models=pairs, workflow_limits=limits)
    # Most calls have no configuration of their own, and `--help` needs no kernel.
    from sre_core.runtime import Runtime

    return Agent.load(path, models=pairs, workflow_limits=limits, runtime=Runtime(config))


def _is_file(place: str) -> bool:
    return place.endswith(".py") or Path(place).is_file()


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise click.UsageError(f"No such file: {str(path)!r}.")
    path = path.resolve()
    content = path.read_bytes()
    if path.suffix != ".py" and content.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        raise click.UsageError(f"{str(path)!r} is no Python file; the file of a workflow must end in .smyth.")
    if b"\0" in content:
        # Python names no place when it finds one.
        raise click.UsageError(f"{str(path)!r} is no Python file: it has null bytes.")
    package = _package_parts(path)
    folder = path.parents[len(package)]
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    if package:
        return importlib.import_module(".".join([*package, path.stem]).removesuffix(".__init__"))
    # Loaded from its place, since a module of that name may exist already: a file may well be called json.py.
    name = path.stem if path.stem not in sys.modules else f"sre_user_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise click.UsageError(f"{str(path)!r} is no Python file.")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _package_parts(path: Path) -> list[str]:
    """The packages that a file lies in, outermost first: its folders, as far up as they have an `__init__.py`."""
    parts: list[str] = []
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return parts


def _import_module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    if not all(part.isidentifier() for part in name.split(".")):
        raise click.UsageError(f"No such file, and no legal name of a module: {name!r}.")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that is there but misses another one is the user's bug, and shown as such.
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise click.UsageError(f"No such file or module: {name!r}.") from error
        raise


def _pick(module: ModuleType, place: str, name: str) -> Agent:
    found = {key: value for key, value in vars(module).items() if isinstance(value, Agent)}
    if name:
        if name in found:
            return found[name]
        what = "has no" if not hasattr(module, name) else "has something else than an agent called"
        raise click.UsageError(f"{place!r} {what} {name!r}. {_candidates(place, found)}")
    public = {key: agent for key, agent in found.items() if not key.startswith("_")}
    distinct = list({id(agent): agent for agent in public.values()}.values())
    if len(distinct) == 1:
        return distinct[0]
    problem = "has several agents" if distinct else "has no agent"
    raise click.UsageError(f"{place!r} {problem}. {_candidates(place, public)}")


def _candidates(place: str, agents: dict[str, Agent]) -> str:
    if not agents:
        return "Make one: `agent = Agent(...)`, at the top level of the file."
    return f"Choose one of: {', '.join(f'{place}:{name}' for name in sorted(agents))}."
