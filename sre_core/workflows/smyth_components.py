"""Makes one component of a `.smyth` file of a Node: anew, or as it was read with what is different put in."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.workflows.json_text import same

__all__ = ["merged_component", "new_component", "same_node"]

_NODE_KEYS = {
    "id": "id",
    "type": "name",
    "title": "title",
    "label": "displayName",
    "description": "description",
    "data": "data",
}
_INPUT_KEYS = {
    "name": "name",
    "type": "type",
    "optional": "optional",
    "default": "defaultVal",
    "is_file": "isFile",
    "description": "description",
}
_OUTPUT_KEYS = {"name": "name", "default": "default", "expression": "expression", "description": "description"}

Port = InputPort | OutputPort
Raw = dict[str, Any]


def same_node(one: Node, other: Node) -> bool:
    """Whether two nodes say the same in a file."""
    return one is other or (
        all(same(getattr(one, name), getattr(other, name)) for name in (*_NODE_KEYS, "template"))
        and _same_ports(one.inputs, other.inputs)
        and _same_ports(one.outputs, other.outputs)
    )


def new_component(node: Node, position: tuple[int, int]) -> Raw:
    """A component that no file had yet, with its keys in the order that editors write. `position` is left and top."""
    left, top = position
    raw: Raw = {
        "id": node.id,
        "name": node.type,
        "outputs": _ports([], (), node.outputs),
        "inputs": _ports([], (), node.inputs),
        "data": node.data,
        "top": f"{top}px",
        "left": f"{left}px",
        "width": "",
        "height": "",
        "displayName": node.label,
        "title": node.title,
        "aiTitle": "",
        "description": node.description,
    }
    return {**raw, "template": {"settings": node.template}} if node.template else raw


def merged_component(raw: Mapping[str, Any], old: Node, new: Node) -> Mapping[str, Any]:
    """A component of a file, read as `old`, that is to be read as `new`; what is not read stays."""
    if same_node(old, new):
        return raw
    merged = dict(raw)
    for name, key in _NODE_KEYS.items():
        if not same(getattr(old, name), getattr(new, name)):
            merged[key] = getattr(new, name)
    if not _same_ports(old.inputs, new.inputs):
        merged["inputs"] = _ports(raw.get("inputs") or [], old.inputs, new.inputs)
    if not _same_ports(old.outputs, new.outputs):
        merged["outputs"] = _ports(raw.get("outputs") or [], old.outputs, new.outputs)
    if not same(old.template, new.template):
        merged["template"] = {**(raw.get("template") or {}), "settings": new.template}
    return merged


def _same_ports(one: Sequence[Port], other: Sequence[Port]) -> bool:
    return len(one) == len(other) and all(map(_same_port, one, other))


def _same_port(one: Port, other: Port) -> bool:
    return type(one) is type(other) and all(
        same(getattr(one, item.name), getattr(other, item.name)) for item in fields(one)
    )


def _ports(raws: Sequence[Raw], old: Sequence[Port], new: Sequence[Port]) -> list[Raw]:
    found = []
    for position, (port, was) in enumerate(zip(new, _origins(old, new), strict=True)):
        raw = _new_port(port) if was is None else _merged_port(raws[was], old[was], port)
        if was is None or ("index" in raw and was != position):
            raw["index"] = position
        found.append(raw)
    return found


def _origins(old: Sequence[Port], new: Sequence[Port]) -> list[int | None]:
    """Which port each one was: the one of its name, or else, after a change of names, the one in its place."""
    unused = dict.fromkeys(range(len(old)))
    origins: list[int | None] = [None] * len(new)
    for position, port in enumerate(new):
        was = next((index for index in unused if old[index].name == port.name), None)
        if was is not None:
            origins[position] = was
            del unused[was]
    for position, origin in enumerate(origins):
        if origin is None and position in unused:
            origins[position] = position
            del unused[position]
    return origins


def _new_port(port: Port) -> Raw:
    if isinstance(port, OutputPort):
        raw: Raw = {"name": port.name, "default": port.default}
        optional: Raw = {"expression": port.expression, "description": port.description}
    else:
        raw = {"name": port.name, "type": port.type, "optional": port.optional, "default": False}
        optional = {"description": port.description, "isFile": port.is_file}
        if port.default is not None:
            raw["defaultVal"] = port.default
    return raw | {key: value for key, value in optional.items() if value}


def _merged_port(raw: Raw, old: Port, new: Port) -> Raw:
    merged = dict(raw)
    for name, key in (_INPUT_KEYS if isinstance(new, InputPort) else _OUTPUT_KEYS).items():
        value = getattr(new, name)
        if same(value, getattr(old, name)):
            continue
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged
