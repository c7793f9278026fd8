"""Makes a Workflow of the content of a `.smyth` file, and finds everything in it that is in the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.ids import legal_id
from sre_core.workflows.json_text import kind, parse
from sre_core.workflows.problem import Place, Problem
from sre_core.workflows.smyth_fields import Fields

__all__ = ["Reading", "agent_of", "raw_components", "read_document", "survey"]

_NAMELESS = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file holds: the workflow, without the parts that cannot be used, and all problems that reading it met.

    `workflow` is None only where there is nothing to be made of the file at all.
    """

    workflow: Workflow | None
    problems: tuple[Problem, ...] = ()

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
    repeated = (
        Place().warning(f"the key {key!r} stands more than once in one object, and only the last one counts")
        for key in parsed.repeated
    )
    return Reading(workflow=reading.workflow, problems=(*repeated, *reading.problems))


def read_document(document: Any, *, path: str | None = None, id: str | None = None) -> Reading:  # noqa: A002
    """Make a workflow of a file's content, which it keeps a hold of."""
    if not isinstance(document, dict):
        return Reading(workflow=None, problems=(Place().error(f"a file holds an object, not {kind(document)}"),))
    agent, place = agent_of(document)
    reader = _Reader()
    workflow = reader.workflow(agent, place, document, path, id)
    return Reading(workflow=workflow, problems=tuple(reader.fields.problems))


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
        if isinstance(raw, dict):
            found.setdefault(str(raw.get("id")), (position, raw))
    return found


class _Reader:
    """Reads one file."""

    def __init__(self) -> None:
        self.fields = Fields()

    def workflow(
        self, agent: Mapping[str, Any], place: Place, document: Mapping[str, Any], path: str | None, id_: str | None
    ) -> Workflow | None:
        if agent.get("components") is None:
            self.fields.problems.append(place.at("components").error("there is no list of components"))
        nodes = self.nodes(agent, place)
        text = self.fields.text
        return Workflow(
            id=self.id(agent, place, path) if id_ is None else id_,
            name=text(agent, "name", place)
            or text(self.fields.mapping(agent, "templateInfo", place), "name", place.at("templateInfo")),
            description=text(agent, "description", place),
            behavior=text(agent, "behavior", place),
            team=self.legal(agent, "teamId", place) or "default",
            model=self.model(agent, place),
            variables=self.fields.mapping(agent, "variables", place),
            nodes=nodes,
            links=self.links(agent, place, nodes),
            document=document,
            path=path,
        )

    def id(self, agent: Mapping[str, Any], place: Place, path: str | None) -> str:
        found = self.legal(agent, "id", place)
        return found or legal_id((PurePath(path).stem if path else "") or _NAMELESS)

    def legal(self, agent: Mapping[str, Any], key: str, place: Place) -> str:
        given = self.fields.text(agent, key, place)
        made = legal_id(given) if given else ""
        if made != given:
            self.fields.problems.append(
                place.at(key).warning(f"{given!r} is not a legal id, and {made!r} takes its place")
            )
        return made

    def model(self, agent: Mapping[str, Any], place: Place) -> str | None:
        """SmythOS keeps the name of a model, or all that it knows of one."""
        value = agent.get("defaultModel")
        if isinstance(value, dict):
            return self.fields.text(value, "modelId", place.at("defaultModel")) or None
        return self.fields.text(agent, "defaultModel", place) or None

    def nodes(self, agent: Mapping[str, Any], place: Place) -> dict[str, Node]:
        found: dict[str, Node] = {}
        first: dict[str, str] = {}
        for raw, here in self.fields.objects(agent, "components", place):
            node = self.node(raw, here) if raw is not None else None
            if node is None:
                continue
            if node.id in found:
                self.fields.problems.append(
                    Place(here.at("id").path, node.id, node.title).error(
                        f"{first[node.id]} has the id {node.id!r} already"
                    )
                )
                continue
            found[node.id] = node
            first[node.id] = here.path
        return found

    def node(self, raw: Mapping[str, Any], place: Place) -> Node | None:
        """A component; None without an id, since nothing could name it."""
        given = raw.get("id")
        labels = [raw.get(key) for key in ("title", "displayName", "name")]
        title = next((label for label in labels if isinstance(label, str) and label), "")
        place = Place(place.path, str(given) if isinstance(given, str | int) else "", title)
        fields = self.fields
        id_ = fields.needed(raw, "id", place, "id")
        node = Node(
            id=id_,
            type=fields.needed(raw, "name", place, "type of component, which is kept under 'name'"),
            title=fields.text(raw, "title", place),
            label=fields.text(raw, "displayName", place),
            description=fields.text(raw, "description", place),
            inputs=tuple(self.input(port, at) for port, at in fields.objects(raw, "inputs", place)),
            outputs=tuple(self.output(port, at) for port, at in fields.objects(raw, "outputs", place)),
            data=fields.mapping(raw, "data", place),
            template=self.template(raw, place),
        )
        return node if id_ else None

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

    def links(self, agent: Mapping[str, Any], place: Place, nodes: Mapping[str, Node]) -> tuple[Link, ...]:
        found = []
        for raw, here in self.fields.objects(agent, "connections", place):
            link = self.link(raw, here, nodes) if raw is not None else None
            if link is not None:
                found.append(link)
        return tuple(found)

    def link(self, raw: Mapping[str, Any], place: Place, nodes: Mapping[str, Node]) -> Link | None:
        source = self.end(raw, "sourceId", place, nodes)
        target = self.end(raw, "targetId", place, nodes)
        output = self.port(raw, "sourceIndex", place, source, "output")
        input_ = self.port(raw, "targetIndex", place, target, "input")
        if source is None or target is None or output is None or input_ is None:
            return None
        return Link(source=source.id, output=output, target=target.id, input=input_)

    def end(self, raw: Mapping[str, Any], key: str, place: Place, nodes: Mapping[str, Node]) -> Node | None:
        """The component at one end of a link."""
        id_ = self.fields.needed(raw, key, place, "id of a component")
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
        known = f"its {side}s are {', '.join(map(repr, names))}" if names else f"it has no {side}s"
        self.fields.problems.append(owner.error(f"there is no {side} {raw.get(key)!r}", hint=known))
        return None
