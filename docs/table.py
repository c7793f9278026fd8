"""Tables that cog pastes into the pages, made from the code itself."""

import dataclasses
import inspect
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import sre_sdk
from sre_cli.failures import exit_code
from sre_core import errors as error_module
from sre_core import events as event_module
from sre_core.agents.limits import Limits
from sre_core.components import Component, InputPort, OutputPort
from sre_core.components.library import builtin_components
from sre_core.config import Config, load
from sre_core.plugins import Plugins
from sre_core.testing.conformance.lifecycle import CAPABILITIES

PLUGINS = sorted(
    path.parent.name.removeprefix("sre-") for path in Path(__file__).parent.parent.glob("plugins/*/pyproject.toml")
)
"""The plugins of this repository, as their entry points name them."""


def config_keys() -> None:
    """Every key of `sre.toml`."""
    _table(("key", "default", "what it is"), [(f"`{key}`", default, text) for key, default, text in walk_config()])


def walk_config() -> Iterator[tuple[str, str, str]]:
    """Key, default and meaning, from the models."""
    defaults = load(Path(tempfile.gettempdir()), {}).config
    for name, field in Config.model_fields.items():
        value = getattr(defaults, name)
        if isinstance(value, BaseModel):
            for inner, part in type(value).model_fields.items():
                shown = _default(getattr(value, inner))
                yield f"{name}.{inner}", shown, part.description or _MEANINGS[f"{name}.{inner}"]
        else:
            shown = "see below" if name in {"connectors", "access"} else _default(value)
            yield name, shown, field.description or _MEANINGS[name]


def errors() -> None:
    """Every error by code, with the exit code of the command line."""
    rows = []
    for name in sorted(error_module.__all__, key=lambda name: getattr(error_module, name).code):
        kind = getattr(error_module, name)
        retry = "yes" if getattr(kind, "retryable", False) else ""
        rows.append((f"`{kind.code}`", f"`{name}`", _first(kind), retry, str(exit_code(kind("")))))
    _table(("code", "error", "when", "retried", "exit code"), rows)


def events() -> None:
    """Every event, with its fields."""
    common = {field.name for field in dataclasses.fields(event_module.Event)}
    rows = []
    for name in event_module.__all__:
        kind = getattr(event_module, name)
        if inspect.isclass(kind) and issubclass(kind, event_module.Event) and kind is not event_module.Event:
            own = [f"`{field.name}`" for field in dataclasses.fields(kind) if field.name not in common]
            rows.append((f"`{kind.type}`", f"`{name}`", ", ".join(own), _doc(kind)))
    _table(("type", "class", "fields", "when"), rows)


def limits() -> None:
    """Every limit of a run, with its default."""
    _table(("limit", "default"), [(f"`{f.name}`", _default(f.default)) for f in dataclasses.fields(Limits)])


def names() -> None:
    """What `sre_sdk` offers."""
    rows = []
    for name in sre_sdk.__all__:
        thing = getattr(sre_sdk, name)
        rows.append((f"`{name}`", _first(thing)))
    _table(("name", "what it is"), rows)


def verbs(place: str) -> None:
    """The methods of a contract or handle, as in "sre_core.connectors.Storage"."""
    kind = _found(place)
    rows = []
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if name.startswith("_") or method.__qualname__.split(".")[0] != kind.__name__ or name == "resource":
            continue
        rows.append((method.__code__.co_firstlineno, f"`{name}{_signature(method)}`", _doc(method)))
    _table(("method", "what it does"), [row[1:] for row in sorted(rows)])


def fields(place: str) -> None:
    """The fields of a dataclass, with their types."""
    found = dataclasses.fields(_found(place))
    rows = [(f"`{field.name}`", _annotation(field.type).replace("'", "")) for field in found]
    _table(("field", "type"), rows)


def constants(*places: str) -> None:
    """Numbers that are fixed, by their names."""
    _table(("constant", "value"), [(f"`{place.rpartition('.')[2]}`", f"{_found(place):,}") for place in places])


def settings(place: str) -> None:
    """The settings of a connector, with their defaults, and its capabilities."""
    kind = _found(place)
    model = kind.settings_type
    if model.model_fields:
        rows = [
            (f"`{name}`", _annotation(field.annotation), _field_default(field), field.description or "")
            for name, field in model.model_fields.items()
        ]
        print(f"{inspect.cleandoc(model.__doc__ or '')}\n")
        _table(("setting", "type", "default", "what it is"), rows)
    else:
        print("It has no settings.")
    declared = ", ".join(f"`{word}`" for word in sorted(kind.capabilities)) or "none"
    if CAPABILITIES[kind.service]:
        print(f"\nCapabilities: {declared}.")


def section(place: str) -> None:
    """The keys of a section of the configuration."""
    rows = [
        (f"`{name}`", _field_default(field), field.description or "")
        for name, field in _found(place).model_fields.items()
    ]
    _table(("key", "default", "what it is"), rows)


def components() -> None:
    """The components that come with the repository, by name."""
    rows = []
    for kind in _components():
        package = kind.__module__.split(".")[0]
        source = "" if package == "sre_core" else package.replace("_", "-")
        names = ", ".join(f"`{alias}`" for alias in kind.aliases)
        rows.append((f"[{kind.name}](#{kind.name.lower()})", names, source, _first(kind)))
    _table(("component", "also", "plugin", "what it does"), rows)


def component_settings() -> None:
    """Each component with its ports and settings, under a heading of its own."""
    for kind in _components():
        print(f"## {kind.name}\n\n{_doc_paragraphs(kind)}\n")
        print(f"Inputs: {_ports(kind.inputs, more=kind.open_inputs)}. ", end="")
        print(f"Outputs: {_ports(kind.outputs, more=kind.open_outputs)}.\n")
        rows = [
            (f"`{field.alias or name}`", _annotation(field.annotation), _field_default(field), field.description or "")
            for name, field in kind.settings_type.model_fields.items()
        ]
        if rows:
            _table(("setting", "type", "default", "what it is"), rows)
            print()


def _components() -> list[type[Component]]:
    found = [*builtin_components(), *Plugins.load(only=PLUGINS).components.values()]
    return sorted(found, key=lambda kind: kind.name.lower())


def _doc_paragraphs(kind: type[Component]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _ports(ports: Sequence[InputPort | OutputPort], *, more: bool) -> str:
    named = [f"`{port.name}`" for port in ports]
    return ", ".join([*named, "your own"] if more else named) or "none"


def connectors() -> None:
    """The connectors that come with the repository."""
    rows = []
    plugins = Plugins.load(only=PLUGINS)
    for (service, name), kind in plugins.connectors.items():
        package = kind.__module__.split(".")[0]
        source = "built in" if package == "sre_core" else package.replace("_", "-")
        rows.append((service.value, f"`{name}`", source, _first(kind)))
    order = ["llm", "storage", "vectors", "cache", "vault"]
    rows.sort(key=lambda row: (order.index(row[0]), row[2] != "built in", row[1]))
    _table(("service", "connector", "where", "what it is"), rows)


_MEANINGS = {
    "model": "The model of agents that name none; read as in `Agent(model=...)`, but by the default connector.",
    "data": "The folder of embedded connectors' data; relative to `sre.toml`.",
    "connectors": "`[connectors.SERVICE.ID]`: `use` names the connector, every other key is its own setting.",
    "access": "Grants of the operator: a path, and who may do what there.",
    "teams": 'Team ids with their members, as in `ops = ["user:ada", "agent:bot"]`.',
    "models": '`[models."provider/name"]`: what is to be known of a model; see [models](models.md).',
    "model_files": "Files and folders with models as SmythOS writes them, relative to `sre.toml`.",
    "plugins.disabled": "Plugins that are not loaded.",
    "plugins.only": "If given, only these plugins are loaded. `SRE_PLUGINS=a,b` sets it.",
    "timeouts.start": "Seconds that a connector may take to start.",
    "timeouts.stop": "Seconds that a connector may take to stop.",
    "timeouts.operation": "Seconds that a call of a connector may take; of a stream, each item.",
    "timeouts.llm": "Seconds that a model may take for each chunk.",
    "guard.acl_cache_seconds": "How long a revocation made on another machine may take to be seen here.",
}


def _found(place: str) -> Any:
    module, _, name = place.rpartition(".")
    return getattr(import_module(module), name)


def _doc(thing: object) -> str:
    """A docstring on one line, for a cell; the parts for readers of the code only, as references, stay."""
    return " ".join(inspect.cleandoc(thing.__doc__ or "").split())


def _first(thing: object) -> str:
    """The first paragraph of a docstring."""
    return " ".join(inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].split())


def _signature(method: Any) -> str:
    """The parameters without their types, and with short defaults; what it returns with its type."""
    shown = []
    keyword_only = False
    signature = inspect.signature(method)
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            shown.append("*")
        empty = parameter.default is parameter.empty
        shown.append(parameter.name if empty else f"{parameter.name}={_code(parameter.default)}")
    returned = signature.return_annotation
    arrow = "" if returned in {None, signature.empty} else f" -> {_annotation(returned).lstrip('~')}"
    return f"({', '.join(shown)}){arrow}"


def _code(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, (str, Path)) else repr(value)
    return text.replace("'", '"')


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, BaseModel) or (isinstance(value, (tuple, dict)) and not value):
        return "empty"
    return f"`{_code(value)}`"


def _field_default(field: FieldInfo) -> str:
    return "required" if field.is_required() else _default(field.get_default(call_default_factory=True))


def _annotation(annotation: Any) -> str:
    text = (
        annotation.__name__ if inspect.isclass(annotation) and not hasattr(annotation, "__args__") else str(annotation)
    )
    return re.sub(r"\b(?:\w+\.)+(\w)", r"\1", text).replace("|", "\\|")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for row in (columns, ["---"] * len(columns), *rows):
        print(f"| {' | '.join(row)} |")
