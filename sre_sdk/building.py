"""Workflows in Python: `Component.APICall(url=…)`, and `connect` for the links between ports."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError

from sre_core.components import base
from sre_core.components.library import LIBRARY, builtin_component
from sre_core.components.node import Node
from sre_core.components.path import split_path
from sre_core.errors import InvalidWorkflowError, WorkflowError
from sre_core.messages import File
from sre_core.plugins import Plugins
from sre_core.workflows.check_ports import REQUEST, Lack, input_lack, near, output_lack, request_lack
from sre_core.workflows.graph import ENDPOINT
from sre_sdk.endpoint import PORT_TYPES
from sre_sdk.graph import Draft, Graph

__all__ = ["Component", "Library", "Output", "Part", "checked_settings", "find_component", "port_type"]

_TYPES: Mapping[Any, str] = {
    str: "String",
    int: "Integer",
    float: "Number",
    bool: "Boolean",
    list: "Array",
    dict: "Object",
    datetime: "Date",
    bytes: "Binary",
    Path: "Binary",
    File: "Binary",
    Any: "Any",
}


class Output:
    """An output of a part, or a path into it: `call.out.Response.items`, `call.out["Response"]["my key"]`.

    A key with dots or brackets is a path itself: `call.out["Response.items[0].id"]`.
    """

    __slots__ = ("_part", "_path")
    # Else Python would take it for an endless list.
    __iter__ = None

    def __init__(self, part: "Part", path: tuple[str, ...]) -> None:
        self._part = part
        self._path = path

    def __getattr__(self, name: str) -> "Output":
        """The value under a key."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: str | int) -> "Output":
        """The value under a key, or at a position, counted from 0. Raises WorkflowError for what is neither."""
        if not isinstance(key, str) and not (isinstance(key, int) and key >= 0):
            raise WorkflowError(f"no path leads to {key!r} in {self!r}", hint="give a key, or a position from 0 on")
        return Output(self._part, (*self._path, str(key)))

    def __repr__(self) -> str:
        """Shows the part and the path."""
        return f"<Output {'.'.join(self._path)!r} of {self._part!r}>"

    @property
    def part_(self) -> "Part":
        """Whose output it is."""
        return self._part

    @property
    def path_(self) -> str:
        """The path, as files have it."""
        return ".".join(self._path)


class Part:
    """A node that is being built. It joins an agent when it is connected to something that belongs to one."""

    def __init__(self, graph: Graph, draft: Draft, kind: type[base.Component]) -> None:
        self._graph = graph
        self._draft = draft
        self._kind = kind

    def __repr__(self) -> str:
        """Shows type, and id or title."""
        return f"<{self._kind.name} {self.node.id or self.node.title!r}>"

    @property
    def graph(self) -> Graph:
        """What it belongs to now."""
        return self._graph.root

    @property
    def node(self) -> Node:
        """What it is so far; its id is empty until the workflow is used or saved, unless it was given."""
        return self._draft.node

    @property
    def out(self) -> Output:
        """Its outputs by name: `part.out.Response`."""
        return Output(self, ())

    def connect(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> "Part":
        """Take inputs from outputs of other parts, `connect(query=search.out.body.query)`, or give them values.

        A value that is no output is the input's default. Inputs and outputs that an author may add are made. An input
        that is connected several times gets a list. Returns the part itself. Raises WorkflowError for a port that the
        component does not have.
        """
        for name, value in {**(inputs or {}), **named}.items():
            self._take(name, value)
        return self

    def input(
        self,
        name: str,
        kind: Any = None,
        *,
        optional: bool | None = None,
        default: Any = None,
        description: str | None = None,
    ) -> "Part":
        """Add an input, or say more of one: its type, as `int` or "Binary". Returns the part itself.

        What is None stays as it is; of a new input that is: any type, not optional, no default.
        """
        self._check_input(name)
        said = {
            "type": None if kind is None else port_type(kind),
            "optional": optional,
            "default": default,
            "description": description,
        }
        self._draft.put_input(name, **{key: value for key, value in said.items() if value is not None})
        self.graph.changed()
        return self

    def output(self, name: str, *, path: str | None = None, description: str | None = None) -> "Part":
        """Add an output, or say more of one: where it leads, what a model reads of it. Returns the part itself."""
        self._check_output(path or name)
        said = {"expression": path, "description": description}
        self._draft.put_output(name, **{key: value for key, value in said.items() if value is not None})
        self.graph.changed()
        return self

    def _take(self, name: str, value: Any) -> None:
        if self._kind.name == ENDPOINT:
            raise WorkflowError(
                f"{self!r} takes its inputs from requests", hint="connect its outputs to the inputs of others"
            )
        self._check_input(name)
        if not isinstance(value, Output):
            _check_default(name, value)
            self._draft.put_input(name, default=value)
            self.graph.changed()
            return
        source = value.part_
        path = source._port_of(value.path_)  # noqa: SLF001 -- another one of this class
        self.graph.join(source.graph).link(source._draft, path, self._draft, name)  # noqa: SLF001

    def _port_of(self, path: str) -> str:
        """The port for a path; one that begins with an output of a name of its own leads on from there."""
        named = {port.name: port.expression for port in self.node.outputs}
        head = _head(path)
        if path not in named:
            self._check_output(named[head] + path[len(head) :] if named.get(head) else path)
            if named.get(head):
                self._draft.put_output(path, expression=named[head] + path[len(head) :])
        return path

    def _check_input(self, name: str) -> None:
        self._refuse(input_lack(name, self._kind, [port.name for port in self.node.inputs]))

    def _check_output(self, path: str) -> None:
        name = _head(path)
        known = [port.name for port in self.node.outputs]
        if not name:
            raise WorkflowError(f"no output of {self!r} is named", hint=f"as in part.out.{(known or ['Output'])[0]}")
        self._refuse(output_lack(name, self._kind, known))
        if self._kind.name == ENDPOINT and path not in known:
            heads = [*REQUEST, *(name for name in known if "." not in name)]
            self._refuse(request_lack(self.node, split_path(path), heads))

    def _refuse(self, lack: Lack | None) -> None:
        if lack is not None:
            how = f" (a new one is declared with part.input({lack.undeclared!r}))" if lack.undeclared else ""
            raise WorkflowError(f"{self!r} {lack.message}", hint=f"{lack.hint}{how}")


class Library:
    """The component types by name, those of plugins too: `Component.GenAILLM(model="smollm3", prompt="…")`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Callable[..., Part]:
        """A function that makes a part of that type; it raises WorkflowError for a name that no type has."""
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._named, name)

    def __dir__(self) -> list[str]:
        """The built-in types; what plugins offer is known when it is asked for."""
        return [*super().__dir__(), *LIBRARY]

    def _named(self, name: str, /, *positional: Any, **settings: Any) -> Part:
        if positional:
            first = next(iter(find_component(name).settings_type.model_fields), "title")
            raise WorkflowError(
                f"{name} cannot take {positional[0]!r} without the name of a setting",
                hint=f"name each one: Component.{name}({first}=...)",
            )
        return self.of(name, **settings)

    def of(
        self,
        kind: str | type[base.Component],
        /,
        *,
        node_id: str = "",
        title: str = "",
        **settings: Any,
    ) -> Part:
        """A part of a type that is given by name or class; a class needs no plugin that offers it.

        `settings` are those of the component, by their Python names or by those in files; `node_id` and `title` are
        the node's. Raises WorkflowError for an unknown type, InvalidWorkflowError for settings that are wrong.
        """
        found = find_component(kind) if isinstance(kind, str) else kind
        if not (isinstance(found, type) and issubclass(found, base.Component) and hasattr(found, "name")):
            raise WorkflowError(
                f"{found!r} is no type of component",
                hint="give a name, as 'FHash', or a class made of sre_core.components.base.Component with a name",
            )
        draft = Draft(
            Node(
                id=node_id,
                type=found.name,
                title=title or found.name,
                label=found.name,
                inputs=found.inputs,
                outputs=found.outputs,
                data=checked_settings(found, settings),
            )
        )
        graph = Graph()
        graph.add(draft)
        if not isinstance(kind, str):
            if builtin_component(kind.name) not in (None, kind):
                raise WorkflowError(f"{kind.name!r} is the name of a built-in component", hint="rename the class")
            graph.kinds[kind.name] = kind
        return Part(graph, draft, found)


Component = Library()


def find_component(name: str) -> type[base.Component]:
    """The component type of that name; the plugins are only asked for what is not built in. Raises WorkflowError."""
    return builtin_component(name) or Plugins.load().component(name)


def checked_settings(kind: type[base.Component], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their names in files. Raises InvalidWorkflowError for those that are unknown or wrong."""
    fields = kind.settings_type.model_fields
    names = {name: field.alias or name for name, field in fields.items()}
    known = {*names, *names.values()}
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise InvalidWorkflowError(
            f"{kind.name} has no setting {unknown[0]!r}",
            hint=near(unknown[0], sorted(names)),
            problems=tuple(f"{kind.name} has no setting {name!r}" for name in unknown),
        )
    data = {names.get(name, name): value for name, value in settings.items()}
    try:
        kind.settings_type.model_validate(data)
    except ValidationError as error:
        problems = tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidWorkflowError(
            f"the settings of {kind.name} are wrong: {'; '.join(problems)}", problems=problems
        ) from error
    return data


def port_type(kind: Any) -> str:
    """The type of a port, from a Python type or from its name. Raises WorkflowError for what is neither."""
    if isinstance(kind, str):
        if kind.lower() not in PORT_TYPES:
            raise WorkflowError(f"no port has the type {kind!r}", hint=near(kind, [t.title() for t in PORT_TYPES]))
        return kind
    plain = get_origin(kind) or kind
    found = _TYPES.get(plain) if isinstance(plain, Hashable) else None
    if found is None:
        known = ", ".join(getattr(one, "__name__", str(one)) for one in _TYPES)
        raise WorkflowError(f"no port has the type {kind!r}", hint=f"use one of {known}, or a name, as 'Image'")
    return found


def _head(path: str) -> str:
    """The output that a path begins with."""
    return next(iter(split_path(path)), "")


def _check_default(name: str, value: Any) -> None:
    if isinstance(value, Part):
        raise WorkflowError(f"{name!r} is connected to a whole part", hint="name one of its outputs: part.out.NAME")
    items = value.values() if isinstance(value, Mapping) else value
    if isinstance(items, Iterable) and not isinstance(items, str) and any(isinstance(i, Part | Output) for i in items):
        raise WorkflowError(
            f"{name!r} is connected to several outputs at once", hint="connect it once for each; it gets a list"
        )
