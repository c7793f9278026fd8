"""Where the nodes of a workflow are in a picture: as its file says, or else in columns along the links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sre_core.components.node import Node
from sre_core.workflows.graph import Workflow
from sre_core.workflows.reach import columns
from sre_core.workflows.smyth_reader import raw_components

__all__ = ["HEAD", "ROW", "Box", "boxes", "positions"]

HEAD = 48
"""The height of the part of a box that holds its title and its type."""

ROW = 22
"""The height of a line with a port."""

_FOOT, _WIDTH, _NARROWEST, _WIDEST = 10, 220, 120, 700
_GAP_ACROSS, _GAP_DOWN = 120, 40
_FARTHEST = 100_000.0
_LENGTH = re.compile(r"\s*(-?[0-9]{1,12}(?:\.[0-9]{1,20})?)\s*(?:px)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node in a picture, measured in pixels from the upper left."""

    node: Node
    left: float
    top: float
    width: float
    height: float

    def port(self, position: int) -> float:
        """How far down the port at that position is, on either side; -1 is the title."""
        return self.top + (HEAD / 2 if position < 0 else HEAD + ROW * (position + 0.5))


def boxes(workflow: Workflow) -> Mapping[str, Box]:
    """A box for each node, by its id. Nodes that the file has no position for come below all others, in columns."""
    raws = raw_components(workflow)
    placed: dict[str, Box] = {}
    unplaced: dict[str, Box] = {}
    for id_, node in workflow.nodes.items():
        raw = raws[id_][1] if id_ in raws else {}
        left, top = _length(raw.get("left")), _length(raw.get("top"))
        width = min(max(_length(raw.get("width")) or _WIDTH, _NARROWEST), _WIDEST)
        height = HEAD + ROW * max(len(node.inputs), len(node.outputs)) + _FOOT
        box = Box(node=node, left=left or 0, top=top or 0, width=width, height=height)
        (unplaced if left is None or top is None else placed)[id_] = box
    below = max((box.top + box.height + _GAP_DOWN for box in placed.values()), default=0)
    start = min((box.left for box in placed.values()), default=0)
    made = {**placed, **_in_columns(workflow, unplaced, start, below)}
    return {id_: made[id_] for id_ in workflow.nodes}


def positions(workflow: Workflow) -> Mapping[str, tuple[int, int]]:
    """The left and the top of each node, in whole pixels."""
    return {id_: (round(box.left), round(box.top)) for id_, box in boxes(workflow).items()}


def _length(value: Any) -> float | None:
    """A CSS length in pixels, or a number; None for all else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(max(min(value, _FARTHEST), -_FARTHEST))
    else:
        match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return None
        number = float(match[1])
    return max(min(number, _FARTHEST), -_FARTHEST)


def _in_columns(workflow: Workflow, unplaced: Mapping[str, Box], start: float, below: float) -> dict[str, Box]:
    if not unplaced:
        return {}
    column = columns(workflow).of
    leading: dict[str, list[str]] = {}
    for link in workflow.links:
        leading.setdefault(link.target, []).append(link.source)
    found: dict[str, Box] = {}
    left = start
    for number in range(max(column.values()) + 1):
        members = [box for id_, box in unplaced.items() if column[id_] == number]
        # A node comes about where those are that lead to it.
        wanted = {
            box.node.id: [found[id_].top for id_ in leading.get(box.node.id, ()) if id_ in found] for box in members
        }
        members.sort(
            key=lambda box: sum(wanted[box.node.id]) / len(wanted[box.node.id]) if wanted[box.node.id] else below
        )
        top = below
        for box in members:
            top = max(top, *wanted[box.node.id], below)
            found[box.node.id] = Box(node=box.node, left=left, top=top, width=box.width, height=box.height)
            top += box.height + _GAP_DOWN
        left += max((box.width for box in members), default=0) + (_GAP_ACROSS if members else 0)
    return found
