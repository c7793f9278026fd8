"""Draws a workflow as SVG."""

import re
from xml.etree import ElementTree as ET

from sre_core.components.node import Node
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.picture import Box, boxes

__all__ = ["svg"]

_MARGIN = 40
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2937; }
.title { font-weight: 600; }
.type, .port { font-size: 11px; fill: #6b7280; }
.out { text-anchor: end; }
.box { fill: #ffffff; stroke: #9ca3af; }
.entry { stroke: #2563eb; stroke-width: 2; }
.link { fill: none; stroke: #3c89f9; stroke-width: 1.5; }
.dot { fill: #3c89f9; }
.paper { fill: #f9fafb; }
"""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHARACTER = 7.2
_SMALL_CHARACTER = 6.0


def svg(workflow: Workflow) -> str:
    """A picture that needs no other file. Whatever titles hold, it stays text."""
    found = boxes(workflow)
    left = min((box.left for box in found.values()), default=0) - _MARGIN
    top = min((box.top for box in found.values()), default=0) - _MARGIN
    width = max((box.left + box.width for box in found.values()), default=0) + _MARGIN - left
    height = max((box.top + box.height for box in found.values()), default=0) + _MARGIN - top
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"{_number(left)} {_number(top)} {_number(width)} {_number(height)}",
            "width": _number(width),
            "height": _number(height),
            "role": "img",
        },
    )
    _text(root, "title", workflow.name or workflow.id)
    ET.SubElement(root, "style").text = _STYLE
    _shape(root, "rect", "paper", x=left, y=top, width=width, height=height)
    entries = {node.id for node in (*workflow.endpoints.values(), *workflow.triggers.values())}
    for link in workflow.links:
        _link(root, link, found[link.source], found[link.target])
    for box in found.values():
        _box(root, box, is_entry=box.node.id in entries)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _box(root: ET.Element, box: Box, *, is_entry: bool) -> None:
    node = box.node
    group = ET.SubElement(root, "g")
    _text(group, "title", f"{node} {node.description}".strip())
    _shape(
        group,
        "rect",
        "box entry" if is_entry else "box",
        x=box.left,
        y=box.top,
        width=box.width,
        height=box.height,
        rx=8,
    )
    room = box.width - 20
    _line(group, "title", box.left + 10, box.top + 20, _cut(_title(node), room, _CHARACTER))
    _line(group, "type", box.left + 10, box.top + 37, _cut(node.type, room, _SMALL_CHARACTER))
    half = room / 2 if node.inputs and node.outputs else room
    for position, port in enumerate(node.inputs):
        middle = box.port(position)
        _shape(group, "circle", "dot", cx=box.left, cy=middle, r=3)
        _line(group, "port", box.left + 10, middle + 4, _cut(port.name, half, _SMALL_CHARACTER))
    for position, out in enumerate(node.outputs):
        middle = box.port(position)
        _shape(group, "circle", "dot", cx=box.left + box.width, cy=middle, r=3)
        _line(group, "port out", box.left + box.width - 10, middle + 4, _cut(out.name, half, _SMALL_CHARACTER))


def _link(root: ET.Element, link: Link, source: Box, target: Box) -> None:
    """A curve that leaves to the right and comes in from the left, also where the target is to the left."""
    x1, y1 = source.left + source.width, source.port(link.output)
    x2, y2 = target.left, target.port(link.input)
    bend = max(40.0, abs(x2 - x1) / 2)
    curve = " ".join(map(_number, (x1 + bend, y1, x2 - bend, y2, x2, y2)))
    d = f"M {_number(x1)} {_number(y1)} C {curve}"
    path = ET.SubElement(root, "path", {"class": "link", "d": d})
    goal = "" if link.input < 0 else f".{target.node.inputs[link.input].name}"
    output = source.node.outputs[link.output].name
    _text(path, "title", f"{_title(source.node)}.{output} → {_title(target.node)}{goal}")


def _title(node: Node) -> str:
    return node.title or node.label or node.type


def _cut(text: str, room: float, character: float) -> str:
    fits = max(3, int(room / character))
    line = " ".join(text.split())
    return line if len(line) <= fits else line[: fits - 1] + "…"


def _line(parent: ET.Element, kind: str, x: float, y: float, text: str) -> None:
    element = ET.SubElement(parent, "text", {"class": kind, "x": _number(x), "y": _number(y)})
    element.text = _NOT_XML.sub("\ufffd", text)


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _NOT_XML.sub("\ufffd", text)


def _shape(parent: ET.Element, tag: str, kind: str, **sizes: float) -> None:
    ET.SubElement(parent, tag, {"class": kind, **{name: _number(size) for name, size in sizes.items()}})


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
