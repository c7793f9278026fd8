"""Draws a workflow with the characters of a terminal.

Nodes stand in columns along the links, and in a column in the order that the file's positions give. Inputs are on even
rows and outputs on odd ones, so that a line that leaves one box never lies on one that goes into another.
"""

from dataclasses import dataclass, field

from sre_core.components.node import Node
from sre_core.workflows.cells import Grid, clean, cut, width
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.outline import link_text, name_of, outline
from sre_core.workflows.picture import boxes
from sre_core.workflows.reach import columns

__all__ = ["draw"]

_NARROWEST, _WIDEST = 12, 60
_MOST_NODES, _MOST_LINKS = 300, 2000
_HEAD = 3


@dataclass(slots=True, eq=False)
class _Item:
    """A box for a node; or, where a link passes a column by, a lane for it."""

    node: Node | None
    column: int
    order: float
    top: int = 0
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    """The positions of the ports that have links, in order."""

    @property
    def height(self) -> int:
        """An even number of rows."""
        return 2 if self.node is None else _HEAD + 2 * max(len(self.inputs), len(self.outputs)) + 1

    def input_row(self, port: int) -> int:
        if self.node is None:
            return self.top
        return self.top + (2 if port < 0 else _HEAD + 1 + 2 * self.inputs.index(port))

    def output_row(self, port: int) -> int:
        return self.top + (1 if self.node is None else _HEAD + 2 * self.outputs.index(port))

    def room(self) -> int:
        """The width that shows everything, but for very long names."""
        if self.node is None:
            return 3
        left = [clean(self.node.inputs[port].name) for port in self.inputs if port >= 0]
        right = [clean(self.node.outputs[port].name) for port in self.outputs]
        return min(4 + max(map(width, (name_of(self.node), clean(self.node.type), *left, *right))), _WIDEST)


@dataclass(frozen=True, slots=True)
class _Step:
    """A part of a link, from one column to the next."""

    source: _Item
    output: int
    target: _Item
    input: int


def draw(workflow: Workflow, *, width: int = 100) -> str:
    """A picture at most `width` cells wide; an indented list where no picture fits."""
    if not workflow.nodes:
        return "(no components)"
    is_small = len(workflow.nodes) <= _MOST_NODES and len(workflow.links) <= _MOST_LINKS
    picture = _Picture(workflow) if is_small else None
    if picture is None or not picture.fit(width):
        return outline(workflow, width=width)
    lines = [str(picture.grid())]
    if picture.back:
        lines += ["", "And back:", *(cut(f"  {link_text(workflow, link)}", width) for link in picture.back)]
    return "\n".join(lines)


class _Picture:
    """One drawing, in three steps: what is in which column, on which row, and how wide the columns are."""

    def __init__(self, workflow: Workflow) -> None:
        found = columns(workflow)
        tops = {id_: box.top for id_, box in boxes(workflow).items()}
        self.back = [link for link in workflow.links if link in found.back]
        self._columns: list[list[_Item]] = [[] for _ in range(max(found.of.values()) + 1)]
        self._steps: list[list[_Step]] = [[] for _ in self._columns]
        self._items = {id_: self._add(_Item(node, found.of[id_], tops[id_])) for id_, node in workflow.nodes.items()}
        for link in dict.fromkeys(workflow.links):
            if link not in found.back:
                self._link(link)
        for item in self._items.values():
            item.inputs.sort()
            item.outputs.sort()
        self._place()
        self._tracks = [_tracks(steps) for steps in self._steps]
        self._widths = [max(item.room() for item in items) for items in self._columns]

    def fit(self, room: int) -> bool:
        """Make the columns narrower until the picture is at most `room` wide; whether it can be."""
        gaps = sum(_gap(tracks) for tracks in self._tracks)
        while sum(self._widths) + gaps > room:
            widest = max(range(len(self._widths)), key=self._widths.__getitem__)
            if self._widths[widest] <= _NARROWEST:
                return False
            self._widths[widest] -= 1
        return True

    def grid(self) -> Grid:
        """The drawing."""
        grid = Grid()
        left = 0
        for items, steps, tracks, room in zip(self._columns, self._steps, self._tracks, self._widths, strict=True):
            right = left + room - 1
            following = right + 1 + _gap(tracks)
            for item in items:
                _draw_item(grid, item, left, right)
            for step in steps:
                start, end = step.source.output_row(step.output), step.target.input_row(step.input)
                middle = right + 2 + tracks[step.source, step.output]
                grid.line([(start, right), (start, middle), (end, middle), (end, following)])
            for step in steps:
                if step.target.node is not None:
                    grid.write(step.target.input_row(step.input), following - 1, "▶")
            left = following
        return grid

    def _add(self, item: _Item) -> _Item:
        self._columns[item.column].append(item)
        return item

    def _link(self, link: Link) -> None:
        source, target = self._items[link.source], self._items[link.target]
        if link.output not in source.outputs:
            source.outputs.append(link.output)
        if link.input not in target.inputs and link.input >= 0:
            target.inputs.append(link.input)
        item, output = source, link.output
        for column in range(source.column + 1, target.column):
            share = (column - source.column) / (target.column - source.column)
            lane = self._add(_Item(None, column, source.order + share * (target.order - source.order)))
            self._steps[column - 1].append(_Step(item, output, lane, 0))
            item, output = lane, 0
        self._steps[target.column - 1].append(_Step(item, output, target, link.input))

    def _place(self) -> None:
        """Give every item its row: no higher than what leads to it, so that chains run along one line."""
        leading: dict[_Item, list[_Item]] = {}
        for steps in self._steps:
            for step in steps:
                leading.setdefault(step.target, []).append(step.source)
        for items in self._columns:
            items.sort(key=lambda item: item.order)
            row = 0
            for item in items:
                item.top = max(row, min((source.top for source in leading.get(item, ())), default=0))
                row = item.top + item.height


def _draw_item(grid: Grid, item: _Item, left: int, right: int) -> None:
    if item.node is None:
        middle = (left + right) // 2
        grid.line([(item.top, left), (item.top, middle), (item.top + 1, middle), (item.top + 1, right)])
        return
    node, room = item.node, right - left - 3
    grid.box(item.top, left, item.top + item.height - 1, right)
    grid.write(item.top + 1, left + 2, cut(name_of(node), room))
    grid.write(item.top + 2, left + 2, cut(clean(node.type), room))
    for port in item.inputs:
        grid.write(item.input_row(port), left + 2, cut(clean(node.inputs[port].name), room))
    for port in item.outputs:
        name = cut(clean(node.outputs[port].name), room)
        grid.write(item.output_row(port), right - 1 - width(name), name)


def _tracks(steps: list[_Step]) -> dict[tuple[_Item, int], int]:
    """For each output, the vertical line beside its column that its links share; no two lie on one another."""
    spans: dict[tuple[_Item, int], tuple[int, int]] = {}
    for step in steps:
        key = (step.source, step.output)
        rows = [step.source.output_row(step.output), step.target.input_row(step.input), *spans.get(key, ())]
        spans[key] = (min(rows), max(rows))
    ends: list[int] = []
    found = {}
    for key, (top, bottom) in sorted(spans.items(), key=lambda span: span[1]):
        track = next((number for number, end in enumerate(ends) if end < top), len(ends))
        ends[track : track + 1] = [bottom]
        found[key] = track
    return found


def _gap(tracks: dict[tuple[_Item, int], int]) -> int:
    """The cells between two columns: its vertical lines, one before them, and the head of an arrow behind."""
    return max(tracks.values()) + 4 if tracks else 0
