"""What differs between models: whose they are, how they think, and what they refuse."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Thinking", "Traits", "family", "traits"]

_CLAUDE = re.compile(r"claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
# A name without a version, as "claude-mythos-preview"; those of older models begin with it: "claude-3-haiku".
_UNNUMBERED = re.compile(r"claude-(?!\d|v\d|instant)")
_REGIONS = re.compile(r"(?:us-gov|us|eu|apac|ap|jp|au|ca|sa|global)\.(?=[a-z0-9]+\.)")


class Thinking(StrEnum):
    """How a model is made to think, or not to."""

    UNKNOWN = "unknown"
    """Nothing is known of it; the option `fields` may hold what it wants."""

    NOVA = "nova"
    """It does when asked to, as hard as it is told."""

    BUDGET = "budget"
    """Claude: it does not unless it is given a number of tokens for it."""

    ASKED = "asked"
    """Claude: it does when asked to, as much as it finds right."""

    UNLESS = "unless"
    """Claude: it does unless it is told not to."""

    BETWEEN = "between"
    """Claude: it does; told not to, it still does between calls of skills."""

    ALWAYS = "always"
    """Claude: it cannot be told not to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the API accepts for a model.

    `budget` is whether it takes a number of tokens for thinking, `forced` whether it can be made to call a skill,
    `bound` whether its thoughts hold only behind the very messages that they were made for, `capped` whether it must
    think to try harder than "high", `samples` whether it takes `temperature` and `top_p`, `schemas` whether the service
    can hold it to a schema, and `caches` and `caches_tools` what of a prompt it can keep.
    """

    thinking: Thinking = Thinking.UNKNOWN
    budget: bool = False
    forced: bool = True
    bound: bool = False
    capped: bool = False
    samples: bool = True
    schemas: bool = False
    caches: bool = False
    caches_tools: bool = False


def _claude(thinking: Thinking, *, budget: bool = False, forced: bool = True, **more: bool) -> Traits:
    return Traits(
        thinking=thinking, budget=budget, forced=forced, samples=budget, caches=True, caches_tools=True, **more
    )


_OLD = _claude(Thinking.BUDGET, budget=True)
_4_5 = _claude(Thinking.BUDGET, budget=True, schemas=True)
_4_6 = _claude(Thinking.ASKED, budget=True, schemas=True)
# What will come: the request that all models of today accept. Whether a call can be forced is left to the service.
_NEW = _claude(Thinking.ALWAYS, bound=True)
_NEVER_FORCED = _claude(Thinking.ALWAYS, forced=False, bound=True)

_KNOWN: Mapping[tuple[str, int, int], Traits] = {
    ("fable", 5, 0): _claude(Thinking.ALWAYS, forced=False),
    ("fable", 5, 1): _NEVER_FORCED,
    ("fable", 5, 2): _NEVER_FORCED,
    ("haiku", 4, 5): _4_5,
    ("haiku", 5, 5): _claude(Thinking.UNLESS, bound=True, capped=True),
    ("mythos", 5, 0): _claude(Thinking.ALWAYS, forced=False),
    ("mythos", 5, 1): _NEVER_FORCED,
    ("mythos", 5, 2): _NEVER_FORCED,
    ("opus", 4, 5): _4_5,
    ("opus", 4, 6): _4_6,
    ("opus", 4, 7): _claude(Thinking.ASKED),
    ("opus", 4, 8): _claude(Thinking.ASKED),
    ("opus", 5, 0): _claude(Thinking.UNLESS, capped=True),
    ("opus", 5, 5): _NEVER_FORCED,
    ("sonnet", 4, 5): _4_5,
    ("sonnet", 4, 6): _4_6,
    ("sonnet", 5, 0): _claude(Thinking.UNLESS),
    ("sonnet", 5, 5): _claude(Thinking.BETWEEN, forced=False, bound=True, capped=True),
}


def traits(model: str) -> Traits:
    """What is known of a model by its id, that of an inference profile, or an ARN that ends with one."""
    found = _CLAUDE.search(model)
    if found is not None:
        name, major, minor = found[1], int(found[2]), int(found[3] or 0)
        return _KNOWN.get((name, major, minor)) or (_OLD if (major, minor) < (4, 6) else _NEW)
    if _UNNUMBERED.search(model):
        return _NEW
    if "anthropic." in model:
        # Older than the names of today; it neither thinks nor keeps anything.
        return Traits()
    if "amazon.nova-2" in model:
        return Traits(thinking=Thinking.NOVA, caches=True)
    return Traits(caches="amazon.nova" in model)


def family(model: str) -> str:
    """Whose model it is, as "anthropic"; the whole id where that does not tell. Thoughts are read within a family."""
    name = model.rpartition("/")[2] if model.startswith("arn:") else model
    maker, dot, _ = _REGIONS.sub("", name, count=1).partition(".")
    return maker if dot else name
