"""Makes a Workflow of the content of a `.smyth` file, and finds everything in it that is in the way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.components.path import look_up
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.ids import legal_id
from sre_core.workflows.json_places import Repeated
from sre_core.workflows.json_text import kind, parse
from sre_core.workflows.problem import Place, Problem
from sre_core.workflows.smyth_fields import Fields

__all__ = ["Reading", "agent_of", "link_places", "raw_components", "read_document", "survey"]

_NAMELESS = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file holds: the workflow, without the parts that cannot be used, and all problems that reading it met.

    `workflow` is None only where there is nothing to be made of the file at all. `spare` are the components that are
    not in it, since they have no id or that of an earlier one, each with its place.
    """

    workflow: Workflow | None
    problems: tuple[Problem, ...] = ()
    spare: tuple[tuple[Place, Node], ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems for which the file cannot be used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def survey(text: str | bytes, *, path: str | None = None, id: str | None = None) -> Reading:  # noqa: A002 -- its name
    """Read a file's text, whatever is wrong with it. `path` and `id` are as in `smyth.read`."""
    try:
        parsed = parse(text)
    except ValueError as error:
        return Reading(workflow=None, problems=(Place().error(str(error)),))
    reading = read_document(parsed.value, path=path, id=id)
    repeated = (_repeated(found, parsed.value) for found in parsed.repeated)
    return replace(reading, problems=(*repeated, *reading.problems))


def read_document(document: Any, *, path: str | None = None, id: str | None = None) -> Reading:  # noqa: A002
    """Make a workflow of a file's content, which it keeps a hold of."""
    if not isinstance(document, dict):
        return Reading(workflow=None, problems=(Place().error(f"a file holds an object, not {kind(document)}"),))
    agent, place = agent_of(document)
    reader = _Reader()
    if agent is document and "data" in document and "components" not in document:
        wrapped = document["data"]
        return Reading(workflow=None, problems=(Place("data").error(f"must be an object, not {kind(wrapped)}"),))
    workflow = reader.workflow(agent, place, document, path, id)
    return Reading(workflow=workflow, problems=tuple(reader.fields.problems), spare=tuple(reader.spare))


def agent_of(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Place]:
    """The agent in a file's content, bare or wrapped in `data`, and where it is."""
    inner = document.get("data")
    if "components" not in document and isinstance(inner, dict):
        return inner, Place("data")
    return document, Place()


def raw_components(workflow: Workflow) -> Mapping[str, tuple[int, Mapping[str, Any]]]:
    """The components in the document of a workflow, by id, each with its position; empty where it has none."""
    found: dict[str, tuple[int, Mapping[str, Any]]] = {}
    components = agent_of(workflow.document)[0].get("components")
    for position, raw in enumerate(components if isinstance(components, list) else ()):
        id_ = _called(raw, Place()).node_id
        if id_:
            found.setdefault(id_, (position, raw))
    return found


def link_places(workflow: Workflow) -> tuple[Place, ...]:
    """Where each link of a workflow is in its document; one that was made in code is counted by its own order."""
    agent, inside = agent_of(workflow.document)
    read: dict[Link, list[Place]] = {}
    for link, place in _Reader().links(agent, inside, workflow.nodes):
        read.setdefault(link, []).append(place)
    return tuple(
        read[link].pop(0) if read.get(link) else inside.at("connections", position)
        for position, link in enumerate(workflow.links)
    )


def _repeated(found: Repeated, document: Any) -> Problem:
    place = Place()
    inside = agent_of(document)[1] if isinstance(document, dict) else place
    level = document
    for depth, key in enumerate(found.keys[:-1]):
        # Where an object was left out itself, for a later one of its key, this one may be another.
        level = look_up(level, (str(key),))
        place = place.at(key)
        if depth and isinstance(key, int) and place.path == inside.at("components", key).path:
            place = _called(level, place)
    key, line, column = found.keys[-1], found.line, found.column
    return place.at(key).warning(
        f"the key {key!r} stands more than once in one object, and only the last one counts,"
        f" in line {line}, column {column}"
    )


def _called(raw: Any, place: Place) -> Place:
    """The place of a component, which goes by its id and by what an editor calls it, as far as it has them."""
    if not isinstance(raw, dict):
        return place
    given = raw.get("id")
    id_ = str(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    labels = [raw.get(key) for key in ("title", "displayName", "name")]
    return Place(place.path, id_, next((label for label in labels if isinstance(label, str) and label), ""))


class _Reader:
    """Reads one file. `spare` are the components that no link can name."""

    def __init__(self) -> None:
        self.fields = Fields()
        self.spare: list[tuple[Place, Node]] = []

    def workflow(
        self, agent: Mapping[str, Any], place: Place, document: Mapping[str, Any], path: str | None, id_: str | None
    ) -> Workflow | None:
        if agent.get("components") is None:
            self.fields.problems.append(place.at("components").error("there is no list of components"))
        nodes = self.nodes(agent, place)
        # Without a list of components every end of a link would seem to be one that is missing.
        links = self.links(agent, place, nodes if isinstance(agent.get("components"), list) else None)
        text = self.fields.text
        return Workflow(
            id=self.id(agent, place, path) if id_ is None else id_,
            name=text(agent, "name", place)
            or text(self.fields.mapping(agent, "templateInfo", place), "name", place.at("templateInfo")),
            description=text(agent, "description", place),
            behavior=text(agent, "behavior", place),
            team=legal_id(text(agent, "teamId", place) or "default"),
            model=self.model(agent, place),
            variables=self.fields.mapping(agent, "variables", place),
            nodes=nodes,
            links=tuple(link for link, _ in links),
            document=document,
            path=path,
        )

    def id(self, agent: Mapping[str, Any], place: Place, path: str | None) -> str:
        given = self.fields.text(agent, "id", place)
        return legal_id(given or (PurePath(path).stem if path else "") or _NAMELESS)

    def model(self, agent: Mapping[str, Any], place: Place) -> str | None:
        """SmythOS keeps the name of a model, or all that it knows of one."""
        value = agent.get("defaultModel")
        if isinstance(value, dict):
            return self.fields.text(value, "modelId", place.at("defaultModel")) or None
        return self.fields.text(agent, "defaultModel", place) or None

    def nodes(self, agent: Mapping[str, Any], place: Place) -> dict[str, Node]:
        found: dict[str, Node] = {}
        first: dict[str, str] = {}
        for raw, at in self.fields.objects(agent, "components", place):
            if raw is None:
                continue
            here = _called(raw, at)
            node = self.node(raw, here)
            if node.id in found:
                self.fields.problems.append(here.at("id").error(f"{first[node.id]} has the id {node.id!r} already"))
            if node.id and node.id not in found:
                found[node.id] = node
                first[node.id] = here.path
            else:
                self.spare.append((here, node))
        return found

    def node(self, raw: Mapping[str, Any], place: Place) -> Node:
        """A component; its id is "" where it has none, and nothing can name it."""
        fields = self.fields
        return Node(
            id=fields.needed(raw, "id", place, "id"),
            type=fields.needed(raw, "name", place, "type of component, which is kept under 'name'"),
            title=fields.text(raw, "title", place),
            label=fields.text(raw, "displayName", place),
            description=fields.text(raw, "description", place),
            inputs=tuple(self.input(port, at) for port, at in fields.objects(raw, "inputs", place)),
            outputs=tuple(self.output(port, at) for port, at in fields.objects(raw, "outputs", place)),
            data=fields.mapping(raw, "data", place),
            template=self.template(raw, place),
        )

    def input(self, raw: Mapping[str, Any] | None, place: Place) -> InputPort:
        if raw is None:
            return InputPort(name="")
        fields = self.fields
        default = raw.get("defaultVal")
        return InputPort(
            name=fields.needed(raw, "name", place, "name of the input"),
            type=fields.text(raw, "type", place) or "Any",
            optional=fields.flag(raw, "optional", place),
            # An editor writes "" for a default that nobody gave.
            default=None if default == "" else default,
            is_file=fields.flag(raw, "isFile", place),
            description=fields.text(raw, "description", place),
        )

    def output(self, raw: Mapping[str, Any] | None, place: Place) -> OutputPort:
        if raw is None:
            return OutputPort(name="")
        fields = self.fields
        return OutputPort(
            name=fields.needed(raw, "name", place, "name of the output"),
            default=fields.flag(raw, "default", place),
            expression=fields.text(raw, "expression", place),
            description=fields.text(raw, "description", place),
        )

    def template(self, raw: Mapping[str, Any], place: Place) -> Mapping[str, Mapping[str, Any]]:
        here = place.at("template")
        settings = self.fields.mapping(self.fields.mapping(raw, "template", place), "settings", here)
        return {key: self.fields.mapping(settings, key, here.at("settings")) for key in settings}

    def links(
        self, agent: Mapping[str, Any], place: Place, nodes: Mapping[str, Node] | None
    ) -> Iterator[tuple[Link, Place]]:
        """The links that can be used, with their places. With None for nodes it is not known which there are."""
        for raw, here in self.fields.objects(agent, "connections", place):
            link = self.link(raw, here, nodes) if raw is not None else None
            if link is not None:
                yield link, here

    def link(self, raw: Mapping[str, Any], place: Place, nodes: Mapping[str, Node] | None) -> Link | None:
        source = self.end(raw, "sourceId", place, nodes)
        target = self.end(raw, "targetId", place, nodes)
        output = self.port(raw, "sourceIndex", place, source, "output")
        input_ = self.port(raw, "targetIndex", place, target, "input")
        if source is None or target is None or output is None or input_ is None:
            return None
        return Link(source=source.id, output=output, target=target.id, input=input_)

    def end(self, raw: Mapping[str, Any], key: str, place: Place, nodes: Mapping[str, Node] | None) -> Node | None:
        """The component at one end of a link."""
        id_ = self.fields.needed(raw, key, place, "id of a component")
        if nodes is None:
            return None
        if id_ and id_ not in nodes:
            self.fields.problems.append(place.at(key).error(f"no component has the id {id_!r}"))
        return nodes.get(id_)

    def port(self, raw: Mapping[str, Any], key: str, place: Place, node: Node | None, side: str) -> int | None:
        """The position of the port at one end of a link. An input of -1 is the whole component."""
        ports = () if node is None else node.inputs if side == "input" else node.outputs
        names = [port.name for port in ports]
        before = len(self.fields.problems)
        index = self.fields.port(raw, key, place, lambda name: names.index(name) if name in names else None)
        if node is None or len(self.fields.problems) > before:
            return None
        lowest = -1 if side == "input" else 0
        if index is not None and lowest <= index < len(ports):
            return index
        owner = Place(place.at(key).path, node.id, node.title or node.label or node.type)
        self.fields.problems.append(owner.error(f"there is no {side} {raw.get(key)!r}", hint=_choice(side, names)))
        return None


def _choice(side: str, names: Sequence[str]) -> str:
    """The ports that a link could have named."""
    named = [repr(name) for name in names if name]
    if not names:
        return f"it has no {side}s"
    return f"its {side}s are {', '.join(named)}" if named else f"its {side}s have no names"
