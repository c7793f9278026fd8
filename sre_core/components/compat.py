"""Switches for files that depend on what SmythOS got wrong; all are off unless somebody asks for them."""

from dataclasses import dataclass

__all__ = ["Compat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compat:
    """Faults of SmythOS that an old file may depend on.

    `escaped_quotes`: a double quote in a value that a template inserts becomes \\" . `static_leaves`: a node with
    any outgoing link gives no result, also when no link of it fired. `silent_failures`: a call returns errors as if
    they were results, and an empty list where nodes wait in vain; it raises neither. `whole_objects`: a ForEach takes
    an object for one item, and not for the list of its values.
    """

    escaped_quotes: bool = False
    static_leaves: bool = False
    silent_failures: bool = False
    whole_objects: bool = False
