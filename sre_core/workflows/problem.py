"""Problems: what is wrong with a workflow, and where in its file."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

__all__ = ["Place", "Problem", "Severity"]

_INWARD = re.compile(r"[.\[]")

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. What an error names cannot work; a warning is of what is likely no intention.

    `path` leads to the place in the file, "components[3].inputs[0].type". `node_id` and `title` are of the component
    that it belongs to, if it does to one. `hint` is the next step, where there is one to name.
    """

    severity: Severity
    message: str
    path: str = ""
    node_id: str = ""
    title: str = ""
    hint: str = ""

    def is_within(self, paths: Collection[str]) -> bool:
        """Whether its place is one of `paths`, or lies further inside one of them."""
        return self.path in paths or any(self.path[: end.start()] in paths for end in _INWARD.finditer(self.path))

    def __str__(self) -> str:
        """One line: the place, what is wrong, the component and the hint."""
        where = f"{self.path}: " if self.path else ""
        called = ", ".join(filter(None, (self.title and repr(self.title), self.node_id)))
        whose = f" (in {called})" if called else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.message}{whose}{hint}"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in a file, while it is being read or checked."""

    path: str = ""
    node_id: str = ""
    title: str = ""

    def at(self, *keys: str | int) -> "Place":
        """A place further inside: at a key of an object, or at a position in a list."""
        path = self.path
        for key in keys:
            path += f"[{key}]" if isinstance(key, int) else f".{key}" if path else key
        return Place(path, self.node_id, self.title)

    def error(self, message: str, *, hint: str = "") -> Problem:
        """A problem here that keeps something from working."""
        return self._problem("error", message, hint)

    def warning(self, message: str, *, hint: str = "") -> Problem:
        """A problem here that the workflow can live with."""
        return self._problem("warning", message, hint)

    def _problem(self, severity: Severity, message: str, hint: str) -> Problem:
        return Problem(
            severity=severity, message=message, path=self.path, node_id=self.node_id, title=self.title, hint=hint
        )
