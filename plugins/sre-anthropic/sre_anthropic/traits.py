"""What differs between models: how they think, and what they refuse."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Thinking", "Traits", "traits"]

_NAME = re.compile(r"claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
# A name without a version, as "claude-opus-latest"; those of older models begin with it: "claude-3-7-sonnet".
_UNNUMBERED = re.compile(r"claude-(?!\d|v\d|instant)")


class Thinking(StrEnum):
    """How a model is made to think, or not to."""

    BUDGET = "budget"
    """It does not unless it is given a number of tokens for it."""

    ASKED = "asked"
    """It does when asked to, as much as it finds right."""

    UNLESS = "unless"
    """It does unless it is told not to."""

    BETWEEN = "between"
    """It does; told not to, it still does between calls of skills."""

    ALWAYS = "always"
    """It cannot be told not to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the API accepts for a model.

    `budget` is whether it takes a number of tokens for thinking, `forced` whether it can be made to call a skill,
    `bound` whether its thoughts hold only behind the very messages that they were made for, and `capped` whether it
    must think to try harder than "high".
    """

    thinking: Thinking
    budget: bool = False
    forced: bool = True
    bound: bool = False
    capped: bool = False


_OLD = Traits(thinking=Thinking.BUDGET, budget=True)
# What will come: the request that all models of today accept. Whether a call can be forced is left to the server.
_NEW = Traits(thinking=Thinking.ALWAYS, bound=True)
_FORCED_NEVER = Traits(thinking=Thinking.ALWAYS, forced=False, bound=True)

_KNOWN: Mapping[tuple[str, int, int], Traits] = {
    ("fable", 5, 0): Traits(thinking=Thinking.ALWAYS),
    ("fable", 5, 1): _FORCED_NEVER,
    ("fable", 5, 2): _FORCED_NEVER,
    ("haiku", 5, 5): Traits(thinking=Thinking.UNLESS, bound=True, capped=True),
    ("mythos", 5, 0): Traits(thinking=Thinking.ALWAYS),
    ("mythos", 5, 1): _FORCED_NEVER,
    ("mythos", 5, 2): _FORCED_NEVER,
    ("opus", 4, 6): Traits(thinking=Thinking.ASKED, budget=True),
    ("opus", 4, 7): Traits(thinking=Thinking.ASKED),
    ("opus", 4, 8): Traits(thinking=Thinking.ASKED),
    ("opus", 5, 0): Traits(thinking=Thinking.UNLESS, capped=True),
    ("opus", 5, 5): _FORCED_NEVER,
    ("sonnet", 4, 6): Traits(thinking=Thinking.ASKED, budget=True),
    ("sonnet", 5, 0): Traits(thinking=Thinking.UNLESS),
    ("sonnet", 5, 5): Traits(thinking=Thinking.BETWEEN, forced=False, bound=True, capped=True),
}


def traits(model: str) -> Traits:
    """What is known of a model by its name, wherever it is served: "anthropic/claude-opus-4.6" too.

    A name of Claude without a version is taken for what will come. What is not of Claude is taken to think as its older
    models do, which is what other servers speak.
    """
    name = model.lower()
    found = _NAME.search(name)
    if found is None:
        return _NEW if _UNNUMBERED.search(name) else _OLD
    family, major, minor = found[1], int(found[2]), int(found[3] or 0)
    return _KNOWN.get((family, major, minor)) or (_OLD if (major, minor) < (4, 6) else _NEW)
